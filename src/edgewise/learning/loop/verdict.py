"""Was it worth it? A sentence, and how many prompts it takes to tell.

Power: a mean difference d of paired values with standard deviation s is told apart from 0 with n prompts,
at 5 % and with a power of 80 %, where n = (z(.975) + z(.8))² · (s / d)². Source: Cohen, "Statistical power
analysis for the behavioral sciences", 1988. It takes the policy as it is: that more prompts also make a
better one is not counted.
"""

from __future__ import annotations

from math import ceil, isfinite, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from edgewise.learning.evaluate.baselines import BEST_SINGLE
from edgewise.learning.evaluate.bootstrap import Interval
from edgewise.learning.evaluate.held_out import BEST, LEARNED, ORACLE

if TYPE_CHECKING:
    from edgewise.learning.evaluate import Report
    from edgewise.learning.evaluate.report import PolicyReport

Z = NormalDist()
BOTH_TAILS = Z.inv_cdf(0.975) - Z.inv_cdf(0.025)
POWER = Z.inv_cdf(0.975) + Z.inv_cdf(0.8)
SHARE = 0.25  # of what perfect choices would gain: what a policy may well reach
CERTAIN = 1e-9


class Verdict(Struct, frozen=True):
    """What the loop found, in the objective's unit a prompt.

    `difference` is the learned policy's gain over the best single candidate, `perfect` what choosing without
    a mistake would gain. `detectable` is the gain that so many prompts show four times in five, `needed` the
    prompts that it takes to tell the gain that was measured; `needed_for_share` those for a policy that
    reaches a quarter of what is perfect. None where it can't be told.
    """

    verdict: Literal["better", "no different", "worse"]
    sentence: str
    more: str
    objective: str
    prompts: int
    single: str
    difference: Interval
    perfect: float
    detectable: float | None
    needed: int | None
    needed_for_share: int | None


def verdict_of(report: Report) -> Verdict:
    """The verdict on an evaluation."""
    found = next(c for c in report.comparisons if (c.policy, c.against) == (LEARNED, BEST_SINGLE))
    policies = {policy.name: policy for policy in report.policies}
    single, gap = policies[BEST_SINGLE], policies[BEST_SINGLE].regret
    name = max(single.choices, key=lambda candidate: single.choices[candidate])
    spread = _spread(found.difference, report.prompts)
    detectable = POWER * spread / sqrt(report.prompts) if spread > CERTAIN else None
    needed = _needed(found.difference.mean, spread) if found.difference.mean > CERTAIN else None
    # A policy that is right on a share of the prompts gains that share, and varies with its root.
    for_share = _needed(SHARE * gap.mean, sqrt(SHARE) * _spread(gap, report.prompts))
    made = Verdict(
        verdict=found.verdict,
        sentence=_sentence(report, found.verdict, found.difference, name),
        more="",
        objective=report.objective,
        prompts=report.prompts,
        single=name,
        difference=found.difference,
        perfect=gap.mean,
        detectable=detectable,
        needed=needed,
        needed_for_share=for_share,
    )
    return structs.replace(made, more=_more(made, policies))


def _spread(found: Interval, count: int) -> float:
    """The standard deviation over prompts of what has this 95 % interval."""
    width = found.high - found.low
    return width / BOTH_TAILS * sqrt(count) if isfinite(width) else 0.0


def _needed(gain: float, spread: float) -> int | None:
    """How many prompts it takes to tell a gain."""
    return max(2, ceil((POWER * spread / gain) ** 2)) if gain > CERTAIN and spread > CERTAIN else None


def _sentence(report: Report, verdict: str, gain: Interval, single: str) -> str:
    size = f"{gain.mean:+.4g} [{gain.low:+.4g}, {gain.high:+.4g}] in {report.objective} a prompt"
    seen = f"judged on {report.prompts:,} prompts that it had not seen"
    told = {"better": "better", "worse": "worse", "no different": "no better, as far as can be told,"}
    return (
        f"A learned policy is {told[verdict]} than the best single candidate here ({single}): {size}, {seen}."
    )


def _more(found: Verdict, policies: dict[str, PolicyReport]) -> str:
    """How much more data it takes, and what rules reach that need no learning."""
    if found.perfect <= CERTAIN:
        return "No choice between these candidates could gain anything on these prompts."
    is_better = found.verdict == "better"
    said: list[str] = []
    if found.detectable is not None and not is_better:
        said.append(f"This many prompts show a gain of {found.detectable:.3g} or more, four times in five.")
    if found.needed is not None:
        verb = "would have been enough" if is_better else "are needed"
        said.append(f"To tell a gain as large as was measured, about {found.needed:,} prompts {verb}.")
    if found.needed_for_share is not None and not is_better:
        said.append(
            f"Perfect choices would gain {found.perfect:+.3g}; to tell a policy that reaches a quarter of "
            f"it, about {found.needed_for_share:,} prompts are needed."
        )
    ours, rule = policies[LEARNED].utility.mean, policies[BEST].utility.mean
    said += _singles(found.single, policies)
    if rule > ours + CERTAIN:
        oracle = policies[ORACLE].utility.mean
        said.append(
            f"The best rule that needs no learning reached {rule:.4g}, the learned policy {ours:.4g}, "
            f"perfect choices {oracle:.4g}."
        )
    return " ".join([*said, "That more prompts also make a better policy is not counted."])


def _singles(name: str, policies: dict[str, PolicyReport]) -> list[str]:
    """Whom else the parts held best: beside any of them alone a gain is another than beside their mixture."""
    picked = {each: share for each, share in policies[BEST_SINGLE].choices.items() if share > CERTAIN}
    always = policies.get(f"always {name}")
    if len(picked) < 2 or always is None:  # noqa: PLR2004 - one is no mixture
        return []
    total, ours = sum(picked.values()), policies[LEARNED].utility.mean
    ranked = sorted(picked, key=lambda each: -picked[each])
    shares = ", ".join(f"{each} for {picked[each] / total:.0%}" for each in ranked)
    return [
        f"Which single candidate is best hangs on the prompts that are left out ({shares}); always {name} "
        f"would have reached {always.utility.mean:.4g}, the learned policy {ours:.4g}."
    ]

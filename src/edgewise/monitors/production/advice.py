"""What to change: the setting, and what is to be expected of it, computed from the traffic itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from edgewise.monitors.production.wording import usd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.monitors.production.figures import Figures
    from edgewise.monitors.production.tally import Tally
    from edgewise.settings import Settings
    from edgewise.settings.alerts import Rule

FEW_HEARD: Final = 0.01  # of requests with feedback: below, quality is a guess


class Recommendation(Struct, frozen=True):
    """`setting` is the key in edgewise.toml, or the command; `expected` says what it would do, and why so."""

    setting: str
    advice: str
    expected: str


def recommendations(
    day: Figures, tally: Tally, limits: Mapping[str, Rule], settings: Settings
) -> tuple[Recommendation, ...]:
    """What would help, from `tally` of the last 24 hours; empty where all is within its limits."""
    found: list[Recommendation] = []
    for figure, advise in ADVICE.items():
        rule = limits.get(figure)
        value: float | None = getattr(day, figure)
        if rule is None or value is None or day.samples[figure] < rule.least:
            continue
        if rule.band.holds(value, already=False):
            found.append(advise(value, rule.band.enter, tally, settings))
    if tally.requests and tally.said < FEW_HEARD * tally.requests and settings.judge.share == 0.0:
        found.append(_hear_more(tally))
    if tally.unpriced:
        found.append(_name_prices(tally))
    return tuple(found)


def _edge_share(value: float, limit: float, tally: Tally, settings: Settings) -> Recommendation:
    placed = tally.edge + tally.cloud
    moved = (limit - value) * placed
    each = tally.cloud_usd / tally.cloud if tally.cloud else 0.0
    share = round(1.0 - limit, 4)
    kept = settings.objective.cloud_share
    advice = f"set it to {share:g}, so that the cloud gets no more"
    if settings.policy.kind == "complexity":
        threshold = settings.policy.options.get("threshold", "its default")
        advice += f" (or raise policy.options.threshold, which is {threshold})"
    if kept is not None:
        advice += f"; it is {kept:g} now, and requests that are pinned or have no choice are not under it"
    return Recommendation(
        "objective.cloud_share",
        advice,
        f"{moved:.0f} of the last day's {placed} requests would have gone to the edge, which saves "
        f"{usd(moved * each)} a day at {usd(each)} a cloud request",
    )


def _quality(value: float, limit: float, tally: Tally, settings: Settings) -> Recommendation:
    del settings
    return Recommendation(
        "edgewise train",
        "train on the log (`edgewise log export`, then `edgewise train`), evaluate, and `edgewise deploy`",
        f"it has to gain {limit - value:.3f} over today's {value:.3f} on {tally.said} labels; `edgewise "
        "evaluate` says with an interval whether it does",
    )


def _errors(value: float, limit: float, tally: Tally, settings: Settings) -> Recommendation:
    if not settings.execution.fallback:
        return Recommendation(
            "execution.fallback",
            "set it to true, so that another candidate takes over",
            f"up to {tally.failed} of the last day's failures would have been answered elsewhere",
        )
    wanted = round((value - limit) * (tally.ok + tally.failed))
    return Recommendation(
        "execution.retries",
        f"raise it from {settings.execution.retries}; `edgewise doctor` says which endpoint is in trouble",
        f"{wanted} of the last day's {tally.failed} failures have to go for the limit; retries help with "
        "those that pass, and are bounded by execution.retry_share",
    )


def _latency(value: float, limit: float, tally: Tally, settings: Settings) -> Recommendation:
    slow = f"the slowest 5 % of {tally.ok} answers now take {value:.3g} s or more; the limit is {limit:g} s"
    if not settings.execution.hedge:
        return Recommendation(
            "execution.hedge",
            "set it to true: a second candidate is asked where the first is late",
            f"{slow}; a hedge cuts what is above its delay, for at most execution.retry_share more calls",
        )
    return Recommendation(
        "alerts.above",
        "give the alert `latency` a number that fits the model's answers, or take a faster objective",
        slow,
    )


def _cost(value: float, limit: float, tally: Tally, settings: Settings) -> Recommendation:
    del settings
    return Recommendation(
        "objective.usd_per_1k",
        f"set it to {limit * 1000:g}, so that policies are kept to it",
        f"{usd((value - limit) * tally.priced)} less a day at the last day's {tally.priced} requests",
    )


def _fallbacks(value: float, limit: float, tally: Tally, settings: Settings) -> Recommendation:
    del settings
    return Recommendation(
        "candidates.slots",
        "say how many calls the failing candidate takes at a time, or take it out (`edgewise log tail`)",
        f"{tally.fallbacks} answers came from a second candidate ({value:.1%}, limit {limit:.1%}), each "
        "after the time that the first one lost",
    )


def _budget(value: float, limit: float, tally: Tally, settings: Settings) -> Recommendation:
    del limit
    daily = settings.budget.usd_per_day or 0.0
    return Recommendation(
        "budget.usd_per_day",
        f"such a day costs {usd(daily * value)}: raise it from {usd(daily)}, or set objective.usd_per_1k",
        f"objective.usd_per_1k = {1000 * daily / max(1, tally.requests):.4g} would spend just the budget "
        f"on the last day's {tally.requests} requests",
    )


def _hear_more(tally: Tally) -> Recommendation:
    return Recommendation(
        "judge.share",
        "set it to 0.05, with judge.by, or send feedback: too little is known of quality",
        f"about {0.05 * tally.requests:.0f} labels a day, beside {tally.said} in the last one",
    )


def _name_prices(tally: Tally) -> Recommendation:
    return Recommendation(
        "candidates.price",
        "say what the candidate costs",
        f"{tally.unpriced} calls of the last day are in no cost, no budget and no projection",
    )


ADVICE: Final = {
    "quality": _quality,
    "error_rate": _errors,
    "edge_share": _edge_share,
    "p95_s": _latency,
    "cost_per_query": _cost,
    "fallback_rate": _fallbacks,
    "budget_burn": _budget,
}

"""`docs/benchmarks/classifier.md` from the measured figures."""

from __future__ import annotations

from typing import Any

EARLY = """# Classifiers, measured

What [`edgewise distill`](../distill.md) makes of two public intent sets, and what
[the cascade](../cascade.md) does with it. Every figure is of the test part, which chose nothing; intervals
are of 95 % (Wilson for shares, 2,000 resamplings of texts for differences and ratios); the seed is 0.

```
{commands}
```

Measured on {at}: {machine}. Other work ran on the same two cores, so that times are CPU times, in turn.
"""
COMMANDS = """edgewise distill DATA/banking77/train.csv --test DATA/banking77/test.csv \\
    --label-column category -o banking
python -m benchmarks.classifier tables DATA/clinc150/data_full.json -o clinc
edgewise distill clinc/train.csv --test clinc/test.csv --calibration clinc/val.csv --max-loss .01 \\
    --out-of-scope clinc/oos_val.csv --in-scope .9 -o clinc --epochs 2
OMP_NUM_THREADS=1 python -m benchmarks.classifier measure DATA banking clinc --write"""


def page(found: dict[str, Any]) -> str:
    """The whole page."""
    machine = found["machine"]
    told = f"{machine['cpu']}, {machine.get('kernel', '')}".strip(", ")
    parts = [EARLY.format(commands=COMMANDS, at=found["at"], machine=told), _table(found)]
    if "banking77" in found:
        parts += [_bundles(found["banking77"]), _curves(found["banking77"])]
    if "clinc150" in found:
        parts.append(_scope(found["clinc150"]))
    parts += [_splits(found), found.get("notes", "")]
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def _table(found: dict[str, Any]) -> str:
    rows = ["## What it must show", "", "| data | figure | to reach | found | |", "|---|---|---|---|---|"]
    for data, figure, goal, said, reached in (
        *_banking_rows(found),
        *_clinc_rows(found),
        *_other_rows(found),
    ):
        rows.append(f"| {data} | {figure} | {goal} | {said} | {'yes' if reached else '**no**'} |")
    return "\n".join([*rows, ""])


Row = tuple[str, str, str, str, bool]


def _banking_rows(found: dict[str, Any]) -> list[Row]:
    if "banking77" not in found:
        return []
    figures = found["banking77"]
    full, chosen = figures["bundles"]["fp32"], figures["bundles"][figures["chosen"]]
    kept, cascade = figures["kept_accuracy"], figures["cascades"][figures["chosen"]]
    name = "banking77"
    rows: list[Row] = [
        (
            name,
            "accuracy of the fp32 model",
            "≥ 93 %",
            _interval(full["accuracy"]),
            full["accuracy"]["mean"] >= 0.93,
        ),
        (
            name,
            f"the smallest that keeps ≥ 99.1 % on validation (`{figures['chosen']}`): how much smaller",
            "≥ 85 %",
            f"{chosen['smaller']:.1%} ({chosen['bytes'] / 1e6:.1f} MB); on test it keeps {_interval(kept)}",
            chosen["smaller"] >= 0.85 and kept["mean"] >= 0.991,
        ),
        (
            name,
            "its CPU time a text, true length, one thread",
            "≤ 5 ms, ≤ fp32's",
            f"{chosen['cpu_ms']['mean']:.2f} ms; fp32 {full['cpu_ms']['mean']:.2f} ms",
            chosen["cpu_ms"]["mean"] <= min(5.0, full["cpu_ms"]["mean"]),
        ),
        (
            name,
            "share kept by it at a loss of ≤ .9 %",
            "≥ 94.9 %",
            _kept(cascade),
            cascade["kept"]["mean"] >= 0.949 and cascade["loss"]["mean"] <= 0.009,
        ),
    ]
    for student in figures["student"]:
        its, small = figures["cascades"][student], figures["bundles"][student]
        rows.append(
            (
                name,
                f"the student `{student}`, {small['smaller']:.1%} smaller: share kept at a loss of ≤ .9 %",
                "≥ 94.9 %, ≥ 95 % smaller",
                _kept(its),
                its["kept"]["mean"] >= 0.949 and its["loss"]["mean"] <= 0.009,
            )
        )
    if not figures["student"]:
        rows.append((name, "a student that is ≥ 95 % smaller", "94.9 % kept", "none was made", False))
    return rows


def _clinc_rows(found: dict[str, Any]) -> list[Row]:
    if "clinc150" not in found:
        return [("clinc150", "all rows", "", "not measured", False)]
    rows: list[Row] = []
    for name, small in found["clinc150"]["bundles"].items():
        best = small["scope"][_chosen(small["scope"])]
        rows.append(
            (
                "clinc150",
                f"`{name}`: out-of-scope texts escalated at {best['kept']:.1%} of the others kept",
                "≥ 85 % at 90 %",
                f"{_interval(best['escalated'])}; at exactly 90 % {best['exact']:.1%}",
                best["exact"] >= 0.85,
            )
        )
        rows.append(
            (
                "clinc150",
                f"`{name}`: in-scope accuracy",
                "≥ 95 %",
                _interval(small["accuracy"]),
                small["accuracy"]["mean"] >= 0.95,
            )
        )
    return rows


def _other_rows(found: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    for data in ("banking77", "clinc150"):
        for name, split in found.get(data, {}).get("splits", {}).items():
            worst = max(split["broken_on_the_rest"], split["broken_in_a_known_population"])
            rows.append(
                (
                    data,
                    f"`{name}`: 200 calibration splits, a loss of ≤ 1 % promised at 95 %: broken",
                    "≤ 15",
                    f"{split['broken_on_the_rest']} on the rest, {split['broken_on_the_whole']} on the "
                    f"whole, {split['broken_in_a_known_population']} in a known population",
                    worst <= 15,
                )
            )
    if "serving" in found:
        served = found["serving"]
        rows += [
            (
                "banking77",
                "cost saved against cloud-only, $0.001 and $0.0136, from the log",
                "the arithmetic maximum",
                f"{served['saved']:.1%}; the most at this share is {served['most_saved_at_this_share']:.1%}, "
                f"with everything on the edge {served['most_saved']:.1%}",
                abs(served["saved"] - served["most_saved_at_this_share"]) < 0.001,
            ),
            (
                "banking77",
                "1,000 texts through `/v1/classify`, one core",
                "≥ 300 a second",
                f"{served['texts_per_cpu_second']:.0f} a CPU second, "
                f"{served['texts_per_second']:.0f} by the clock",
                served["texts_per_cpu_second"] >= 300,
            ),
        ]
    return rows


def _bundles(figures: dict[str, Any]) -> str:
    rows = [
        "## banking77: the bundles",
        "",
        f"{figures['split']['train']:,} texts to train, {figures['split']['validation']:,} to choose by, "
        f"{figures['bundles']['fp32']['accuracy']['texts']:,} to test.",
        "",
        "| bundle | MB | smaller | validation | test accuracy | agrees | CPU-ms mean | p50 | p95 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in sorted(figures["bundles"].items(), key=lambda item: -item[1]["bytes"]):
        times = " | ".join(f"{one['cpu_ms'][key]:.2f}" for key in ("mean", "p50", "p95"))
        rows.append(
            f"| `{name}` | {one['bytes'] / 1e6:.1f} | {one['smaller']:.1%} | {one['validation']:.1%} | "
            f"{_interval(one['accuracy'])} | {one['agreement']:.1%} | {times} |"
        )
    return "\n".join([*rows, ""])


def _curves(figures: dict[str, Any]) -> str:
    rows = [
        "## banking77: the deferral curves",
        "",
        "The cloud is the fp32 model. The riskiest share of the test part goes to it; beside it, the same",
        "share by lot.",
        "",
    ]
    for name, one in figures["cascades"].items():
        shares = [f"{point['share']:.1%}" for point in one["curve"]]
        rows += [
            f"| `{name}`, to the cloud | {' | '.join(shares)} |",
            "|---|" + "---|" * len(shares),
            "| accuracy | " + " | ".join(f"{point['accuracy']:.2%}" for point in one["curve"]) + " |",
            "| loss | " + " | ".join(f"{point['loss']:.2%}" for point in one["curve"]) + " |",
            "| accuracy by lot | " + " | ".join(f"{value:.2%}" for value in one["chance"]) + " |",
            "",
            f"The threshold that loses .9 % on the validation part keeps {_kept(one)}. With one chosen",
            f"on the test part itself, which flatters, {one['most_kept']:.1%} would stay.",
            "",
        ]
    return "\n".join(rows)


def _scope(figures: dict[str, Any]) -> str:
    rows = [
        "## clinc150: out of scope",
        "",
        "The threshold keeps 90 % of the 3,000 validation texts; the measure is chosen by 100 out-of-scope",
        "texts of the validation part, and tested on 1,000 others.",
        "",
        "| bundle | measure | separation, validation | test | in-scope kept | escalated |",
        "|---|---|---|---|---|---|",
    ]
    for name, small in figures["bundles"].items():
        for kind, one in small["scope"].items():
            mark = " (chosen)" if kind == _chosen(small["scope"]) else ""
            rows.append(
                f"| `{name}` | {kind}{mark} | {one['separation_validation']:.3f} | {one['separation']:.3f} | "
                f"{one['kept']:.1%} | {_interval(one['escalated'])} |"
            )
    return "\n".join([*rows, ""])


def _splits(found: dict[str, Any]) -> str:
    rows = [
        "## Promises, 200 times",
        "",
        "Weights and thresholds to try come from the validation part. Each time a random half of the test",
        "part calibrates. What the other half loses is measured with an error of its own, and a lucky half",
        "leaves an unlucky rest: the rest is the hardest judge. In the last column halves are drawn with",
        "replacement from the test part, whose loss at every threshold is then the known truth; 5 % of 200",
        "may be broken there.",
        "",
        "| data | edge | kept, mean | nothing proven | broken on the rest | on the whole | known truth |",
        "|---|---|---|---|---|---|---|",
    ]
    for data in ("banking77", "clinc150"):
        for name, one in found.get(data, {}).get("splits", {}).items():
            rows.append(
                f"| {data} | `{name}` | {one['kept']:.1%} | {one['unproven']} | "
                f"{one['broken_on_the_rest']} | {one['broken_on_the_whole']} | "
                f"{one['broken_in_a_known_population']} |"
            )
    rows += ["", "Made-up populations with known truth are tests: `tests/learning/test_cascade_laws.py`.", ""]
    return "\n".join(rows)


def _chosen(scopes: dict[str, Any]) -> str:
    return max(scopes, key=lambda kind: scopes[kind]["separation_validation"])


def _kept(one: dict[str, Any]) -> str:
    return f"{_interval(one['kept'])} at a loss of {_interval(one['loss'], 2)}"


def _interval(one: dict[str, Any], digits: int = 1) -> str:
    return f"{one['mean']:.{digits}%} ({one['low']:.{digits}%} to {one['high']:.{digits}%})"

"""`edgewise route --bundle`: many prompts at once, straight from a bundle, without a configuration."""

# numpy and safetensors leave some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.features.described import describer
from edgewise.learning.train.answers import describe_answers
from edgewise.policies.bundles import Bundle
from edgewise.policies.bundles.learned import forecast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from edgewise.policies.learners.answers import Answered

BATCH = 512


def routed(
    folder: Path, prompts: Sequence[str], responses: Sequence[Mapping[str, str] | None]
) -> Iterator[dict[str, Any]]:
    """One line a prompt, in order: the candidate of highest utility, and what is expected of each."""
    from time import perf_counter  # noqa: PLC0415 - a command's clock, not a policy's

    bundle = Bundle.load(folder)
    describe = describer(bundle.manifest.features)
    location = {c.id: c.location for c in bundle.manifest.candidates}
    for start in range(0, len(prompts), BATCH):
        began = perf_counter()
        batch = prompts[start : start + BATCH]
        described = describe(batch)
        predicted = bundle.forecast(described, _answered(bundle, batch, responses[start : start + BATCH]))
        choice = predicted.choice
        micros = (perf_counter() - began) * 1e6 / len(batch)
        for row, prompt in enumerate(batch):
            chosen = bundle.candidates[choice[row]]
            yield {
                "prompt": prompt,
                "candidate": chosen,
                "location": location[chosen],
                "odds": {name: float(name == chosen) for name in bundle.candidates},
                "forecasts": {
                    name: forecast(predicted, column, row=row)
                    for column, name in enumerate(bundle.candidates)
                },
                "objections": [],
                "policy": f"bundle:{bundle.manifest.version}",
                "reason": "best_utility",
                "far_from_training": bool(predicted.far[row]),
                "micros": round(micros, 1),
            }


def _answered(
    bundle: Bundle, prompts: Sequence[str], responses: Sequence[Mapping[str, str] | None]
) -> dict[str, tuple[Any, Answered]]:
    """The answers that came with the prompts, for the candidates whose answers the bundle can read."""
    found: dict[str, tuple[Any, Answered]] = {}
    for candidate in bundle.answers:
        rows = [i for i, said in enumerate(responses) if said and said.get(candidate)]
        if rows:
            texts = [(responses[i] or {})[candidate] for i in rows]
            asked = [prompts[i] for i in rows]
            found[candidate] = (np.array(rows), describe_answers(asked, texts, bundle.manifest.features))
    return found

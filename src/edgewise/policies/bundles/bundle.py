"""What was learned, in memory: heads that forecast, and the objective that their forecasts serve."""

# numpy and safetensors leave some types open:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from edgewise.domain.errors import BundleError
from edgewise.policies.bundles.manifest import read_manifest
from edgewise.policies.learners.answers import AnswerRule
from edgewise.policies.learners.extend import amounts_from
from edgewise.policies.learners.registry import fitted_from
from edgewise.policies.learners.ridge import RidgeRule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edgewise.features.static.vectors import Described
    from edgewise.policies.bundles.manifest import Manifest
    from edgewise.policies.learners.answers import Answered
    from edgewise.policies.learners.extend import ExtendedAmounts
    from edgewise.policies.learners.positive import PositiveRule
    from edgewise.policies.learners.protocol import Fitted
    from edgewise.policies.objectives import Objective

    Floats = NDArray[np.float32]

VALUE = "value"  # the head that chooses: the objective's own utility, learned directly
POSITIVE = ("latency_s", "output_tokens", "cost_usd", "energy_j")
DEFAULT_CRITICALITY = 5.0


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the truth lay from such forecasts on held-out prompts: `half` (b, c), `edges` (b-1, c)."""

    edges: Floats
    half: Floats

    def around(self, forecast: Floats) -> Floats:
        """Half the width of each forecast's interval, (n, c)."""
        out = np.empty_like(forecast)
        for column in range(forecast.shape[1]):
            out[:, column] = self.half[np.searchsorted(self.edges[:, column], forecast[:, column]), column]
        return out


@dataclass(frozen=True, slots=True)
class Predicted:
    """Forecasts for n prompts and c candidates, (n, c) each; None where nothing was learned.

    `value` is the objective's utility as it decides; `low` and `high` bound it. `ranges` holds (low, high) of
    the other metrics. `far` (n,) marks prompts unlike anything seen, whose forecasts are the prior.
    """

    value: Floats
    low: Floats
    high: Floats
    far: NDArray[np.bool_]
    metrics: Mapping[str, Floats] = field(default_factory=dict[str, Any])
    ranges: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict[str, Any])

    @property
    def choice(self) -> NDArray[np.intp]:
        """(n,) the candidate of highest utility; the earlier one at a tie."""
        return np.asarray(self.value.argmax(axis=1))


def _none() -> Floats:
    return np.zeros(0, np.float32)


def _no_sketches() -> NDArray[np.uint8]:
    return np.zeros((0, 0), np.uint8)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trained policy. `keys` are hashes of its training prompts, sorted; `offsets` (c,) move the choice.

    `margin` (c,) is the head start of the best single candidate, as long as no answer was read. `gains` are
    quantiles, evenly spaced, of how much more the cloud promised than the edge on held-out prompts, before
    any offset; empty where there is no edge or no cloud. `sketches` (n, w) tell which prompts nearly equal a
    training prompt; empty where the bundle carries none.
    """

    manifest: Manifest
    heads: Mapping[str, Fitted]
    positive: Mapping[str, PositiveRule | ExtendedAmounts]
    criticality: RidgeRule | None
    answers: Mapping[str, AnswerRule]
    spread: Mapping[str, Spread]
    offsets: Floats
    margin: Floats
    keys: NDArray[np.uint64]
    gains: Floats = field(default_factory=_none)
    sketches: NDArray[np.uint8] = field(default_factory=_no_sketches)

    @property
    def candidates(self) -> tuple[str, ...]:
        """The candidates' ids, in the order of every column."""
        return tuple(candidate.id for candidate in self.manifest.candidates)

    @property
    def learned(self) -> frozenset[str]:
        """The metrics that it forecasts."""
        priced = all(candidate.usd is not None for candidate in self.manifest.candidates)
        found = {*self.heads, *self.positive, *(("cost_usd",) if priced else ())}
        return frozenset(found - {VALUE})

    @property
    def objective(self) -> Objective:
        """What it was trained for."""
        return self.manifest.objective

    @property
    def reads_quality(self) -> bool:
        """Whether it can say how good an answer is that it reads, and not only what that is worth."""
        shared = self.heads.get("quality") is self.heads[VALUE]
        weighed = self.objective.name == "quality-at-cost" and "quality" in self.heads
        return bool(self.answers) and (shared or weighed)

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Read a bundle, or raise `BundleError`; nothing that does not match its hash is used."""
        manifest = read_manifest(folder)
        try:
            parts = {name: load_file(folder / name) for name in manifest.files}
            return assembled(manifest, parts)
        except (SafetensorError, KeyError, ValueError, IndexError) as error:
            raise BundleError(f"{folder} is damaged: {error}.") from error

    def forecast(
        self, described: Described, answered: Mapping[str, tuple[Any, Answered]] | None = None
    ) -> Predicted:
        """Forecasts of each prompt. `answered`: candidate → (row numbers, its answers), where known."""
        value, far = _look(self.heads[VALUE], described)
        plain, shift = value, self.offsets + self.margin
        value = np.asarray(plain + shift, np.float32)
        low, high = (np.asarray(bound + shift, np.float32) for bound in self._interval(VALUE, plain))
        metrics: dict[str, Floats] = {}
        ranges: dict[str, tuple[Floats, Floats]] = {}
        for name, head in self.heads.items():
            if name != VALUE:
                found = plain.copy() if head is self.heads[VALUE] else _look(head, described)[0]
                metrics[name] = found.clip(0.0, 1.0) if name == "quality" else found
                ranges[name] = self._interval(name, metrics[name])
        for name, rule in self.positive.items():
            quantiles = rule.predict(described)
            if name == "cost_usd":  # what is free has no logarithm to learn
                quantiles[:, :, [c.usd == 0.0 for c in self.manifest.candidates]] = 0.0
            metrics[name], ranges[name] = quantiles[:, 0], (quantiles[:, 1], quantiles[:, 3])
        self._add_costs(metrics)
        for candidate, (rows, found_answers) in (answered or {}).items():
            before = value[rows]
            self._read_answers(candidate, rows, found_answers, value, metrics)
            for bound in (low, high):  # what was read moves the middle; it does not say how sure to be
                bound[rows] += value[rows] - before
            if "quality" in metrics:
                ranges["quality"] = _around(metrics["quality"], *ranges["quality"])
        return Predicted(value, low, high, far, metrics, ranges)

    def criticality_of(self, described: Described) -> tuple[Any, Any]:
        """Mission and time criticality of each prompt, (n, 1) from 0 to 10; without a head the middle."""
        if self.criticality is None:
            return DEFAULT_CRITICALITY, DEFAULT_CRITICALITY
        said = self.criticality.predict(described).clip(0.0, 10.0)
        return said[:, :1], said[:, 1:]

    def _interval(self, name: str, forecast: Floats) -> tuple[Floats, Floats]:
        spread = self.spread.get(name)
        if spread is None:
            return forecast, forecast
        half = spread.around(forecast)
        low, high = forecast - half, forecast + half
        return (low.clip(0.0, 1.0), high.clip(0.0, 1.0)) if name == "quality" else (low, high)

    def _add_costs(self, metrics: dict[str, Floats]) -> None:
        """Where no cost head was learned, the mean price of each candidate stands in."""
        usd = [candidate.usd for candidate in self.manifest.candidates]
        if "cost_usd" not in metrics and all(price is not None for price in usd):
            rows = len(next(iter(metrics.values()))) if metrics else 0
            if rows:
                metrics["cost_usd"] = np.tile(np.array(usd, np.float32), (rows, 1))

    def _read_answers(
        self, candidate: str, rows: Any, answered: Answered, value: Floats, metrics: dict[str, Floats]
    ) -> None:
        """Let an answer speak for itself: its own worth, and what each other candidate would gain over it."""
        rule = self.answers.get(candidate)
        if rule is None or not len(rows):
            return
        own = self.candidates.index(candidate)
        said = rule.predict(answered)
        base = said[:, :1]
        gains = np.insert(said[:, 1:], own, 0.0, axis=1)
        # Whoever was added later keeps the forecast: no answer speaks of it.
        known = gains.shape[1]
        change = base[:, 0] - (value[rows, own] - self.offsets[own] - self.margin[own])
        value[rows, :known] = base + gains + self.offsets[:known]
        value[rows, known:] -= self.margin[known:]
        if "quality" in metrics and self.heads.get("quality") is self.heads[VALUE]:
            metrics["quality"][rows, :known] = (base + gains).clip(0.0, 1.0)
        elif (
            "quality" in metrics and self.reads_quality
        ):  # its price is known: what changed is how good it is
            metrics["quality"][rows, own] = (metrics["quality"][rows, own] + change).clip(0.0, 1.0)


def _around(middle: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """The interval, stretched to hold a middle that has moved."""
    return np.minimum(low, middle), np.maximum(high, middle)


def _look(head: Fitted, described: Described) -> tuple[Floats, NDArray[np.bool_]]:
    """A head's forecasts, and which prompts it takes for unlike anything seen (none, if it can't tell)."""
    look = getattr(head, "look", None)
    if look is None:
        return head.predict(described), np.zeros(len(described), np.bool_)
    found: tuple[Floats, NDArray[np.bool_]] = look(described)
    return found


def assembled(manifest: Manifest, parts: Mapping[str, Mapping[str, Any]]) -> Bundle:
    """A bundle of its manifest and its files' arrays."""
    heads: dict[str, Any] = {}
    positive: dict[str, PositiveRule | ExtendedAmounts] = {}
    answers: dict[str, AnswerRule] = {}
    loaded: dict[str, Any] = {}
    criticality: RidgeRule | None = None
    for name, head in manifest.heads.items():
        arrays = parts[head.file]
        if name in POSITIVE:
            positive[name] = amounts_from(arrays)
        elif name == "criticality":
            criticality = RidgeRule.from_arrays(arrays)
        elif name.startswith("answer:"):
            answers[name.removeprefix("answer:")] = AnswerRule.from_arrays(arrays)
        else:  # two heads may share a file: quality and the value that is nothing but quality
            heads[name] = loaded.setdefault(head.file, fitted_from(head.learner, arrays))
    rest = parts["rest.safetensors"]
    spread = {
        name: Spread(rest[f"spread/{name}/edges"], rest[f"spread/{name}/half"])
        for name in heads
        if f"spread/{name}/edges" in rest
    }
    own = (rest["offsets"], rest["margin"], rest["keys"], rest.get("gains", _none()))
    sketches = rest.get("sketches", _no_sketches())
    return Bundle(manifest, heads, positive, criticality, answers, spread, *own, sketches)

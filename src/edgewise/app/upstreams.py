"""Who is asked for each candidate, and what stands before it: a guard, a veil, a line, a watch."""

from __future__ import annotations

from functools import partial
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from edgewise import assets
from edgewise.domain.errors import EdgewiseError
from edgewise.settings import describe
from edgewise.upstreams.embedded import EmbeddedRuntime
from edgewise.upstreams.guarded import Guarded
from edgewise.upstreams.limited import Limited
from edgewise.upstreams.line import Bounds, Line
from edgewise.upstreams.ollama import Ollama
from edgewise.upstreams.openai import OpenAICompatible
from edgewise.upstreams.redacting import Redacting
from edgewise.upstreams.scripted import Scripted
from edgewise.upstreams.simulated import SimulatedNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgewise.domain.protocols import Upstream
    from edgewise.domain.requests import Request
    from edgewise.features.detectors import Detection
    from edgewise.monitors import World
    from edgewise.settings import CandidateSettings, NetworkSettings, Settings
    from edgewise.settings.schema import HelpedSettings, ScriptSettings


SHIPPED = "shipped"  # in place of a prompts file: the prompts that come with Edgewise


class _Bounds(TypedDict):
    timeout_s: float
    most_bytes: int
    connect_s: float


class Upstreams:
    """Makes the upstreams of all candidates, `by_id`, and the embedded runtimes that they stand on.

    `keys` are API keys by candidate that stand in no environment. `aclose` ends all of them.
    """

    def __init__(
        self,
        world: World,
        detection: Detection,
        keys: Mapping[str, str],
        settings: Settings,
    ) -> None:
        self._world, self._detection, self._keys = world, detection, keys
        self._limits, self._connect_s = settings.limits, settings.execution.connect_s
        self.runtimes: dict[str, EmbeddedRuntime] = {}
        self.by_id: dict[str, Upstream] = {c.id: self._upstream(c) for c in settings.candidates}

    def missing(self) -> str | None:
        """What an embedded model still lacks, in a sentence; None where all are there."""
        return next((lack for model in self.runtimes if (lack := assets.status(model).problem)), None)

    async def warm(self) -> None:
        """Load the embedded models."""
        for runtime in self.runtimes.values():
            try:
                await runtime.url()
            except EdgewiseError:  # the first request that needs it says what is wrong
                continue

    async def aclose(self) -> None:
        """Hang up everywhere, and end the embedded models."""
        for upstream in self.by_id.values():
            await upstream.aclose()
        for runtime in self.runtimes.values():
            await runtime.aclose()

    def _upstream(self, candidate: CandidateSettings) -> Upstream:
        """Whom to ask for this candidate, with everything that stands before it."""
        line = self._line(candidate)
        plain = self._plain_upstream(candidate)
        if candidate.helped is not None:
            plain = _helped(plain, candidate.helped)
        upstream = self._watched(candidate, plain, line)
        if candidate.network is not None:
            upstream = _behind(upstream, candidate.network)
        upstream = Limited(upstream, line)
        place = describe(candidate)
        if place.trust == "device":
            return upstream
        return Redacting(Guarded(upstream, place), self._detection)

    def _plain_upstream(self, candidate: CandidateSettings) -> Upstream:
        model = candidate.model or candidate.embedded or candidate.id
        bounds: _Bounds = {
            "timeout_s": candidate.timeout_s,
            "most_bytes": candidate.max_answer_bytes,
            "connect_s": self._connect_s,
        }
        if candidate.script is not None:
            replies = _replies(candidate.script)
            return Scripted(replies, model=model, tokens_per_s=candidate.script.tokens_per_s)
        if candidate.embedded is not None:
            runtime = self._runtime(candidate.embedded)
            return OpenAICompatible(candidate.id, model, runtime.url, **bounds)
        if candidate.api == "ollama":
            return Ollama(candidate.id, model, candidate.url or "", **bounds)
        key = self._keys.get(candidate.id)
        if key is None and candidate.api_key_env:
            key = environ.get(candidate.api_key_env)
        url = (candidate.url or "").rstrip("/")
        return OpenAICompatible(candidate.id, model, url, api_key=key, **bounds)

    def _line(self, candidate: CandidateSettings) -> Line:
        """Where requests wait for this candidate; one whose slots are known takes as many calls."""
        limits, slots = self._limits, candidate.slots
        if slots is None and candidate.embedded is not None:
            slots = self._runtime(candidate.embedded).slots
        bounds = Bounds(
            limits.in_flight if slots is None else slots,
            limits.most_in_flight,
            limits.adaptive and slots is None,
            limits.waiting,
            limits.max_wait_s,
        )
        return Line(candidate.id, bounds, tell=partial(self._world.full, candidate.id))

    def _watched(self, candidate: CandidateSettings, upstream: Upstream, line: Line) -> Upstream:
        """The same upstream, its calls learned from, and its queue and its model looked after."""
        slots, loaded = None, getattr(upstream, "loaded", None)
        if candidate.embedded is not None:
            runtime = self._runtime(candidate.embedded)
            slots, loaded = runtime.slots, runtime.loaded
        return self._world.watched(candidate.id, upstream, slots=slots, loaded=loaded, wait=line.wait_s)

    def _runtime(self, model: str) -> EmbeddedRuntime:
        """One runtime a model, however many candidates stand on it."""
        if model not in self.runtimes:
            runtime = EmbeddedRuntime.of(model)
            self.runtimes[model] = runtime
        return self.runtimes[model]


def _helped(upstream: Upstream, helped: HelpedSettings) -> Upstream:
    from edgewise.learning.graders.voting import ballot, examples_for  # noqa: PLC0415 - few need it
    from edgewise.upstreams.helped import Helped  # noqa: PLC0415 - the same

    return Helped(upstream, ballot, examples_for if helped.examples else None, helped.votes)


def _replies(script: ScriptSettings) -> Callable[[Request], str] | tuple[str, ...]:
    """What a fake answers: fixed texts, or what the checks of a prompts file know to be right."""
    if script.answers is None:
        return script.replies
    from edgewise.learning.graders import shipped  # noqa: PLC0415 - few need it
    from edgewise.learning.graders.oracle import Oracle  # noqa: PLC0415 - the same
    from edgewise.learning.prompts import read_prompts  # noqa: PLC0415 - the same

    return Oracle(shipped() if script.answers == SHIPPED else read_prompts(Path(script.answers)))


def _behind(upstream: Upstream, network: NetworkSettings) -> Upstream:
    return SimulatedNetwork(
        upstream,
        delay_s=network.delay_ms / 1000,
        jitter_s=network.jitter_ms / 1000,
        loss=network.loss,
        quality=network.quality,
        seed=network.seed,
    )

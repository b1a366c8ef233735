"""A configured Edgewise, open or closed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from msgspec.structs import replace as replaced

from edgewise import assets
from edgewise.app.cascades import promises
from edgewise.app.deciding import (
    configured,
    exploring,
    featurizer_for,
    policies_for,
    router_for,
    screens_for,
    watchers_for,
)
from edgewise.app.energy import shares_for
from edgewise.app.judging import judge_for
from edgewise.app.upstreams import Upstreams
from edgewise.domain.errors import SettingsError, StoreError
from edgewise.domain.places import home
from edgewise.execution import Circuits, Executor, Shadows
from edgewise.features.detectors import detection_for
from edgewise.features.serving import EndpointFeatures
from edgewise.learning.cascade.watching import Vigil
from edgewise.learning.steer import RECALLED, Steering, as_configured
from edgewise.monitors import World
from edgewise.outcomes import Gate, LogReader, Observed, SqliteLog, Texts
from edgewise.sessions import FILE, SessionScreen, SessionStore
from edgewise.settings import describe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Feedback, Record
    from edgewise.domain.protocols import Featurizer, Monitor, OutcomeLog, Policy
    from edgewise.monitors import Watch
    from edgewise.settings import Settings
    from edgewise.settings.schema import ObjectiveSettings
    from edgewise.upstreams.embedded import EmbeddedRuntime


class App:
    """A configured Edgewise: `async with App(settings) as app: await app.router.route(request)`.

    Opening it opens the log and begins to read the monitors; closing it ends what was begun. `observer` sees
    every record as it is written. `keys` are API keys by candidate that stand in no environment; `monitors`
    are read beside the configured ones.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        observer: Callable[[Record], None] | None = None,
        keys: Mapping[str, str] | None = None,
        monitors: Sequence[Monitor | Watch] = (),
    ) -> None:
        if not settings.candidates:
            raise SettingsError("No candidate is configured; add [[candidates]] to edgewise.toml.")
        self.settings = settings
        self.candidates: tuple[Candidate, ...] = tuple(describe(c) for c in settings.candidates)
        self._observer, self._keys, self._monitors = observer, dict(keys or {}), tuple(monitors)
        self._closing = AsyncExitStack()
        self._warming: asyncio.Task[None] | None = None

    @property
    def runtimes(self) -> Mapping[str, EmbeddedRuntime]:
        """The embedded models that run in processes of ours, by name."""
        return self.upstreams.runtimes

    @property
    def log_path(self) -> Path:
        """Where the outcome log lies."""
        return home() / self.settings.store.path

    @cached_property
    def reader(self) -> LogReader:
        """Read-only access to the log."""
        return LogReader(self.log_path)

    async def __aenter__(self) -> Self:
        """Open the log and put the router together."""
        store = self.settings.store
        self.world = World(self.settings, self.candidates, self._monitors)
        self._closing.push_async_callback(self.world.aclose)
        self.sessions = SessionScreen(SessionStore(home() / FILE), trim=self.settings.session.trim)
        self._closing.push_async_callback(self.sessions.aclose)
        log = self._store = SqliteLog(self.log_path, retention=store, on_failure=store.on_failure)
        await self._closing.enter_async_context(log)
        self.steering = Steering(self._lead)
        self.vigil = Vigil(promises(self.settings.candidates))
        self.log: OutcomeLog = log
        for observer in (
            self.sessions.observe,
            self.world.observe,
            self.steering,
            self.vigil,
            self._observer,
        ):
            if observer is not None:
                self.log = Observed(self.log, observer)
        detection = detection_for(self.settings.privacy)
        self.upstreams = Upstreams(self.world, detection, self._keys, self.settings)
        self._closing.push_async_callback(self.upstreams.aclose)
        self.judge = judge_for(self.settings, self.candidates, self.upstreams.by_id, self._noted)
        if self.judge is not None:
            self.log = Observed(self.log, self.judge.observe)
            self._closing.callback(asyncio.create_task(self.judge.run()).cancel)
        board = self.world.board
        executor = Executor(
            self.upstreams.by_id,
            self.log,
            keep_text=store.prompts == "full",
            candidates={c.id: c for c in self.candidates},
            limits=self.settings.execution,
            shares=shares_for(self.settings, self.upstreams.runtimes),
            circuits=Circuits(tell=lambda readings, ttl_s: board.put(readings, ttl_s=ttl_s)),
        )
        self.watchers = watchers_for(self.settings, self._adopt)
        shadows = Shadows(executor)
        self._closing.push_async_callback(shadows.aclose)
        texts = Texts(store.prompts, salt=log.salt)
        router = router_for(self.settings, executor, texts, self.watchers, shadows)
        # What is found counts for the session too, so that its screen comes last.
        gates = (Gate(log),) if store.on_failure == "refuse" else ()
        screens = (*gates, *screens_for(detection), self.sessions)
        self.router = replace(router, screens=screens, signals=self.world.signals)
        self.world.open(self.reader)
        self._close_at_the_end(self.router.featurizer)
        await self._steer()
        for watcher in self.watchers.values():
            self._closing.callback(asyncio.create_task(watcher.follow()).cancel)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End what was started, in reverse."""
        if self._warming is not None:
            self._warming.cancel()
        await self._closing.aclose()

    def warm(self) -> None:
        """Begin to load the embedded models, so that the first prompt need not wait for them."""
        self._warming = asyncio.create_task(self.upstreams.warm())

    def problem(self) -> str | None:
        """Why requests cannot be answered yet, or None."""
        if self._warming is not None and not self._warming.done():
            return "The embedded model is loading."
        if self.settings.store.on_failure == "refuse" and self._store.problem is not None:
            return self._store.problem
        return self.upstreams.missing()

    def warnings(self) -> list[str]:
        """What is not as it should be, though requests can be answered; one sentence each."""
        served = [
            f"What was deployed cannot be served as policy '{name}', which stays as it was: {watcher.problem}"
            for name, watcher in self.watchers.items()
            if watcher.problem is not None
        ]
        judging = [self.judge.problem] if self.judge is not None and self.judge.problem is not None else []
        return served + judging + self.vigil.warnings() + self._store.warnings()

    def promises(self) -> dict[str, str]:
        """What is known of each promise that was made of a classifier, in a sentence, by candidate."""
        return {name: seen.sentence for name, seen in self.vigil.states.items()}

    def _noted(self, said: Feedback) -> Awaitable[None]:
        """What a judge says goes where all records go."""
        return self.log.append(said)

    def _lead(self, name: str, policy: Policy) -> None:
        """Put a policy with new thresholds in charge; it reads the same features as before."""
        self.router.adopt(name, policy)

    async def aim(self, objective: ObjectiveSettings) -> None:
        """Go by another objective from the next request on; requests under way end as they began.

        Raises BundleError where a bundle forecasts too little for it; the one before then stays.
        """
        settings = replaced(self.settings, objective=objective)
        policies = await asyncio.to_thread(policies_for, settings, self.watchers)
        self.settings = settings
        for name, policy in policies.items():
            self.router.adopt(name, self.steering.take(name, policy))

    async def _steer(self) -> None:
        """Keep each policy to its share or its budget, from where the log says that the stream is."""
        for name, policy in self.router.policies.items():
            self.steering.take(name, policy)
        if self.steering.steers or self.vigil.states:
            with suppress(StoreError):  # it cannot be read yet: the shares are kept from here on
                stories = await asyncio.to_thread(self.reader.latest, RECALLED)
                self.steering.recall(reversed(stories))
                self.vigil.recall(reversed(stories))

    def _adopt(self, name: str, policy: Policy) -> None:
        """Let what was deployed decide from the next request on."""
        policy = as_configured(policy, self.settings.objective)
        margin = self.settings.session.switch_margin
        policy = self.steering.take(name, exploring(policy, configured(self.settings)[name], margin))
        describing = featurizer_for({**self.router.policies, name: policy}, self.settings)
        self._close_at_the_end(describing)
        self.router.adopt(name, policy, describing)

    def _close_at_the_end(self, describing: Featurizer) -> None:
        """An endpoint's connections are the only thing that a featurizer may hold open."""
        if isinstance(describing, EndpointFeatures):
            self._closing.push_async_callback(describing.aclose)

    def embed(self, texts: list[str]) -> tuple[Any, int]:
        """Sentence vectors (n, 384) of MiniLM, and the number of tokens read. Blocks: call it in a thread."""
        vectors, tokens = self._minilm.embed_counted(texts)
        return vectors, int(tokens)

    @cached_property
    def _minilm(self) -> Any:
        from edgewise.features.minilm import MiniLM  # noqa: PLC0415 - numpy and onnxruntime load on first use

        return MiniLM(assets.path_of("minilm", "model.onnx"), assets.path_of("minilm", "tokenizer.json"))

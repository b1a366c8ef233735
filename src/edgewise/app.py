"""The composition root: settings in, a ready router out."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import cached_property, partial
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from edgewise import assets
from edgewise.constraints import constraints_for
from edgewise.domain.errors import EdgewiseError, MissingExtra, SettingsError
from edgewise.domain.places import home
from edgewise.execution import Executor, Shadows
from edgewise.features.described import endpoint_in
from edgewise.features.detectors import detection_for
from edgewise.features.serving import EndpointFeatures, featurizer
from edgewise.learning.deploy import FOLDER, Deployed, Store, learned
from edgewise.learning.steer import RECALLED, Steering, as_configured
from edgewise.monitors import World
from edgewise.outcomes import LogReader, MemoryLog, Observed, SqliteLog, Texts
from edgewise.policies import Explore, make, settled
from edgewise.policies.affinity import Affinity
from edgewise.policies.lots import features_of
from edgewise.policies.otherwise import Otherwise
from edgewise.router import Router
from edgewise.sessions import FILE, SessionScreen, SessionStore
from edgewise.settings import describe
from edgewise.settings.schema import DEPLOYED
from edgewise.upstreams.embedded import EmbeddedRuntime
from edgewise.upstreams.guarded import Guarded
from edgewise.upstreams.ollama import Ollama
from edgewise.upstreams.openai import OpenAICompatible
from edgewise.upstreams.redacting import Redacting
from edgewise.upstreams.scripted import Scripted
from edgewise.upstreams.simulated import SimulatedNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edgewise.domain.candidates import Candidate
    from edgewise.domain.decisions import Record
    from edgewise.domain.protocols import Featurizer, Monitor, OutcomeLog, Policy, Screen, Upstream
    from edgewise.domain.requests import Features
    from edgewise.features.detectors import Detection
    from edgewise.monitors import Watch
    from edgewise.settings import CandidateSettings, NetworkSettings, PolicySettings, Settings

BUNDLE = "bundle"


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
        self.runtimes: dict[str, EmbeddedRuntime] = {}
        self._observer, self._keys, self._monitors = observer, dict(keys or {}), tuple(monitors)
        self._closing = AsyncExitStack()
        self._warming: asyncio.Task[None] | None = None

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
        log = SqliteLog(self.log_path, retention=store)
        await self._closing.enter_async_context(log)
        self.steering = Steering(self._lead)
        self.log: OutcomeLog = log
        for observer in (self.sessions.observe, self.world.observe, self.steering, self._observer):
            if observer is not None:
                self.log = Observed(self.log, observer)
        self._detection = detection_for(self.settings.privacy)
        upstreams = {c.id: self._upstream(c) for c in self.settings.candidates}
        for upstream in upstreams.values():
            self._closing.push_async_callback(upstream.aclose)
        executor = Executor(upstreams, self.log, keep_text=store.prompts == "full")
        self.watchers = _watchers(self.settings, self._adopt)
        shadows = Shadows(executor)
        self._closing.push_async_callback(shadows.aclose)
        texts = Texts(store.prompts, salt=log.salt)
        router = _router(self.settings, executor, texts, self.watchers, shadows)
        # What is found counts for the session too, so that its screen comes last.
        screens = (*_screens(self._detection), self.sessions)
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
        self._warming = asyncio.create_task(self._warm())

    def problem(self) -> str | None:
        """Why requests cannot be answered yet, or None."""
        if self._warming is not None and not self._warming.done():
            return "The embedded model is loading."
        for model in self.runtimes:
            missing = assets.status(model).problem
            if missing is not None:
                return missing
        return None

    def warnings(self) -> list[str]:
        """What is not as it should be, though requests can be answered; one sentence each."""
        return [
            f"What was deployed cannot be served as policy '{name}', which stays as it was: {watcher.problem}"
            for name, watcher in self.watchers.items()
            if watcher.problem is not None
        ]

    def _lead(self, name: str, policy: Policy) -> None:
        """Put a policy with new thresholds in charge; it reads the same features as before."""
        self.router.adopt(name, policy)

    async def _steer(self) -> None:
        """Keep each policy to its share or its budget, from where the log says that the stream is."""
        for name, policy in self.router.policies.items():
            self.steering.take(name, policy)
        if self.steering.steers:
            stories = await asyncio.to_thread(self.reader.latest, RECALLED)
            self.steering.recall(reversed(stories))

    def _adopt(self, name: str, policy: Policy) -> None:
        """Let what was deployed decide from the next request on."""
        policy = as_configured(policy, self.settings.objective)
        margin = self.settings.session.switch_margin
        policy = self.steering.take(name, _exploring(policy, _configured(self.settings)[name], margin))
        describing = _featurizer({**self.router.policies, name: policy}, self.settings)
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

    async def _warm(self) -> None:
        for runtime in self.runtimes.values():
            try:
                await runtime.url()
            except EdgewiseError:  # the first request that needs it says what is wrong
                continue

    def _upstream(self, candidate: CandidateSettings) -> Upstream:
        upstream = self._watched(candidate, self._plain_upstream(candidate))
        if candidate.network is not None:
            upstream = _behind(upstream, candidate.network)
        place = describe(candidate)
        if place.trust == "device":
            return upstream
        return Redacting(Guarded(upstream, place), self._detection)

    def _plain_upstream(self, candidate: CandidateSettings) -> Upstream:
        model = candidate.model or candidate.embedded or candidate.id
        if candidate.script is not None:
            return Scripted(candidate.script.replies, model=model, tokens_per_s=candidate.script.tokens_per_s)
        if candidate.embedded is not None:
            runtime = self._runtime(candidate.embedded)
            return OpenAICompatible(candidate.id, model, runtime.url, timeout_s=candidate.timeout_s)
        if candidate.api == "ollama":
            return Ollama(candidate.id, model, candidate.url or "", timeout_s=candidate.timeout_s)
        key = self._keys.get(candidate.id)
        if key is None and candidate.api_key_env:
            key = environ.get(candidate.api_key_env)
        url = (candidate.url or "").rstrip("/")
        return OpenAICompatible(candidate.id, model, url, api_key=key, timeout_s=candidate.timeout_s)

    def _watched(self, candidate: CandidateSettings, upstream: Upstream) -> Upstream:
        """The same upstream, its calls learned from, and its queue and its model looked after."""
        slots, loaded = None, getattr(upstream, "loaded", None)
        if candidate.embedded is not None:
            runtime = self._runtime(candidate.embedded)
            slots, loaded = runtime.slots, runtime.loaded
        return self.world.watched(candidate.id, upstream, slots=slots, loaded=loaded)

    def _runtime(self, model: str) -> EmbeddedRuntime:
        """One runtime a model, however many candidates stand on it."""
        if model not in self.runtimes:
            runtime = EmbeddedRuntime.of(model)
            self.runtimes[model] = runtime
            self._closing.push_async_callback(runtime.aclose)
        return self.runtimes[model]


def _behind(upstream: Upstream, network: NetworkSettings) -> Upstream:
    return SimulatedNetwork(
        upstream,
        delay_s=network.delay_ms / 1000,
        jitter_s=network.jitter_ms / 1000,
        loss=network.loss,
        quality=network.quality,
        seed=network.seed,
    )


def decider(settings: Settings) -> Router:
    """A router that only decides: it has nobody to ask and keeps no log."""
    watchers = _watchers(settings, lambda name, policy: None)  # noqa: ARG005 - it ends before anything changes
    detection = detection_for(settings.privacy)
    router = _router(settings, Executor({}, MemoryLog()), Texts("none"), watchers)
    return replace(router, screens=_screens(detection))


def _screens(detection: Detection) -> tuple[Screen, ...]:
    return (detection,) if detection.is_on else ()


def _router(
    settings: Settings,
    executor: Executor,
    texts: Texts,
    watchers: Mapping[str, Deployed],
    shadows: Shadows | None = None,
) -> Router:
    policies = _policies(settings, watchers)
    return Router(
        candidates=tuple(describe(c) for c in settings.candidates),
        featurizer=_featurizer(policies, settings),
        constraints=constraints_for(settings),
        policies=policies,
        executor=executor,
        keep=texts,
        best_effort=settings.constraints.degrade == "best-effort",
        shadows=shadows,
        keep_vector=_keeping(settings),
    )


def _configured(settings: Settings) -> dict[str, PolicySettings]:
    return {**settings.policies, "auto": settings.policy}


def _watchers(settings: Settings, adopt: Callable[[str, Policy], None]) -> dict[str, Deployed]:
    """One for each policy that follows `edgewise deploy`; the rule of thumb decides until a bundle does."""
    store = Store(home() / FOLDER)
    return {
        name: Deployed(store, load=_loaded, otherwise=make("complexity"), adopt=partial(adopt, name))
        for name, policy in _configured(settings).items()
        if policy.kind == BUNDLE and policy.bundle == DEPLOYED
    }


def _policies(settings: Settings, watchers: Mapping[str, Deployed]) -> dict[str, Policy]:
    """The configured policy as "auto", and every other that `auto:NAME` may ask for."""
    margin = settings.session.switch_margin
    plain = {kind: Affinity(make(kind), margin) for kind in ("complexity", "random")}
    found = {
        name: _exploring(watchers[name].first() if name in watchers else _policy(policy), policy, margin)
        for name, policy in _configured(settings).items()
    }
    configured = {name: as_configured(policy, settings.objective) for name, policy in found.items()}
    return {**plain, **configured}


def _exploring(policy: Policy, settings: PolicySettings, switch_margin: float) -> Policy:
    """The policy as it serves: it stays with a session, and explores outside of one."""
    staying = Affinity(policy, switch_margin)
    return Explore(staying, settings.explore) if settings.explore > 0 else staying


def _policy(settings: PolicySettings) -> Policy:
    if settings.kind != BUNDLE:
        return make(settings.kind, options=settings.options, candidate=settings.candidate)
    return _learned(settings.bundle)


def _learned(path: str | None) -> Policy:
    """A bundle as a policy; numpy and what else it needs load only now."""
    if not path:
        raise SettingsError(
            '[policy] kind = "bundle" needs bundle = "PATH", the folder that `edgewise train` wrote.'
        )
    return _loaded(Path(path).expanduser())


def _loaded(folder: Path) -> Policy:
    """The policy in a bundle's folder; if its vectors come from an endpoint, with a rule to fall back on."""
    policy = learned(folder)
    version = features_of(policy)
    if version is None or endpoint_in(version) is None:
        return policy
    return Otherwise(policy, make("complexity"))


def _keeping(settings: Settings) -> Callable[[Features], bytes | None] | None:
    """How the log keeps what learned policies read, where `[store] vectors` asks for it."""
    if not settings.store.vectors:
        return None
    try:
        from edgewise.features.packed import kept  # noqa: PLC0415 - numpy is an extra
    except ImportError as error:
        raise MissingExtra("[store] vectors = true", "learn") from error
    return kept


def _featurizer(policies: Mapping[str, Policy], settings: Settings) -> Featurizer:
    """The text's statistics, and the vectors that a bundle among the policies was trained on."""
    found = (getattr(settled(policy), "features", None) for policy in policies.values())
    wanted = {version for version in found if isinstance(version, str)}
    if len(wanted) > 1:
        raise SettingsError(
            f"The bundles want different features ({', '.join(sorted(wanted))}); train them alike."
        )
    if not wanted and settings.store.vectors:  # for a bundle to come: replayed on what was asked before it
        from edgewise.features.packed import widest  # noqa: PLC0415 - numpy is an extra

        wanted.add(widest())
    return featurizer(wanted.pop() if wanted else None, settings.features)

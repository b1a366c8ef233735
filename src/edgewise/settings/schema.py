"""edgewise.toml as checked records. Every key has a default but a candidate's id and location.

Unknown keys are errors (`forbid_unknown_fields`); `edgewise.settings.load` says what does
not fit in one sentence. Units stand in the names: `_s` seconds, `_ms` milliseconds, `_usd` USD.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from edgewise.domain.candidates import CandidateKind, Location, Price, Trust
from edgewise.domain.energy import Joules
from edgewise.domain.requests import Action, Priority
from edgewise.settings.looping import JudgeSettings, ProfileSettings, PromptsSettings
from edgewise.settings.monitoring import AlertSettings, EnergySettings, MonitorSettings

UpstreamKind = Literal["openai", "embedded", "scripted"]
Texts = Literal["full", "hash", "none"]
OnFailure = Literal["serve", "refuse"]
Scope = Literal["inference", "read", "admin"]
DEPLOYED = "deployed"  # in place of a bundle's folder: whatever `edgewise deploy` put in charge


class ServerKey(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[server.keys]]`: a client's key, kept only as a hash (`edgewise keys new` makes one).

    `privacy` ("local", or "region:NAME") holds for every request that comes with it, `objective` (`NAME` or
    `NAME:NUMBER`) for those that name none of their own. No request goes before its key's `priority`. The
    other three say how much may be asked for, and spent in a calendar day of `[budget] time_zone`.
    """

    name: str
    hash: str
    scopes: tuple[Scope, ...] = ("inference", "read")
    privacy: str | None = None
    objective: str | None = None
    priority: Priority = "normal"
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    usd_per_day: float | None = None


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[server]`: where to listen and how much to take."""

    host: str = "127.0.0.1"
    port: int = 8787
    max_body_bytes: int = 20_000_000
    max_header_bytes: int = 32_768
    header_timeout_s: float = 10.0
    body_timeout_s: float = 60.0
    max_connections: int = 10_000
    drain_s: float = 10.0
    dashboard: bool = True
    keys: tuple[ServerKey, ...] = ()


class LimitsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[limits]`: how much is asked of a candidate at a time, and how much may wait for it.

    `in_flight` is where a candidate's limit begins; with `adaptive` it goes down while answers take longer
    than they should, and up to `most_in_flight` while they do not. `waiting` is how many may wait for each
    call that may be under way, and `max_wait_s` how long any of them does.
    """

    in_flight: int = 128
    most_in_flight: int = 1024
    adaptive: bool = True
    waiting: float = 1.0
    max_wait_s: float = 30.0


class CascadeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[policy.cascade]`: when an edge's answer may stand, and how long it is held back at most.

    Below `confidence` (0 to 1) the cloud is asked as well: a classifier's probability, or the quality that a
    bundle forecasts of the words. Without it what was learned decides. Where a promise was proven, a share
    `watched` of the texts is asked of the cloud, too, to see whether it still holds.
    """

    confidence: float | None = None
    hold_s: float = 30.0
    watched: float = 0.02


class EscalateSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[policy.escalate]]`: what is escalated whatever the edge says.

    All of `words`, `labels` and `when` that stand must apply. `escalates` and `stays` are examples: texts
    that the words must find, and must not.
    """

    name: str
    words: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    when: dict[str, str] = field(default_factory=dict[str, str])
    escalates: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


class PolicySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[policy]`, and `[policies.NAME]` for further ones that `model = "auto:NAME"` asks for.

    `candidate` belongs to the kind `fixed`, `bundle` (a folder, or "deployed") to the kind `bundle`, and, as
    what reads the answers, to `cascade`, whose own are `cascade` and `escalate`;
    `options` are handed to the policy as keywords (the weights and threshold of `complexity`, for one).
    """

    kind: str = "complexity"
    explore: float = 0.02
    candidate: str | None = None
    bundle: str | None = None
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    cascade: CascadeSettings | None = None
    escalate: tuple[EscalateSettings, ...] = ()


class ObjectiveSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[objective]`: what a good choice is, where it is not what a bundle was trained for.

    `weight` and `floor` belong to the objectives that take one. `cloud_share` (0 to 1) or `usd_per_1k` (USD
    per 1,000 requests) is what the policies are kept to while they serve.
    """

    name: str | None = None
    weight: float | None = None
    floor: float | None = None
    cloud_share: float | None = None
    usd_per_1k: float | None = None


class StoreSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[store]`: the outcome log, what text it keeps, and for how long.

    `path` is relative to the state folder. `prompts` decides over answers too: "hash" and "none" keep
    no text. Retention takes the oldest records first; 0 means without limit. While the log cannot be
    written, `on_failure` says whether requests are served all the same, or refused.
    """

    path: str = "edgewise.sqlite"
    prompts: Texts = "full"
    vectors: bool = False
    max_age_days: float = 90.0
    max_size_mb: float = 1024.0
    on_failure: OnFailure = "serve"


class ExecutionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[execution]`: what happens when a candidate fails, and how long anything may take, in seconds.

    `fallback` lets others of the shortlist take over, `retries` is how often the last one left is asked
    again, `retry_share` how many extra calls there may be in all, as a share of the requests. `hedge` asks
    a second candidate, on the other side of the network, after `hedge_after_s`, or where that is absent
    after the time that the first one's forecast allows it.
    """

    fallback: bool = True
    retries: int = 1
    retry_share: float = 0.1
    connect_s: float = 2.5
    first_token_s: float = 120.0
    idle_s: float = 60.0
    try_s: float = 600.0
    total_s: float = 600.0
    hedge: bool = False
    hedge_after_s: float | None = None


class NetworkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`network = {…}` of a candidate: a simulated network in front of it, seeded.

    `delay_ms` and `jitter_ms` are mean and standard deviation of a round trip, `loss` the share of
    calls that fail, `quality` the share of answers that are left as they are (the others are spoiled).
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    quality: float = 1.0
    seed: int = 0


class ScriptSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`script = {…}` of a candidate: a labelled fake that answers with fixed replies, for tests and docs.

    With `answers`, a prompts file or "shipped", it knows what is right of every prompt that has a check.
    """

    replies: tuple[str, ...] = ("This is a scripted answer.",)
    tokens_per_s: float = 0.0
    answers: str | None = None


class HelpedSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`helped = {…}` of a candidate: worked examples before each question, and a vote of several answers."""

    examples: bool = True
    votes: int = 5


class CandidateSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[candidates]]`. Of `url`, `embedded`, `script` and (for a classifier) `bundle` exactly one stands.

    `trust` is derived where it is absent: an edge endpoint on loopback, embedded or scripted is
    `device`, any other edge `site`, a cloud `cloud`. `price` defaults to 0 at the edge and to
    unpriced in the cloud.
    `slots` are the calls that it answers at a time, where that is known; no more are then under way.
    `bundle` is the folder of a classifier that runs here. A chat model that stands as a classifier chooses
    among `labels`, by default those of the task's bundle. `task` tells apart what texts are labelled for.
    """

    id: str
    location: Location
    kind: CandidateKind = "chat"
    url: str | None = None
    api: Literal["openai", "ollama", "classify"] = "openai"
    embedded: str | None = None
    bundle: str | None = None
    script: ScriptSettings | None = None
    model: str | None = None
    api_key_env: str | None = None
    price: Price | None = None
    trust: Trust | None = None
    tools: bool | None = None
    vision: bool | None = None
    json_schema: bool = True
    context_tokens: int | None = None
    power_watts: float | None = None
    joules_per_token: Joules | None = None
    timeout_s: float = 600.0
    slots: int | None = None
    max_answer_bytes: int = 100_000_000
    region: str = ""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    network: NetworkSettings | None = None
    helped: HelpedSettings | None = None
    labels: tuple[str, ...] = ()
    task: str = ""


class BudgetSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[budget]`: how much may be spent, in USD. A day is a calendar day in `time_zone`.

    From `constrained_at` and `critical_at` of the day's budget on, candidates that cost money are used less.
    """

    usd_per_day: float | None = None
    usd_per_request: float | None = None
    joules_per_day: float | None = None
    time_zone: str = "UTC"
    constrained_at: float = 0.7
    critical_at: float = 0.9


class PrivacySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[privacy]`: what happens to a request in which something private is found.

    `action` is for every rule that has none in `rules`; with "allow" alone nothing is searched. `presidio` is
    the spaCy model of the extra of that name. A search that takes longer than `timeout_s` counts as a find.
    """

    action: Action = "allow"
    rules: dict[str, Action] = field(default_factory=dict[str, Action])
    presidio: str | None = None
    timeout_s: float = 2.0


class RuleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[constraints.rules]]`: which candidates requests with this metadata may, or may not, go to."""

    name: str
    when: dict[str, str] = field(default_factory=dict[str, str])
    allow: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    deny: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


class CustomSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One of somebody else's parts: the name of its entry point, and the keywords that it is made with."""

    name: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])


class ConstraintsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[constraints]`: what no policy may override.

    `resources` and `connectivity` say what to do while this machine is overloaded, or an endpoint out of
    reach: "hard" removes the candidate, "soft" makes it dearer, "off" takes no notice. With
    `degrade = "best-effort"` an overloaded machine still answers where nobody else may. `deadline_s` is for
    requests that bring none.
    """

    resources: Literal["hard", "soft", "off"] = "hard"
    connectivity: Literal["hard", "off"] = "hard"
    degrade: Literal["refuse", "best-effort"] = "refuse"
    deadline_s: float | None = None
    rules: tuple[RuleSettings, ...] = ()
    custom: tuple[CustomSettings, ...] = ()


class LevelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[signals.levels.NAME]`: what to change of a signal's level. What is absent stays as it is.

    A state is entered at one number and left at another (`_leave`); where that one is higher, low is bad.
    """

    constrained: float | None = None
    constrained_leave: float | None = None
    critical: float | None = None
    critical_leave: float | None = None
    dwell_s: float | None = None
    smoothing_s: float | None = None
    ttl_s: float | None = None


class SignalsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[signals]`: what is read of the world, how often, and from where on it means trouble.

    `off` are monitors that are not read, `intervals` the seconds between two readings of the others.
    `metered` says what nobody else can. `custom` are monitors of installed packages.
    """

    enabled: bool = True
    off: tuple[str, ...] = ()
    probe_after_s: float = 30.0
    metered: bool | None = None
    intervals: dict[str, float] = field(default_factory=dict[str, float])
    levels: dict[str, LevelSettings] = field(default_factory=dict[str, LevelSettings])
    custom: tuple[CustomSettings, ...] = ()


class SessionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[session]`: what holds for requests that belong to a session.

    Another candidate takes over only where it is better by more than `switch_margin`, in the objective's
    unit. `trim` leaves out the oldest messages where a conversation outgrows the chosen candidate.
    """

    switch_margin: float = 0.05
    trim: bool = False


class EmbeddingsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[embeddings]`: the model behind `POST /v1/embeddings`."""

    model: str = "minilm"


class FeaturesSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[features]`: the embeddings endpoint of bundles that were trained with `--features URL`.

    `trust` is derived where it is absent: an endpoint on loopback is `device`, any other is not.
    """

    url: str | None = None
    api_key_env: str | None = None
    timeout_s: float = 0.5
    trust: Trust | None = None


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    server: ServerSettings = ServerSettings()
    limits: LimitsSettings = LimitsSettings()
    policy: PolicySettings = PolicySettings()
    policies: dict[str, PolicySettings] = field(default_factory=dict[str, PolicySettings])
    objective: ObjectiveSettings = ObjectiveSettings()
    store: StoreSettings = StoreSettings()
    embeddings: EmbeddingsSettings = EmbeddingsSettings()
    session: SessionSettings = SessionSettings()
    signals: SignalsSettings = SignalsSettings()
    budget: BudgetSettings = BudgetSettings()
    constraints: ConstraintsSettings = ConstraintsSettings()
    privacy: PrivacySettings = PrivacySettings()
    features: FeaturesSettings = FeaturesSettings()
    execution: ExecutionSettings = ExecutionSettings()
    prompts: PromptsSettings = PromptsSettings()
    profile: ProfileSettings = ProfileSettings()
    judge: JudgeSettings = JudgeSettings()
    monitor: MonitorSettings = MonitorSettings()
    energy: EnergySettings = EnergySettings()
    alerts: tuple[AlertSettings, ...] = ()
    candidates: tuple[CandidateSettings, ...] = ()

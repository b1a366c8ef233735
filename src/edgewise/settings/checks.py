"""What types cannot say: ranges, names that belong together, secrets in the wrong place.

Every check is a generator of complaints in the order of the file, so that asking for the first one is
cheap and the list stays readable.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from math import inf
from typing import TYPE_CHECKING, TypeVar

from edgewise.domain.addresses import is_loopback
from edgewise.domain.errors import SettingsError
from edgewise.settings.cascade import CASCADE, cascade_complaints
from edgewise.settings.classifiers import classifier_complaints, label_complaints
from edgewise.settings.complaints import Complaint, either, expected
from edgewise.settings.energy import energy_complaints
from edgewise.settings.execution import complaints as execution_complaints
from edgewise.settings.judge import judge_complaints
from edgewise.settings.limits import limits_complaints
from edgewise.settings.monitor import monitor_complaints
from edgewise.settings.objective import objective_complaints, spelling_complaints
from edgewise.settings.plugins import offered
from edgewise.settings.privacy import demand_complaints, privacy_complaints
from edgewise.settings.profile import profile_complaints
from edgewise.settings.prompts import prompts_complaints
from edgewise.settings.rules import complaints as rules_complaints
from edgewise.settings.schema import DEPLOYED
from edgewise.settings.secrecy import looks_secret, shown_key
from edgewise.settings.signals import complaints as signals_complaints
from edgewise.settings.urls import url_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from edgewise.settings.schema import (
        CandidateSettings,
        FeaturesSettings,
        HelpedSettings,
        NetworkSettings,
        PolicySettings,
        ScriptSettings,
        ServerSettings,
        Settings,
        StoreSettings,
    )

T = TypeVar("T")
POLICY_KINDS = ("bundle", "cascade", "complexity", "edge-first", "fixed", "random", "tiers")
HIGHEST_PORT = 65_535
PLACES = ("url", "embedded", "script")
MOST_VOTES = 25
POSITIVE = (
    "max_body_bytes", "max_header_bytes", "header_timeout_s", "body_timeout_s", "max_connections", "drain_s",
)  # fmt: skip
KEY_HASH = re.compile(r"sha256:[0-9a-fA-F]{64}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HEADER_NAME = re.compile(r"[!-+\--.0-~]+")  # printable ASCII without space, comma and slash


def check(settings: Settings, *, source: str = "settings", kinds: Sequence[str] = POLICY_KINDS) -> None:
    """Raise `SettingsError` with the first thing in `settings` that cannot be run.

    `source` is what the sentence calls the place that they came from, `kinds` the known policies.
    """
    if complaint := next(complaints(settings, kinds), None):
        raise SettingsError(complaint.sentence(source))


def complaints(settings: Settings, kinds: Sequence[str]) -> Iterator[Complaint]:
    """Everything that cannot be run, in the order of the file."""
    ids = [candidate.id for candidate in settings.candidates]
    yield from _server(settings.server)
    yield from _policy("policy", settings.policy, ids, kinds)
    for name, policy in settings.policies.items():
        key = f"policies.{shown_key(name)}"
        yield from _name(key, name)
        yield from _policy(key, policy, ids, kinds)
    yield from objective_complaints(settings.objective, settings.candidates)
    yield from _store(settings.store)
    yield from _text("embeddings.model", settings.embeddings.model)
    yield from _not_negative("session.switch_margin", settings.session.switch_margin)
    yield from signals_complaints(settings.signals)
    yield from rules_complaints(settings)
    yield from privacy_complaints(settings.privacy)
    yield from _features(settings.features)
    yield from execution_complaints(settings.execution)
    yield from limits_complaints(settings)
    yield from prompts_complaints(settings.prompts)
    yield from profile_complaints(settings.profile)
    yield from judge_complaints(settings)
    yield from monitor_complaints(settings)
    yield from energy_complaints(settings)
    for index, candidate in enumerate(settings.candidates):
        yield from _candidate(f"candidates[{index}]", candidate)
    yield from _twice("candidates", "id", ids)
    yield from label_complaints(settings.candidates)


def _server(server: ServerSettings) -> Iterator[Complaint]:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", server.host):
        yield expected("server.host", server.host, "an address or a host name, such as 127.0.0.1")
    if not 0 <= server.port <= HIGHEST_PORT:
        yield expected("server.port", server.port, f"a port from 0 (any free one) to {HIGHEST_PORT}")
    for name in POSITIVE:
        yield from _positive(f"server.{name}", getattr(server, name))
    for index, key in enumerate(server.keys):
        here = f"server.keys[{index}]"
        yield from _text(f"{here}.name", key.name)
        if not KEY_HASH.fullmatch(key.hash):
            yield Complaint(
                f"{here}.hash",
                "is not a key's hash",
                "expected sha256: and 64 hexadecimal digits, as `edgewise keys new` prints them",
            )
        if not key.scopes:
            yield Complaint(
                f"{here}.scopes", "is empty", 'expected at least one of "inference", "read", "admin"'
            )
        yield from demand_complaints(f"{here}.privacy", key.privacy)
        yield from _optional(f"{here}.objective", key.objective, spelling_complaints)
    yield from _twice("server.keys", "name", [key.name for key in server.keys])
    if not server.keys and not is_loopback(server.host):
        yield Complaint(
            "server.host",
            "lets other machines in, and no key is set",
            "expected [[server.keys]], which `edgewise keys new --name NAME` prints, or the host 127.0.0.1",
        )


def _policy(
    key: str, policy: PolicySettings, ids: Sequence[str], kinds: Sequence[str]
) -> Iterator[Complaint]:
    if policy.kind not in kinds and policy.kind not in offered("edgewise.policies"):
        near = get_close_matches(policy.kind, kinds, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        yield expected(f"{key}.kind", policy.kind, either(kinds) + meant)
    yield from _share(f"{key}.explore", policy.explore)
    for name, owner in (("candidate", "fixed"), ("bundle", "bundle")):
        given = getattr(policy, name)
        if policy.kind == owner and not given:
            yield Complaint(f"{key}.{name}", "is missing", f'expected it beside kind = "{owner}"')
        if policy.kind not in (owner, CASCADE if name == "bundle" else owner) and given is not None:
            yield Complaint(f"{key}.{name}", "has no effect", f'expected it only beside kind = "{owner}"')
    yield from cascade_complaints(key, policy, DEPLOYED)
    if policy.candidate and ids and policy.candidate not in ids:
        yield expected(f"{key}.candidate", policy.candidate, f"a candidate's id: {either(ids)}")


def _store(store: StoreSettings) -> Iterator[Complaint]:
    yield from _text("store.path", store.path)
    yield from _not_negative("store.max_age_days", store.max_age_days)
    yield from _not_negative("store.max_size_mb", store.max_size_mb)


def _features(features: FeaturesSettings) -> Iterator[Complaint]:
    if features.url is not None and (problem := url_problem(features.url)):
        yield Complaint("features.url", *problem)
    yield from _variable("features.api_key_env", features.api_key_env)
    yield from _positive("features.timeout_s", features.timeout_s)


def _candidate(key: str, candidate: CandidateSettings) -> Iterator[Complaint]:
    yield from _name(f"{key}.id", candidate.id)
    yield from _place(key, candidate)
    yield from _optional(f"{key}.model", candidate.model, _text)
    yield from _variable(f"{key}.api_key_env", candidate.api_key_env)
    if candidate.price is not None:
        yield from _not_negative(f"{key}.price.input", candidate.price.input)
        yield from _not_negative(f"{key}.price.output", candidate.price.output)
        yield from _not_negative(f"{key}.price.per_query", candidate.price.per_query)
    yield from _optional(f"{key}.context_tokens", candidate.context_tokens, _positive)
    yield from _optional(f"{key}.power_watts", candidate.power_watts, _not_negative)
    yield from _positive(f"{key}.timeout_s", candidate.timeout_s)
    yield from _positive(f"{key}.max_answer_bytes", candidate.max_answer_bytes)
    yield from _optional(f"{key}.script", candidate.script, _script)
    yield from _optional(f"{key}.network", candidate.network, _network)
    yield from _optional(f"{key}.helped", candidate.helped, _helped)
    yield from classifier_complaints(key, candidate)


def _place(key: str, candidate: CandidateSettings) -> Iterator[Complaint]:
    """Where the candidate is asked: exactly one place."""
    known = ("url", "embedded", "script", "bundle") if candidate.kind == "classifier" else PLACES
    places = [name for name in known if getattr(candidate, name) is not None]
    if len(places) != 1:
        found = f"has {' and '.join(places)}" if places else "says nowhere to ask"
        yield Complaint(key, found, f"expected exactly one of {', '.join(known[:-1])} and {known[-1]}")
    if candidate.url is not None and (problem := url_problem(candidate.url)):
        yield Complaint(f"{key}.url", *problem)
    yield from _optional(f"{key}.embedded", candidate.embedded, _text)


def _variable(key: str, variable: str | None) -> Iterator[Complaint]:
    if variable is not None and (not VARIABLE.fullmatch(variable) or looks_secret(variable)):
        yield Complaint(
            key,
            "is not the name of an environment variable",
            "expected a name such as OPENAI_API_KEY, and the key itself in the environment or in .env",
        )


def _script(key: str, script: ScriptSettings) -> Iterator[Complaint]:
    if not script.replies:
        yield Complaint(f"{key}.replies", "is empty", "expected at least one text")
    yield from _not_negative(f"{key}.tokens_per_s", script.tokens_per_s)
    yield from _optional(f"{key}.answers", script.answers, _text)


def _helped(key: str, helped: HelpedSettings) -> Iterator[Complaint]:
    if not 1 <= helped.votes <= MOST_VOTES:
        yield expected(f"{key}.votes", helped.votes, f"a number from 1 to {MOST_VOTES}")


def _network(key: str, network: NetworkSettings) -> Iterator[Complaint]:
    yield from _not_negative(f"{key}.delay_ms", network.delay_ms)
    yield from _not_negative(f"{key}.jitter_ms", network.jitter_ms)
    yield from _share(f"{key}.loss", network.loss)
    yield from _share(f"{key}.quality", network.quality)


def _name(key: str, name: str) -> Iterator[Complaint]:
    """A name that travels in headers and in the `model` of a request."""
    if name == "auto" or name.startswith("auto:"):
        yield expected(key, name, 'a name other than "auto", which lets the policy choose')
    elif not HEADER_NAME.fullmatch(name):
        yield expected(key, name, "printable ASCII without spaces, commas and slashes")


def _text(key: str, text: str) -> Iterator[Complaint]:
    if not text.strip() or not text.isprintable():
        yield expected(key, text, "a text on one line that is not empty")


def _twice(key: str, field: str, names: Iterable[str]) -> Iterator[Complaint]:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            here = f"{key}[{index}].{field}"
            yield expected(here, name, f"a name that {key}[{seen[name]}] does not have already")
        seen[name] = index


def _share(key: str, value: float) -> Iterator[Complaint]:
    if not 0.0 <= value <= 1.0:
        yield expected(key, value, "a number from 0 to 1")


def _not_negative(key: str, value: float) -> Iterator[Complaint]:
    if not 0.0 <= value < inf:
        yield expected(key, value, "a number of 0 or more")


def _positive(key: str, value: float) -> Iterator[Complaint]:
    if not 0.0 < value < inf:
        yield expected(key, value, "a number above 0")


def _optional(
    key: str, value: T | None, check_value: Callable[[str, T], Iterator[Complaint]]
) -> Iterator[Complaint]:
    if value is not None:
        yield from check_value(key, value)

"""An endpoint while serving: a deadline, a fallback that says why, and no private text beyond the device."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.features.embedding_server import DIMS, Embedder, embedder
from tests.learning.synthetic import write_table

from edgewise.app import decider
from edgewise.domain.candidates import Candidate, Shortlist
from edgewise.domain.decisions import Decision, Odds
from edgewise.domain.errors import BundleError, SettingsError
from edgewise.domain.requests import Absent, Action, Features, Request, Situation
from edgewise.features.described import describer, version_of
from edgewise.features.detectors import Detection
from edgewise.features.endpoint import live
from edgewise.features.endpoint.access import Access
from edgewise.features.endpoint.live import Endpoint
from edgewise.features.endpoint.names import PROBE, Identity, fingerprint
from edgewise.features.serving import EndpointFeatures, featurizer
from edgewise.features.text import TextFeatures
from edgewise.gateway.chat_body import chat_of, parse_chat
from edgewise.learning.tables import read_table
from edgewise.learning.train import TrainOptions, learn
from edgewise.policies import Complexity, Fixed
from edgewise.policies.checks import check_policy
from edgewise.policies.objectives import Objective
from edgewise.policies.otherwise import Otherwise
from edgewise.settings import (
    CandidateSettings,
    FeaturesSettings,
    PolicySettings,
    ScriptSettings,
    Settings,
    load,
)

LOCAL = {"privacy": "local"}
PATIENT_S = 20.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("EDGEWISE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def endpoint(home: Path) -> Iterator[Embedder]:
    with embedder() as found:
        yield found


@pytest.fixture(autouse=True)
def calm(endpoint: Embedder) -> None:
    endpoint.calls.clear()
    endpoint.statuses.clear()
    endpoint.pause_s, endpoint.dims, endpoint.salt = 0.0, DIMS, ""


@pytest.fixture(scope="module")
def bundle(endpoint: Embedder, home: Path) -> Path:
    table = read_table(write_table(home / "t.csv"))
    options = TrainOptions(Objective("quality-at-cost"), f"{endpoint.url}#tiny", "ridge")
    learn(table, options).save(home / "bundle")
    return home / "bundle"


def configured(bundle: Path, **features: Any) -> Settings:
    script = ScriptSettings()
    return Settings(
        policy=PolicySettings(kind="bundle", bundle=str(bundle), explore=0.0),
        features=FeaturesSettings(**{"timeout_s": PATIENT_S, **features}),
        candidates=(
            CandidateSettings("small", "edge", script=script),
            CandidateSettings("large", "cloud", script=script, trust="device"),
        ),
    )


def decided(settings: Settings, *requests: Request) -> list[Decision]:
    async def main() -> list[Decision]:
        router = decider(settings)
        try:
            return [await router.decide(request) for request in requests]
        finally:
            assert isinstance(router.featurizer, EndpointFeatures)
            await router.featurizer.aclose()

    return asyncio.run(main())


def absence(decision: Decision) -> list[str]:
    return [name for name in decision.evidence if name.startswith("no_vector_")]


def test_decisions_have_forecasts_from_the_endpoints_vectors(bundle: Path, endpoint: Embedder) -> None:
    (one,) = decided(configured(bundle), chat_of("Prove that the sum of the angles is 180 degrees."))
    assert set(one.forecasts) == {"small", "large"}
    assert absence(one) == []
    assert one.policy.startswith("otherwise(bundle:")
    assert endpoint.texts == [PROBE, "Prove that the sum of the angles is 180 degrees."]
    again = describer(json.loads((bundle / "policy.json").read_text())["features"])
    assert again.static.name in version_of("static")


def test_earlier_messages_are_asked_once(bundle: Path, endpoint: Embedder) -> None:
    said = ["One question here.", "Its answer.", "Another question."]
    roles = ("user", "assistant", "user")
    talk = [{"role": role, "content": text} for role, text in zip(roles, said, strict=True)]
    first, second = (parse_chat(json.dumps({"messages": part}).encode(), {}) for part in (talk[:1], talk))
    decided(configured(bundle), first, second, second)
    assert sorted(endpoint.texts) == sorted([PROBE, *said])


def test_a_single_message_has_the_vector_of_training(endpoint: Embedder, home: Path) -> None:
    version = version_of(f"{endpoint.url}#tiny")
    trained = describer(version)(["What is two and two?"])

    async def main() -> Features:
        identity = Identity(DIMS, "", "tiny", endpoint.url)
        identity = replace(identity, fingerprint=version.split("/")[2])
        place = Endpoint(identity, Access(endpoint.url, None), PATIENT_S)
        featurizer = EndpointFeatures(TextFeatures(), version, place)
        try:
            return await featurizer.describe(chat_of("What is two and two?"))
        finally:
            await featurizer.aclose()

    served = asyncio.run(main())
    assert served.vector.vectors.tolist() == trained.vectors.tolist()
    assert served.vector.statistics.tolist() == trained.statistics.tolist()
    assert served.vector_version == version


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.tuples(st.booleans(), st.text("abc xyz", min_size=3, max_size=20).filter(str.strip)),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_no_local_text_ever_leaves_the_device(
    bundle: Path, endpoint: Embedder, texts: list[tuple[bool, str]]
) -> None:
    """Every text that is declared local starts with a mark, which the endpoint never sees."""
    endpoint.calls.clear()
    marked = [(local, f"{'secret' if local else 'open'} {text}") for local, text in texts]
    requests = [chat_of(text, wishes=LOCAL if local else None) for local, text in marked]
    decisions = decided(configured(bundle, url=endpoint.url, trust="cloud"), *requests)
    assert not any("secret" in text for text in endpoint.texts)
    for (local, text), decision in zip(marked, decisions, strict=True):
        assert absence(decision) == (["no_vector_private"] if local else [])
        assert local or text in endpoint.texts
        assert ("score" in decision.evidence) is local  # the rule's, where it decided


@pytest.mark.parametrize("action", ["redact", "block"])
def test_what_is_redacted_or_blocked_for_candidates_is_not_embedded_elsewhere_either(
    endpoint: Embedder, home: Path, action: Action
) -> None:
    async def main() -> object:
        identity = Identity(DIMS, "", "tiny", endpoint.url)
        place = Endpoint(identity, Access(endpoint.url, None), PATIENT_S, trust="site")
        request = await Detection(action).screen(chat_of("Write to ann@example.org, please."))
        try:
            return await place.vectors(request, [request.text])
        finally:
            await place.aclose()

    endpoint.calls.clear()
    absent = asyncio.run(main())
    assert isinstance(absent, Absent)
    assert absent.why == "private"
    assert endpoint.texts == []


def test_a_device_may_be_asked_for_local_texts(bundle: Path, endpoint: Embedder) -> None:
    (one,) = decided(configured(bundle), chat_of("Keep this here.", wishes=LOCAL))
    assert absence(one) == []
    assert "Keep this here." in endpoint.texts


@pytest.mark.parametrize("trust", ["site", "cloud"])
def test_only_a_device_is_one(trust: Any) -> None:
    identity = Identity(3, "010", "m", "http://127.0.0.1:1")
    assert not Endpoint(identity, Access("http://127.0.0.1:1", None), trust=trust).on_device
    assert Endpoint(identity, Access("http://localhost:1", None)).on_device
    assert not Endpoint(identity, Access("http://10.0.0.1:1", None)).on_device
    assert not Endpoint(identity, Access("http://localhost.example:1", None)).on_device


def test_a_late_endpoint_costs_the_deadline_and_no_error(bundle: Path) -> None:
    with embedder(pause_s=2.0) as slow:  # of its own: a call given up may reach it in a later test
        (one,) = decided(configured(bundle, url=slow.url, timeout_s=0.05), chat_of("Anything."))
    assert absence(one) == ["no_vector_late"]
    assert one.chosen in ("small", "large")
    assert one.forecasts == {}


def test_a_failing_endpoint_is_left_alone_for_a_while(
    bundle: Path, endpoint: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REST_S", 3600.0)
    endpoint.statuses = [500] * live.FAILURES
    requests = [chat_of(f"Question {number}.") for number in range(live.FAILURES + 2)]
    decisions = decided(configured(bundle), *requests)
    assert [absence(one) for one in decisions] == [["no_vector_failed"]] * len(decisions)
    assert len(endpoint.calls) == live.FAILURES


def test_it_is_asked_again_after_the_rest(
    bundle: Path, endpoint: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REST_S", 0.0)
    endpoint.statuses = [500] * live.FAILURES
    requests = [chat_of(f"Question {number}.") for number in range(live.FAILURES + 1)]
    assert absence(decided(configured(bundle), *requests)[-1]) == []
    assert endpoint.texts[-2:] == [PROBE, f"Question {live.FAILURES}."]  # who is it that came back?


def test_an_endpoint_that_nobody_listens_at(bundle: Path) -> None:
    (one,) = decided(configured(bundle, url="http://127.0.0.1:9/v1"), chat_of("Anything."))
    assert absence(one) == ["no_vector_failed"]


def test_for_a_pinned_request_nobody_is_asked(bundle: Path, endpoint: Embedder) -> None:
    (one,) = decided(configured(bundle), chat_of("Anything.", {"model": "large"}))
    assert (one.chosen, one.reason, absence(one)) == ("large", "pinned", ["no_vector_pinned"])
    assert endpoint.calls == []


@pytest.mark.parametrize("change", ["length", "model"])
def test_other_vectors_than_in_training_are_an_error_not_an_answer(
    bundle: Path, endpoint: Embedder, change: str
) -> None:
    endpoint.dims, endpoint.salt = (16, "") if change == "length" else (DIMS, "other")
    with pytest.raises(BundleError, match="trained on vectors of 'tiny'"):
        decided(configured(bundle), chat_of("Anything."))
    endpoint.dims, endpoint.salt = DIMS, ""


def test_a_mismatch_ends_when_the_model_is_back(
    bundle: Path, endpoint: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REST_S", 0.0)

    async def main() -> tuple[object, object]:
        identity = Identity(DIMS, fingerprint_of(endpoint), "tiny", endpoint.url)
        place = Endpoint(identity, Access(endpoint.url, None), PATIENT_S)
        endpoint.salt = "other"
        first = await place.vectors(chat_of("a"), ["a"])
        endpoint.salt = ""
        second = await place.vectors(chat_of("a"), ["a"])
        await place.aclose()
        return first, second

    first, second = asyncio.run(main())
    assert isinstance(first, Absent)
    assert first.why == "mismatch"
    assert not isinstance(second, Absent)


def fingerprint_of(endpoint: Embedder) -> str:
    return fingerprint(np.array(endpoint.vector(PROBE), np.float32))


def test_a_bundle_alone_cannot_send_prompts_away(bundle: Path, tmp_path: Path) -> None:
    """The endpoint that the configuration has to name is the one that the sentence names."""
    identity = Identity(DIMS, "01" * 16, "tiny", "https://vectors.example/v1")
    version = f"{identity}+{version_of('static')}"
    with pytest.raises(SettingsError, match=r"https://vectors.example/v1.*url in \[features\]"):
        featurizer(version, FeaturesSettings())
    assert isinstance(featurizer(version, FeaturesSettings(url=identity.url)), EndpointFeatures)


def test_the_wrapper_is_a_policy_and_says_who_decided() -> None:
    shortlist = Shortlist((Candidate("a", "edge", "device"), Candidate("b", "cloud", "cloud")))
    policy = Otherwise(Fixed("b"), Complexity())
    described = Features({**TextFeatures().measure("Hi."), "x": 0.0}, None, "text-1")
    inner = check_policy(policy, Situation(described, shortlist))
    assert inner == Odds.certain(shortlist.candidates[1], shortlist, reason="pinned")
    for why in ("private", "late", "failed", "pinned"):
        missing = replace(described, absent=Absent(why, "Because."))
        odds = check_policy(policy, Situation(missing, shortlist))
        assert odds.favourite == "a"
        assert odds.evidence[f"no_vector_{why}"] == 1.0
    with pytest.raises(BundleError, match="Wrong"):
        policy.odds(Situation(replace(described, absent=Absent("mismatch", "Wrong.")), shortlist))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('url = "ftp://x"', "features.url"),
        ("timeout_s = 0", "features.timeout_s"),
        ('api_key_env = "sk-abcdefghijkl"', "features.api_key_env"),
        ('trust = "moon"', "features.trust"),
        ("x = 1", "features.x"),
    ],
)
def test_the_section_is_checked(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "edgewise.toml").write_text(f"[features]\n{line}\n")
    with pytest.raises(SettingsError, match=said) as caught:
        load(tmp_path / "edgewise.toml", {})
    assert "sk-" not in str(caught.value)

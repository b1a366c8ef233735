"""Hooked models become candidates, agents' words become a target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.candidates import Candidate
from edgewise.domain.errors import SettingsError
from edgewise.integrations.oblix import Blocked, ModelType
from edgewise.integrations.oblix.agents.threshold import Threshold
from edgewise.integrations.oblix.models import candidate_of
from edgewise.integrations.oblix.verdict import TARGETS, allowed, sound, target_of

EDGE = Candidate("ollama:phi", "edge", "device")
CLOUDS = tuple(Candidate(f"openai:{name}", "cloud", "cloud") for name in ("a", "b"))


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_BASE_URL", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("kind", "name", "endpoint", "expected", "url"),
    [
        (ModelType.OLLAMA, "phi", None, "ollama:phi", "http://localhost:11434"),
        (ModelType.OLLAMA, "hf.co/a/b:Q4", "http://box:9/v1/", "ollama:hf.co/a/b:Q4", "http://box:9"),
        (ModelType.OPENAI, "gpt-4", None, "openai:gpt-4", "https://api.openai.com/v1"),
        (ModelType.OPENAI, "gpt-4", "http://proxy/v1/", "openai:gpt-4", "http://proxy/v1"),
        (ModelType.CLAUDE, "claude-3", None, "claude:claude-3", "https://api.anthropic.com/v1"),
        ("openai", "gpt-4", None, "openai:gpt-4", "https://api.openai.com/v1"),
    ],
)
def test_a_model_is_a_candidate(
    kind: ModelType | str, name: str, endpoint: str | None, expected: str, url: str
) -> None:
    candidate = candidate_of(kind, name, endpoint)
    assert (candidate.id, candidate.model, candidate.url) == (expected, name, url)
    assert candidate.location == ("edge" if expected.startswith("ollama") else "cloud")


@pytest.mark.parametrize(
    ("variable", "value", "kind", "url"),
    [
        ("OLLAMA_BASE_URL", "http://127.0.0.1:7/", ModelType.OLLAMA, "http://127.0.0.1:7"),
        ("OLLAMA_HOST", "127.0.0.1:7", ModelType.OLLAMA, "http://127.0.0.1:7"),
        ("OLLAMA_HOST", "box", ModelType.OLLAMA, "http://box:11434"),
        ("OLLAMA_HOST", "0.0.0.0:7", ModelType.OLLAMA, "http://localhost:7"),
        ("OLLAMA_HOST", ":7", ModelType.OLLAMA, "http://localhost:7"),
        ("OLLAMA_HOST", "[::1]:7", ModelType.OLLAMA, "http://[::1]:7"),
        ("OLLAMA_HOST", "[::]", ModelType.OLLAMA, "http://localhost:11434"),
        ("OLLAMA_HOST", "https://box:7", ModelType.OLLAMA, "https://box:7"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:7/v1", ModelType.OPENAI, "http://127.0.0.1:7/v1"),
        ("ANTHROPIC_BASE_URL", "http://127.0.0.1:7", ModelType.CLAUDE, "http://127.0.0.1:7/v1"),
    ],
)
def test_the_environment_moves_endpoints(
    variable: str, value: str, kind: ModelType, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert candidate_of(kind, "m").url == url
    assert candidate_of(kind, "m", "http://said:1/v1").url != url


@pytest.mark.parametrize(
    ("kind", "name", "endpoint", "wrong"),
    [
        ("bard", "x", None, "model_type is 'bard'.*ModelType.OLLAMA, ModelType.OPENAI, ModelType.CLAUDE"),
        (ModelType.OLLAMA, "", None, "model_name is empty"),
        (ModelType.OPENAI, "a,b", None, "model_name"),
        (ModelType.OLLAMA, "phi", "localhost:11434", "endpoint does not begin with http"),
        (ModelType.OPENAI, "x", "https://sk-abcdefgh12345678@host/v1", "endpoint has a secret in it"),
    ],
)
def test_what_is_no_model_is_one_sentence(
    kind: ModelType | str, name: str, endpoint: str | None, wrong: str
) -> None:
    with pytest.raises(SettingsError, match=rf"^hook_model: .*{wrong}") as caught:
        candidate_of(kind, name, endpoint)
    assert "sk-abc" not in str(caught.value)


somebody = st.lists(st.sampled_from((EDGE, *CLOUDS)), unique_by=lambda one: one.id, min_size=1)
checks = st.dictionaries(
    st.text(min_size=1),
    st.fixed_dictionaries({"proceed": st.booleans(), "target": st.sampled_from(TARGETS)}),
)


@given(checks)
def test_blocked_then_local_then_cloud_then_hybrid(said: dict[str, dict[str, object]]) -> None:
    found = {name: sound(name, one) for name, one in said.items()}
    blockers = [name for name, one in said.items() if not one["proceed"]]
    if blockers:
        with pytest.raises(Blocked) as caught:
            target_of(found)
        assert caught.value.agent == blockers[0]
        return
    target = target_of(found)
    wanted = {one["target"] for one in said.values()}
    assert target == next((one for one in ("local", "cloud") if one in wanted), "hybrid")


@given(st.sampled_from(TARGETS), somebody)
def test_somebody_is_always_allowed(target: str, there: list[Candidate]) -> None:
    names = allowed(target, there)
    place = {"local": "edge", "cloud": "cloud"}.get(target)
    at_target = tuple(one.id for one in there if one.location == place)
    assert names == (at_target or tuple(one.id for one in there))


@pytest.mark.parametrize(
    ("target", "read"),
    [("LOCAL", "local"), ("edge", "local"), ("both", "hybrid"), ("moon", "hybrid"), (None, "hybrid")],
)
def test_words_for_a_target(target: object, read: str) -> None:
    said = sound("mine", {"target": target, "more": 1})
    assert said["target"] == read
    assert (said["proceed"], said["metrics"], said["more"]) == (True, {}, 1)


def test_what_is_no_verdict_is_refused() -> None:
    with pytest.raises(TypeError, match="check of 'mine' gave list"):
        sound("mine", ["local"])


@given(st.floats(0.1, 1e6), st.lists(st.floats(0, 2e6), max_size=30))
def test_a_threshold_is_entered_at_one_number_and_left_at_another(level: float, values: list[float]) -> None:
    high, low = Threshold(level), Threshold(level, low_is_bad=True)
    for value in values:
        before = high.is_passed, low.is_passed
        high.observe(value)
        low.observe(value)
        assert high.is_passed == (value >= level or (before[0] and value >= level * 0.9))
        assert low.is_passed == (value <= level or (before[1] and value <= level / 0.9))
    assert not high.observe(None)

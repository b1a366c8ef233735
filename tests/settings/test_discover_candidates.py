from __future__ import annotations

import asyncio
import re
import socket
import threading
from typing import Any

import pytest
from tests.servers import free_port
from tests.settings.endpoints import NOT_FOUND, endpoint, models

from edgewise.domain.candidates import Price
from edgewise.domain.errors import SettingsError
from edgewise.settings import (
    CandidateSettings,
    Found,
    NetworkSettings,
    PolicySettings,
    ScriptSettings,
    ServerSettings,
    Settings,
    check,
    describe,
    discover,
)

KEY = "sk-canary-1234567890abcdef"
PATIENCE_S = 5.0  # generous: only a server that never answers waits for it


def found(
    environ: dict[str, str] | None = None,
    settings: Settings | None = None,
    *,
    ollama: int | None = None,
    lm_studio: int | None = None,
    patience_s: float = PATIENCE_S,
) -> Found:
    result = asyncio.run(
        discover(
            settings,
            environ or {},
            ollama_port=ollama or free_port(),
            lm_studio_port=lm_studio or free_port(),
            patience_s=patience_s,
        )
    )
    check(result.settings)
    assert KEY not in repr(result)
    return result


def cloud(environ: dict[str, str]) -> CandidateSettings:
    *_, last = found(environ).settings.candidates
    assert last.location == "cloud"
    return last


def edges(result: Found) -> list[str]:
    return [candidate.id for candidate in result.settings.candidates if candidate.location == "edge"]


def test_a_machine_with_nothing_gets_the_embedded_model_and_a_simulated_cloud() -> None:
    result = found()
    assert result.settings.candidates == (
        CandidateSettings("smollm2-135m", "edge", embedded="smollm2-135m"),
        CandidateSettings(
            "cloud-simulated",
            "cloud",
            embedded="smollm2-135m",
            price=Price(0.15, 0.60),
            network=NetworkSettings(delay_ms=250.0, jitter_ms=60.0, seed=7),
        ),
    )
    edge, simulated = map(describe, result.settings.candidates)
    assert (edge.simulated, simulated.simulated) == (False, True)
    assert len(result.notes) == 2
    assert "simulated" in result.notes[1]
    assert "OPENAI_API_KEY" in result.notes[1]


def test_listed_candidates_are_left_alone() -> None:
    listed = Settings(candidates=(CandidateSettings("a", "edge", script=ScriptSettings()),))
    with endpoint(models("phi")) as server:
        assert found({"OPENAI_API_KEY": KEY}, listed, ollama=server.port) == Found(listed, ())
    assert server.asked == []


def test_openai() -> None:
    assert cloud({"OPENAI_API_KEY": KEY}) == CandidateSettings(
        "gpt-4o-mini",
        "cloud",
        url="https://api.openai.com/v1",
        model="gpt-4o-mini",
        api_key_env="OPENAI_API_KEY",
        price=Price(0.15, 0.60),
    )


def test_a_price_is_only_claimed_where_it_is_known() -> None:
    key = {"OPENAI_API_KEY": KEY}
    assert cloud({**key, "OPENAI_MODEL": "gpt-9"}).price is None
    elsewhere = cloud({**key, "OPENAI_BASE_URL": "https://proxy.example.com/v1/"})
    assert (elsewhere.url, elsewhere.model, elsewhere.price) == (
        "https://proxy.example.com/v1",
        "gpt-4o-mini",
        None,
    )
    assert cloud({**key, "OPENAI_BASE_URL": "https://api.openai.com/v1/"}).price == Price(0.15, 0.60)
    assert cloud({"OPENROUTER_API_KEY": KEY}).price is None
    assert "unpriced" in found({"OPENROUTER_API_KEY": KEY}).notes[-1]


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("OPENROUTER", "openrouter.ai"),
        ("ANTHROPIC", "api.anthropic.com"),
        ("GROQ", "api.groq.com"),
        ("MISTRAL", "api.mistral.ai"),
        ("GEMINI", "generativelanguage.googleapis.com"),
    ],
)
def test_other_providers(name: str, host: str) -> None:
    candidate = cloud({f"{name}_API_KEY": KEY})
    assert candidate.api_key_env == f"{name}_API_KEY"
    assert candidate.url is not None
    assert candidate.url.startswith(f"https://{host}/")
    assert candidate.price is None
    other = cloud({f"{name}_API_KEY": KEY, f"{name}_MODEL": "some/other-1"})
    assert (other.id, other.model) == ("other-1", "some/other-1")


def test_the_first_key_is_taken_and_the_others_are_mentioned() -> None:
    result = found({"GROQ_API_KEY": KEY, "OPENAI_API_KEY": KEY, "MISTRAL_API_KEY": "  "})
    assert result.settings.candidates[-1].api_key_env == "OPENAI_API_KEY"
    assert [note for note in result.notes if "GROQ_API_KEY is set too" in note]
    assert not [note for note in result.notes if "MISTRAL" in note]


def test_a_base_url_with_a_secret_is_refused_without_repeating_it() -> None:
    with pytest.raises(SettingsError) as caught:
        found({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"https://u:{KEY}@x.example/v1"})
    assert str(caught.value).startswith("environment: OPENAI_BASE_URL has a secret in it; expected ")
    assert KEY not in str(caught.value)


def test_a_clients_setting_for_this_gateway_is_no_cloud() -> None:
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://localhost:9123/v1"}
    looping = found(environ, Settings(server=ServerSettings(port=9123)))
    assert looping.settings.candidates[-1].id == "cloud-simulated"
    assert [note for note in looping.notes if "points at this gateway itself" in note]
    assert found(environ).settings.candidates[-1].url == "http://localhost:9123/v1"


def test_local_servers_join_with_their_first_chat_model() -> None:
    with (
        endpoint(models("nomic-embed-text:latest", "phi3:mini", "llama3")) as ollama,
        endpoint(models("text-embedding-bge-m3", "lmstudio-community/Qwen 2.5 7B!")) as lm_studio,
    ):
        result = found(ollama=ollama.port, lm_studio=lm_studio.port)
    assert edges(result) == ["smollm2-135m", "phi3:mini", "Qwen-2.5-7B"]
    _, phi, qwen, _ = result.settings.candidates
    assert phi == CandidateSettings("phi3:mini", "edge", url=ollama.url, model="phi3:mini")
    assert (qwen.url, qwen.model) == (lm_studio.url, "lmstudio-community/Qwen 2.5 7B!")
    assert [describe(c).trust for c in (phi, qwen)] == ["device", "device"]
    assert [path for path, _ in ollama.asked + lm_studio.asked] == ["/v1/models", "/v1/models"]
    assert [note for note in result.notes if f"Ollama listens on 127.0.0.1:{ollama.port}" in note]
    assert [note for note in result.notes if f"LM Studio listens on 127.0.0.1:{lm_studio.port}" in note]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auto", "ollama-auto"),
        ("auto:x", "ollama-auto:x"),
        ("模型", "ollama"),
        ("smollm2-135m", "ollama-smollm2-135m"),
    ],
)
def test_names_that_cannot_be_ids_are_made_fit(name: str, expected: str) -> None:
    with endpoint(models(name)) as ollama:
        result = found(ollama=ollama.port)
    assert edges(result) == ["smollm2-135m", expected]
    assert result.settings.candidates[1].model == name


def test_two_servers_with_the_same_model_stay_apart() -> None:
    with endpoint(models("phi")) as ollama, endpoint(models("phi")) as lm_studio:
        result = found(ollama=ollama.port, lm_studio=lm_studio.port)
    assert edges(result) == ["smollm2-135m", "phi", "lm-studio-phi"]


def test_a_local_model_of_the_clouds_name_stays_apart() -> None:
    with endpoint(models("gpt-4o-mini")) as ollama:
        result = found({"OPENAI_API_KEY": KEY}, ollama=ollama.port)
    assert [c.id for c in result.settings.candidates] == ["smollm2-135m", "ollama-gpt-4o-mini", "gpt-4o-mini"]


STRANGE = {
    "no models": models(),
    "only embeddings": models("nomic-embed-text"),
    "blank": models(" "),
    "an error": models("phi", status=500),
    "no such page": lambda *_: NOT_FOUND,
    "a page": lambda *_: (200, {}, b"<html>hello</html>"),
    "not UTF-8": lambda *_: (200, {}, b'{"data": [{"id": "\xff"}]}'),
    "another shape": lambda *_: (200, {}, b'{"data": {"id": "phi"}}'),
    "null": lambda *_: (200, {}, b'{"data": null}'),
    "too much": lambda *_: (200, {}, b'{"data": [' + b" " * 3_000_000 + b"]}"),
}


@pytest.mark.parametrize("answer", STRANGE.values(), ids=STRANGE)
def test_a_server_that_says_something_else_is_skipped(answer: Any) -> None:
    with endpoint(answer) as other:
        assert edges(found(ollama=other.port)) == ["smollm2-135m"]
        assert len(other.asked) == 1


def test_a_redirect_is_not_followed() -> None:
    with endpoint(models("phi")) as target:
        away = (302, {"location": f"{target.url}/models"}, b"")
        with endpoint(lambda *_: away) as other:
            assert edges(found(ollama=other.port)) == ["smollm2-135m"]
        assert target.asked == []


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert edges(found(lm_studio=silent.getsockname()[1], patience_s=0.1)) == ["smollm2-135m"]


def test_a_server_that_hangs_up_is_skipped() -> None:
    with socket.socket() as rude:
        rude.bind(("127.0.0.1", 0))
        rude.listen()

        def hang_up() -> None:
            rude.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert edges(found(ollama=rude.getsockname()[1])) == ["smollm2-135m"]
        thread.join()


def test_only_this_machine_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []

    async def refuse(*address: Any) -> Any:
        opened.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio, "open_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("a name was looked up"))
    asyncio.run(discover(environ={"OPENAI_API_KEY": KEY, "GROQ_API_KEY": KEY}))
    assert opened == [("127.0.0.1", 11434), ("127.0.0.1", 1234)]


def test_a_fixed_policy_is_held_against_what_was_found() -> None:
    fixed = Settings(policy=PolicySettings("fixed", candidate="smollm2-135m"))
    assert found(settings=fixed).settings.policy == fixed.policy
    with pytest.raises(SettingsError, match=r"policy\.candidate is \"gpt\"; expected a candidate's id: "):
        found(settings=Settings(policy=PolicySettings("fixed", candidate="gpt")))


def test_notes_are_sentences() -> None:
    notes = found({"OPENAI_API_KEY": KEY, "GROQ_API_KEY": KEY}).notes + found().notes
    assert all(re.fullmatch(r"[A-Za-z].*\.", note) for note in notes)

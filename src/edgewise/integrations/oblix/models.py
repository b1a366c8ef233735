"""Hooked models → candidates."""

from __future__ import annotations

from enum import Enum
from os import environ

from edgewise.domain.errors import SettingsError
from edgewise.settings.schema import CandidateSettings
from edgewise.settings.urls import url_problem

OLLAMA_PORT = 11434
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - where a server listens; a client asks this machine


class ModelType(Enum):
    """Whose model it is. Ollama's answer at the edge, the others in the cloud."""

    OLLAMA = "ollama"
    OPENAI = "openai"
    CLAUDE = "claude"


# Where each cloud speaks OpenAI's language, the variable that moves it, and the one that holds its key.
CLOUDS = {
    ModelType.OPENAI: ("https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    ModelType.CLAUDE: ("https://api.anthropic.com/v1", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
}


def candidate_of(kind: ModelType | str, name: str, endpoint: str | None = None) -> CandidateSettings:
    """The candidate of a hooked model; its id reads `ollama:phi`, `openai:gpt-4`.

    Without an `endpoint` Ollama is looked for where OLLAMA_BASE_URL or OLLAMA_HOST says, the clouds where
    OPENAI_BASE_URL and ANTHROPIC_BASE_URL say. Raises SettingsError for a kind that there is not, a name
    that is none, and an endpoint that is no base URL.
    """
    known = _known(kind)
    if not name or not name.isprintable() or " " in name or "," in name:
        raise SettingsError(
            "hook_model: model_name is empty, or has a space or a comma; expected one such as llama2."
        )
    if known is ModelType.OLLAMA:
        url = (endpoint or _ollama()).rstrip("/").removesuffix("/v1")
        _check(url)
        return CandidateSettings(f"ollama:{name}", "edge", url=url, api="ollama", model=name)
    home, moved, key = CLOUDS[known]
    url = (endpoint or environ.get(moved, "").strip() or home).rstrip("/")
    if known is ModelType.CLAUDE and not url.endswith("/v1"):
        url += "/v1"  # Anthropic's own variable is written without
    _check(url)
    return CandidateSettings(f"{known.value}:{name}", "cloud", url=url, model=name, api_key_env=key)


def _known(kind: ModelType | str) -> ModelType:
    try:
        return ModelType(kind.lower() if isinstance(kind, str) else kind)
    except ValueError:
        known = ", ".join(f"ModelType.{one.name}" for one in ModelType)
        raise SettingsError(
            f"hook_model: model_type is {str(kind)[:40]!r}; expected one of {known}."
        ) from None


def _ollama() -> str:
    """Where Ollama listens, by its own variables: a URL, or a host and a port of which either may lack."""
    given = (environ.get("OLLAMA_BASE_URL") or environ.get("OLLAMA_HOST") or "").strip()
    if "://" in given:
        return given
    host, colon, port = given.rpartition(":") if not given.endswith("]") else (given, "", "")
    if not colon:
        host, port = given, ""
    host = "localhost" if host.strip("[]") in EVERYWHERE else host
    return f"http://{host}:{port or OLLAMA_PORT}"


def _check(url: str) -> None:
    if problem := url_problem(url):
        raise SettingsError(f"hook_model: endpoint {problem[0]}; {problem[1]}.")

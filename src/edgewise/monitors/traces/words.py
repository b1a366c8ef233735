"""What the GenAI semantic conventions call things, before and after v1.36.0, and whom they know."""

from __future__ import annotations

from os import environ
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewise.settings import CandidateSettings

SWITCH: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"
LATEST: Final = "gen_ai_latest_experimental"
OTHER: Final = "_OTHER"
# The end of a host's name → what the conventions call its provider, before and after.
PROVIDERS: Final = {
    "api.openai.com": ("openai", "openai"),
    "openai.azure.com": ("az.ai.openai", "azure.ai.openai"),
    "api.anthropic.com": ("anthropic", "anthropic"),
    "api.mistral.ai": ("mistral_ai", "mistral_ai"),
    "api.groq.com": ("groq", "groq"),
    "api.deepseek.com": ("deepseek", "deepseek"),
    "api.perplexity.ai": ("perplexity", "perplexity"),
    "api.cohere.com": ("cohere", "cohere"),
    "api.x.ai": ("xai", "x_ai"),
    "generativelanguage.googleapis.com": ("gcp.gemini", "gcp.gemini"),
}


class Server(NamedTuple):
    """Whom a candidate's calls go to; `host` and `port` are None for what runs in processes of ours."""

    model: str
    provider: tuple[str, str]
    host: str | None = None
    port: int | None = None

    @classmethod
    def of(cls, candidate: CandidateSettings) -> Server:
        """As the configuration says."""
        model = candidate.model or candidate.embedded or candidate.id
        if not candidate.url:
            return cls(model, ("edgewise", "edgewise"))
        parts = urlsplit(candidate.url)
        host = parts.hostname or ""
        known = [words for end, words in PROVIDERS.items() if host == end or host.endswith(f".{end}")]
        provider = ("ollama", "ollama") if candidate.api == "ollama" else (OTHER, OTHER)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(model, known[0] if known else provider, host, port)


class Words(NamedTuple):
    """The attributes whose names or values depend on the version of the conventions."""

    provider: str
    latest: bool

    @classmethod
    def chosen(cls, env: Mapping[str, str] | None = None) -> Words:
        """The old ones, unless the standard switch wants the latest."""
        said = (environ if env is None else env).get(SWITCH, "")
        latest = LATEST in (word.strip() for word in said.split(","))
        return cls("gen_ai.provider.name" if latest else "gen_ai.system", latest)

    def of(self, server: Server) -> dict[str, str | int]:
        """What is said of whom a call goes to."""
        told: dict[str, str | int] = {
            self.provider: server.provider[self.latest],
            "gen_ai.request.model": server.model,
        }
        if server.host:
            told["server.address"] = server.host
        if server.port:
            told["server.port"] = server.port
        return told

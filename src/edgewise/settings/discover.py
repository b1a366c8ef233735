"""What this machine has to offer when nobody has listed a candidate: the first start without a file.

It reads the environment and asks two well-known ports of this machine, and nothing else.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from edgewise.domain.addresses import is_loopback
from edgewise.domain.candidates import Price
from edgewise.domain.errors import SettingsError
from edgewise.settings.checks import check
from edgewise.settings.schema import CandidateSettings, NetworkSettings, ServerSettings, Settings
from edgewise.settings.urls import split, url_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

EMBEDDED = "smollm2-135m"
OLLAMA_PORT = 11434
LM_STUDIO_PORT = 1234
PATIENCE_S = 0.3
LONGEST_LIST_BYTES = 1_000_000
OPENAI_PRICES = {"gpt-4o-mini": Price(0.15, 0.60)}
SIMULATED = CandidateSettings(
    "cloud-simulated",
    "cloud",
    embedded=EMBEDDED,
    price=Price(0.15, 0.60),
    network=NetworkSettings(delay_ms=250.0, jitter_ms=60.0, seed=7),
)
NO_CHAT = re.compile(r"embed|rerank|whisper|\btts\b|minilm|\bbge\b|\be5\b|\bclip\b|diffusion", re.IGNORECASE)
OK_LINE = re.compile(rb"HTTP/1\.[01] 200\b")
NO_ID = re.compile(r"[^A-Za-z0-9._:+@-]+")


class Found(Struct, frozen=True):
    """Settings with candidates, and sentences about where they come from. No sentence has a key in it."""

    settings: Settings
    notes: tuple[str, ...] = ()


class Provider(Struct, frozen=True):
    """A cloud that speaks OpenAI's language. `NAME_API_KEY` opens it, `NAME_MODEL` overrides the model."""

    name: str
    url: str
    model: str

    @property
    def key_variable(self) -> str:
        """The environment variable that holds the key."""
        return f"{self.name}_API_KEY"


OPENAI = Provider("OPENAI", "https://api.openai.com/v1", "gpt-4o-mini")
PROVIDERS = (
    OPENAI,
    Provider("OPENROUTER", "https://openrouter.ai/api/v1", "openai/gpt-4o-mini"),
    Provider("ANTHROPIC", "https://api.anthropic.com/v1", "claude-haiku-4-5"),
    Provider("GROQ", "https://api.groq.com/openai/v1", "openai/gpt-oss-20b"),
    Provider("MISTRAL", "https://api.mistral.ai/v1", "mistral-small-latest"),
    Provider("GEMINI", "https://generativelanguage.googleapis.com/v1beta/openai", "gemini-flash-latest"),
)


async def discover(
    settings: Settings | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    ollama_port: int = OLLAMA_PORT,
    lm_studio_port: int = LM_STUDIO_PORT,
    patience_s: float = PATIENCE_S,
) -> Found:
    """The settings, with candidates filled in where there are none.

    Edges: the embedded model, and one for Ollama and LM Studio each if it listens on its port of this
    machine and answers within `patience_s` seconds. Cloud: the first provider whose key is in
    `environ`, else a simulated one. Raises `SettingsError` where the environment or the policy does not
    fit (OPENAI_BASE_URL is no usable URL, `fixed` names somebody else).
    """
    given = Settings() if settings is None else settings
    if given.candidates:
        return Found(given)
    cloud, cloud_notes = _cloud(os.environ if environ is None else environ, given.server)
    candidates = [CandidateSettings(EMBEDDED, "edge", embedded=EMBEDDED)]
    notes = [f"The edge is {EMBEDDED}, which runs inside Edgewise."]
    servers = (("Ollama", ollama_port), ("LM Studio", lm_studio_port))
    for (name, port), model in zip(servers, await _local_models(servers, patience_s), strict=True):
        if model is not None:
            taken = {cloud.id, *(candidate.id for candidate in candidates)}
            edge_id = _id_for(model, taken, prefix=name.lower().replace(" ", "-"))
            url = f"http://127.0.0.1:{port}/v1"
            candidates.append(CandidateSettings(edge_id, "edge", url=url, model=model))
            notes.append(f"{name} listens on 127.0.0.1:{port}; its first model joins as the edge {edge_id}.")
    filled = replace(given, candidates=(*candidates, cloud))
    check(filled, source="settings without [[candidates]]")
    return Found(filled, (*notes, *cloud_notes))


def _cloud(environ: Mapping[str, str], server: ServerSettings) -> tuple[CandidateSettings, list[str]]:
    """The first cloud that the environment has a key for, or the simulated one."""
    notes: list[str] = []
    cloud: CandidateSettings | None = None
    for provider in PROVIDERS:
        if not environ.get(provider.key_variable, "").strip():
            continue
        base = _base_url(provider, environ)
        if _is_ourselves(base, server):
            notes.append("OPENAI_BASE_URL points at this gateway itself, so it is not taken for a cloud.")
        elif cloud is None:
            cloud = _candidate(provider, base, environ)
            host = split(base)
            at = host.netloc if host else provider.name
            priced = "" if cloud.price else ", unpriced"
            notes.append(f"The cloud is {cloud.id} at {at}{priced}, with the key in {provider.key_variable}.")
        else:
            notes.append(
                f"{provider.key_variable} is set too; list its models under [[candidates]] to use it."
            )
    if cloud is None:
        known = ", ".join(provider.key_variable for provider in PROVIDERS)
        notes.append(
            f"{SIMULATED.id} plays the cloud: {EMBEDDED} behind a simulated network; "
            f"set one of {known} for a real one."
        )
    return cloud or SIMULATED, notes


def _candidate(provider: Provider, base: str, environ: Mapping[str, str]) -> CandidateSettings:
    model = environ.get(f"{provider.name}_MODEL", "").strip() or provider.model
    own = base == OPENAI.url
    return CandidateSettings(
        _id_for(model, {EMBEDDED}, prefix=provider.name.lower()),
        "cloud",
        url=base,
        model=model,
        api_key_env=provider.key_variable,
        price=OPENAI_PRICES.get(model) if own else None,
    )


def _base_url(provider: Provider, environ: Mapping[str, str]) -> str:
    given = environ.get("OPENAI_BASE_URL", "").strip() if provider is OPENAI else ""
    if given and (problem := url_problem(given)):
        raise SettingsError(f"environment: OPENAI_BASE_URL {problem[0]}; {problem[1]}.")
    return (given or provider.url).rstrip("/")


def _is_ourselves(base: str, server: ServerSettings) -> bool:
    """Whether a client's setting for this very gateway was taken for a cloud: that would be a loop."""
    parts = split(base)
    return parts is not None and is_loopback(parts.hostname or "") and parts.port == server.port


def _id_for(model: str, taken: set[str], *, prefix: str) -> str:
    """A candidate's id from what an endpoint calls its model: its last part, made fit for a header."""
    plain = NO_ID.sub("-", model.rpartition("/")[2]).strip("-")
    if not plain or plain == "auto" or plain.startswith("auto:") or plain in taken:
        plain = f"{prefix}-{plain}".rstrip("-")
    return plain


async def _local_models(servers: tuple[tuple[str, int], ...], patience_s: float) -> list[str | None]:
    """The first chat model of each server that listens on its port of this machine."""
    import asyncio  # noqa: PLC0415 - importing the settings must stay quick

    return await asyncio.gather(*(_first_chat_model(port, patience_s) for _, port in servers))


class _Model(Struct):
    id: str


class _Models(Struct):
    data: list[_Model] | None = None


async def _first_chat_model(port: int, patience_s: float) -> str | None:
    import asyncio  # noqa: PLC0415 - see above

    try:
        async with asyncio.timeout(patience_s):
            listed = msgspec.json.decode(await _get_models(port), type=_Models)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None  # nobody there, or somebody else: both are usual
    names = (model.id for model in listed.data or ())
    return next((name for name in names if name.strip() and not NO_CHAT.search(name)), None)


async def _get_models(port: int) -> bytes:
    """The body of GET /v1/models, or nothing where the answer is no 200.

    Spoken by hand, in HTTP/1.0 so that the body ends with the connection: one question to a loopback port
    is worth no client library, least of all one whose threads would outlive a short command.
    """
    import asyncio  # noqa: PLC0415 - see above

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET /v1/models HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        answer, piece = b"", b" "
        while piece and len(answer) < LONGEST_LIST_BYTES:
            piece = await reader.read(65_536)
            answer += piece
    finally:
        writer.transport.abort()
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if OK_LINE.match(head) else b""

"""`edgewise doctor`: what stands in the way of `edgewise serve`, and how to mend it.

It changes nothing, asks only the endpoints that the configuration names (and this machine's own ports),
and never prints a key.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import typer
from msgspec import Struct

from edgewise.cli import doctor_log, doctor_promises
from edgewise.cli.console import out, print_json
from edgewise.cli.doctor_lists import ENDS_AT, LISTS_AT, listed_in
from edgewise.cli.doctor_signals import look
from edgewise.cli.setup import ConfigOption, JsonOption, policy_problem, run, settings_or_found, uses_bundle
from edgewise.domain.addresses import is_loopback
from edgewise.domain.errors import SettingsError
from edgewise.domain.places import home
from edgewise.settings.schema import DEPLOYED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgewise.settings import CandidateSettings, ServerSettings, Settings

PATIENCE_S = 3.0
OLDEST_PYTHON = (3, 11)
EXTRAS = {"edge": ("xllamacpp",), "minilm": ("numpy", "onnxruntime", "tokenizers")}
ANTHROPIC = "https://api.anthropic.com/"
MOST_NAMED = 5
LONGEST_BODY_BYTES = 4_000_000
OK, UNAUTHORIZED, FORBIDDEN = 200, 401, 403
REDIRECTS = range(300, 400)
MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


class Check(Struct, frozen=True):
    """One thing that was looked at: what was found, and (unless all is well) how to mend it."""

    name: str
    state: doctor_log.State
    found: str
    mend: str = ""


class _Answer(Struct, frozen=True):
    """What came back: a status and the beginning of a body, or a sentence's worth of why nothing did."""

    status: int = 0
    body: bytes = b""
    trouble: str = ""


def command(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check configuration, extras, models, port, keys, endpoints and the log. Exit 1 if a check fails."""
    checks = [_python()]
    try:
        settings, notes = settings_or_found(config)
    except SettingsError as error:
        checks.append(Check("configuration", "fail", str(error), "Correct what the sentence names."))
        _report(checks, as_json=as_json)
        raise typer.Exit(2) from None
    checks.append(Check("configuration", "ok", " ".join((_origin(config), *notes))))
    checks += [
        *_policy(settings, config),
        *_extras(settings),
        *_models(settings),
        *_classifiers(settings),
        *_keys(settings, os.environ),
    ]
    checks += run(_network(settings, os.environ))
    log = home() / settings.store.path
    checks += [_signals(settings), _state_folder(home()), _log(log), *_promises(settings, log)]
    _report(checks, as_json=as_json)
    if any(check.state == "fail" for check in checks):
        raise typer.Exit(1)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", "fail", f"This is Python {version}.", "Install Python 3.11 or newer.")
    return Check("python", "ok", f"This is Python {version}.")


def _origin(config: Path | None) -> str:
    if config is not None or Path("edgewise.toml").exists():
        return f"{config or 'edgewise.toml'} is in order."
    return "There is no edgewise.toml here, so the defaults hold."


def _policy(settings: Settings, config: Path | None) -> Iterator[Check]:
    """Whether the bundles of trained policies load; other policies need nothing."""
    if not uses_bundle(settings):
        return
    problem = policy_problem(settings, config)
    if problem is None:
        yield from _deployed(settings)
        yield from _features(settings)
    else:
        mend = "Train it with edgewise train, or name its folder in the policy's bundle."
        yield Check("policy", "fail", problem, mend)


def _features(settings: Settings) -> Iterator[Check]:
    """Whether the endpoint that makes the bundles' vectors does, where one does."""
    from edgewise.cli.doctor_features import features_problem  # noqa: PLC0415 - loaded when used

    if (told := features_problem(settings)) is not None:
        found, mend = told
        yield Check("features", "warn" if mend else "ok", found, mend)


def _deployed(settings: Settings) -> Iterator[Check]:
    """Whether what `edgewise deploy` put in charge loads, where a policy follows it."""
    if not any(policy.bundle == DEPLOYED for policy in (settings.policy, *settings.policies.values())):
        yield Check("policy", "ok", "Its bundle loads.")
        return
    from edgewise.learning.deploy import FOLDER, Store, learned, problem_of  # noqa: PLC0415 - loaded when used
    from edgewise.policies import make  # noqa: PLC0415 - the same

    problem = problem_of(Store(home() / FOLDER), learned, make("complexity"))
    if problem is None:
        yield Check("policy", "ok", "What is deployed loads.")
    else:
        mend = (
            "Undo it with edgewise deploy --rollback, or deploy a sound bundle; serve begins with the rule."
        )
        yield Check("policy", "fail", f"What is deployed cannot be served: {problem}", mend)


def _embedded(settings: Settings) -> list[str]:
    """The models that run inside Edgewise, each once, in the order of the file."""
    return list(dict.fromkeys(c.embedded for c in settings.candidates if c.embedded is not None))


def _extras(settings: Settings) -> Iterator[Check]:
    for extra, packages in EXTRAS.items():
        missing = [package for package in packages if find_spec(package) is None]
        needed = extra == "edge" and bool(_embedded(settings))
        if not missing:
            yield Check(f"extra {extra}", "ok", f"{', '.join(packages)}: installed.")
            continue
        lost = "embedded models cannot run" if extra == "edge" else "there are no embeddings"
        mend = f"pip install 'edgewise[{extra}]'"
        yield Check(
            f"extra {extra}",
            "fail" if needed else "warn",
            f"Without {', '.join(missing)}, {lost}.",
            f"Run {mend}.",
        )


def _models(settings: Settings) -> Iterator[Check]:
    """Whether the model files are there; a missing embeddings model spoils nothing else."""
    from edgewise import assets  # noqa: PLC0415 - hashing tools load only when files are looked at

    embedded = _embedded(settings)
    for model in dict.fromkeys((*embedded, settings.embeddings.model)):
        name = f"model {model}"
        bad: Literal["fail", "warn"] = "fail" if model in embedded else "warn"
        if model not in assets.KNOWN:
            kind = ".gguf" if model in embedded else ".onnx"  # chat models, and sentence vectors
            fit = [name for name, one in assets.KNOWN.items() if one.files[0].name.endswith(kind)]
            mend = f"Use {' or '.join(fit)} in its place."
            yield Check(name, bad, "Edgewise knows no such model.", mend)
            continue
        status = assets.status(model)
        if status.ready:
            yield Check(name, "ok", f"It lies in {status.path}.")
        else:
            found = f"{status.problem or 'Its files are not here'}."
            yield Check(name, bad, found, f"Run edgewise models pull {model}.")


def _classifiers(settings: Settings) -> Iterator[Check]:
    """Whether each classifier's bundle can be run."""
    from edgewise.cli.doctor_classifiers import classifiers  # noqa: PLC0415 - loaded when used

    for name, found, mend in classifiers(settings):
        yield Check(f"classifier {name}", "fail" if mend else "ok", found, mend)


def _keys(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    named = [c.api_key_env for c in settings.candidates if c.api_key_env is not None]
    for variable in dict.fromkeys(named):
        if environ.get(variable, "").strip():
            yield Check(f"key {variable}", "ok", "It is set.")
        else:
            mend = f"Set {variable} in the environment or in a .env beside edgewise.toml."
            yield Check(f"key {variable}", "fail", "It is not set.", mend)


async def _network(settings: Settings, environ: Mapping[str, str]) -> list[Check]:
    """The server's own port and every endpoint, asked at the same time."""
    asked = [_endpoint(c, environ) for c in settings.candidates if c.url is not None]
    return list(await asyncio.gather(_port(settings.server), *asked))


async def _port(server: ServerSettings) -> Check:
    name, where = "port", f"{server.host}:{server.port}"
    trouble = _cannot_bind(server)
    if trouble is None:
        return Check(name, "ok", f"{where} is free.")
    if await _is_edgewise(server):
        return Check(name, "ok", f"An Edgewise listens on {where} already.")
    mend = "End what listens there, or choose another with --port or [server] port."
    return Check(name, "fail", f"Cannot listen on {where} ({trouble}).", mend)


def _cannot_bind(server: ServerSettings) -> str | None:
    """Why the gateway could not listen there, or None."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if sys.platform != "win32":  # there it would let two listen
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((server.host, server.port))
    except OSError as error:
        return error.strerror or str(error)
    return None


async def _is_edgewise(server: ServerSettings) -> bool:
    """Whether whoever answers there speaks as we do: alive, and with our models, or behind a key."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on
    host = anywhere.get(server.host, server.host)
    base = f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
    alive, models = await asyncio.gather(_get(f"{base}/healthz"), _get(f"{base}/v1/models"))
    if alive.status != OK or b'"ok"' not in alive.body:
        return False
    if models.status == UNAUTHORIZED:
        return b'"invalid_api_key"' in models.body
    return any(model.owned_by == "edgewise" for model in listed_in(models.body) or ())


async def _endpoint(candidate: CandidateSettings, environ: Mapping[str, str]) -> Check:
    """Ask the endpoint for its models, with the key that requests would carry."""
    name, base = f"endpoint {candidate.id}", (candidate.url or "").rstrip("/")
    key = environ.get(candidate.api_key_env or "", "")
    answer = await _get(f"{base}{LISTS_AT[candidate.api]}", _credentials(base, key) if key else {})
    host = urlsplit(base).netloc
    if answer.status == OK:
        return _lists(candidate, name, host, answer)
    if answer.trouble:
        return Check(name, "fail", f"{host} {answer.trouble}.", "Start it, or correct the candidate's url.")
    if answer.status in (UNAUTHORIZED, FORBIDDEN):
        found, mend = f"{host} refuses the key in {candidate.api_key_env}", "Put a valid key there."
        if not key:
            found = f"{host} wants a key"
            mend = "Name the variable that holds it in the candidate's api_key_env, and set it."
        return Check(name, "fail", f"{found} (HTTP {answer.status}).", mend)
    if answer.status in REDIRECTS:
        mend = "Put the address that it points to into the candidate's url; redirects are not followed."
        return Check(name, "fail", f"{host} points elsewhere (HTTP {answer.status}).", mend)
    mend = f"{ENDS_AT[candidate.api]} Then try again."
    return Check(name, "warn", f"{host} answers, but lists no models (HTTP {answer.status}).", mend)


def _lists(candidate: CandidateSettings, name: str, host: str, answer: _Answer) -> Check:
    listed = listed_in(answer.body, candidate.api)
    if listed is None:
        mend = ENDS_AT[candidate.api]
        return Check(name, "warn", f"{host} answers, but not with a list of models.", mend)
    model = candidate.model or candidate.id
    # Ollama adds a tag, Gemini a prefix, Anthropic a date to the name that a request may use.
    if not listed or any(
        m.id == model or m.id.endswith(f"/{model}") or m.id.startswith(model) for m in listed
    ):
        return Check(name, "ok", f"{host} answers and takes requests for {model}.")
    offered = ", ".join(ascii(m.id[:60])[1:-1] for m in listed[:MOST_NAMED])
    mend = f"Set the candidate's model to one of {offered}{' …' if len(listed) > MOST_NAMED else ''}."
    return Check(name, "warn", f"{host} answers, but does not list {model}.", mend)


def _credentials(base: str, key: str) -> dict[str, str]:
    if base.startswith(ANTHROPIC):  # its compatible endpoint takes a bearer, its list of models does not
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return {"authorization": f"Bearer {key}"}


async def _get(url: str, headers: Mapping[str, str] | None = None) -> _Answer:
    return await asyncio.to_thread(_get_now, url, headers or {})


def _get_now(url: str, headers: Mapping[str, str]) -> _Answer:
    """One GET without redirects, through the environment's proxies unless the host is this machine.

    The standard library's client, because this process ends right after: the gateway's own has threads
    that do not like that.
    """
    from http.client import HTTPException  # noqa: PLC0415 - only doctor needs this client
    from urllib import error, request  # noqa: PLC0415 - the same

    here = is_loopback(urlsplit(url).hostname or "")
    opener = request.OpenerDirector()  # bare: it neither follows redirects nor raises for a status
    for handler in (
        request.ProxyHandler({} if here else None),
        request.HTTPHandler(),
        request.HTTPSHandler(),
    ):
        opener.add_handler(handler)
    try:
        asked = request.Request(url, headers=dict(headers))  # noqa: S310 - settings allow http and https only
        with opener.open(asked, timeout=PATIENCE_S) as answer:
            return _Answer(answer.status, answer.read(LONGEST_BODY_BYTES))
    except TimeoutError:
        return _Answer(trouble=f"did not answer within {PATIENCE_S:g} s")
    except error.URLError as failure:
        return _Answer(trouble=_unreachable(failure.reason))
    except (OSError, HTTPException):
        return _Answer(trouble="broke the connection off")
    except ValueError:
        return _Answer(trouble="was not asked, because the key has characters that no header can carry")


def _unreachable(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return f"did not answer within {PATIENCE_S:g} s"
    said = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
    return f"cannot be reached ({str(said)[:100]})"


def _signals(settings: Settings) -> Check:
    try:
        found, mend = look(settings)
    except SettingsError as error:
        return Check("signals", "fail", str(error), "Install it, or take it out of [signals] custom.")
    return Check("signals", "warn" if mend else "ok", found, mend)


def _state_folder(folder: Path) -> Check:
    """Whether files can be made there, or where it would be made. Nothing is left behind."""
    name, mend = "state folder", "Make it writable, or set EDGEWISE_HOME to another folder."
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Check(name, "fail", f"Nothing can be written to {there} ({error.strerror}).", mend)
    return Check(name, "ok", f"{folder} is writable." if there == folder else f"{folder} will be made.")


def _log(path: Path) -> Check:
    state, found, mend = doctor_log.look(path)
    return Check("log", state, found, mend)


def _promises(settings: Settings, log: Path) -> Iterator[Check]:
    """What was promised of classifiers, and whether it still holds."""
    for found in doctor_promises.look(settings, log):
        yield Check(f"promise of {found.candidate}", found.state, found.sentence, found.mend)


def _report(checks: list[Check], *, as_json: bool) -> None:
    failed = sum(check.state == "fail" for check in checks)
    if as_json:
        print_json({"ok": not failed, "checks": checks})
        return
    width = max(len(check.name) for check in checks)
    for check in checks:
        out(f"{MARKS[check.state]}  {check.name:<{width}}  {check.found}")
        if check.mend:
            out(f"{'':{width + 6}}  {check.mend}")
    out(f"\n{failed} of {len(checks)} checks failed." if failed else f"\nAll {len(checks)} checks passed.")

"""What goes wrong is pydantic-ai's own error, and a router that nobody opened is opened."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic_ai import Agent, ModelHTTPError, UserError
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelNotFoundError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from pydantic_ai.exceptions import (
    ModelContextWindowExceededError as TooLong,
)
from tests.integrations.features import feature
from tests.integrations.talkers import Talker

from edgewise import EdgewiseError, Router
from edgewise.domain.candidates import Objection
from edgewise.domain.errors import (
    CircuitOpen,
    LimitReached,
    MissingExtra,
    NoEligibleCandidate,
    Overloaded,
    RequestError,
    SettingsError,
    UnknownModel,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
    WouldLeave,
)
from edgewise.integrations.pydantic_ai import RoutedModel
from edgewise.integrations.pydantic_ai.errors import error_of

SCRIPT = '[[candidates]]\nid = "one"\nlocation = "edge"\nscript = { replies = ["Yes."] }\n'


def refused(status: int, code: str = "") -> UpstreamRefused:
    body = f'{{"error": {{"code": "{code}"}}}}'.encode() if code else b"no"
    return UpstreamRefused("It said no.", status=status, body=body, retry_after="7")


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (UnknownModel("No such model."), ModelNotFoundError, 404),
        (RequestError("Bad."), ModelRequestRejectedError, 400),
        (NoEligibleCandidate([Objection("a", "privacy", "no")]), ModelRequestRejectedError, 400),
        (NoEligibleCandidate([Objection("a", "connectivity", "off")]), ModelUnavailableError, 503),
        (
            NoEligibleCandidate([Objection("a", "capability", "context")]),
            TooLong,
            400,
        ),
        (LimitReached("Enough.", retry_after_s=3.0), ModelRateLimitError, 429),
        (refused(401), ModelAuthenticationError, 401),
        (refused(429), ModelRateLimitError, 429),
        (refused(429, "insufficient_quota"), ModelQuotaExceededError, 429),
        (refused(400, "context_length_exceeded"), TooLong, 400),
        (refused(529), ModelOverloadedError, 529),
        (refused(500), ModelServerError, 500),
        (refused(418), ModelHTTPError, 418),
        (UpstreamTimeout("Late."), ModelTimeoutError, None),
        (UpstreamUnreachable("Gone."), ModelConnectionError, None),
        (Overloaded("Busy.", retry_after_s=2.0), ModelOverloadedError, None),
        (CircuitOpen("Resting.", retry_after_s=2.0), ModelUnavailableError, None),
        (WouldLeave("Private."), ModelRequestRejectedError, None),
        (UpstreamError("Broken."), ModelServerError, None),
        (SettingsError("Wrong."), UserError, None),
        (MissingExtra("This", "learn"), UserError, None),
    ],
)
def test_each_error_is_pydantic_ais_own(error: EdgewiseError, kind: type, status: int | None) -> None:
    made = error_of(error, "auto")
    assert isinstance(made, kind)
    assert getattr(made, "status_code", None) == status


def test_when_to_come_back_is_passed_on() -> None:
    for error, seconds in [(refused(429), 7.0), (LimitReached("Enough.", retry_after_s=3.0), 3.0)]:
        made = error_of(error, "auto")
        assert isinstance(made, ModelAPIError)
        assert made.retry_after == seconds


@feature("errors")
def test_a_failure_is_caught_as_a_models(router: Router, edge: Talker, cloud: Talker) -> None:
    edge.say = cloud.say = lambda _: 401
    with pytest.raises(ModelAuthenticationError, match="says no") as caught:
        Agent(RoutedModel(router)).run_sync("Hello?")
    assert isinstance(caught.value.__cause__, UpstreamRefused)
    with pytest.raises(ModelNotFoundError, match="Did you mean 'cloud'"):
        Agent(RoutedModel(router, "clod")).run_sync("Hello?")


@feature("errors")
def test_a_stream_that_breaks_says_so(router: Router, edge: Talker) -> None:
    edge.breaks = True

    async def listen() -> None:
        async with Agent(RoutedModel(router)).run_stream("Capital?") as run:
            await run.get_output()

    with pytest.raises(ModelConnectionError, match=r"edge ended its stream without \[DONE\]") as caught:
        asyncio.run(listen())
    assert caught.value.in_stream


def test_a_configuration_that_is_not_there_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        Agent(RoutedModel(tmp_path / "nowhere.toml")).run_sync("Hello?")


@pytest.mark.parametrize("make", [str, Path, Router])
def test_it_is_opened_when_it_is_asked_and_closed_where_it_was_entered(
    tmp_path: Path, make: Callable[[str], str | Path | Router]
) -> None:
    (tmp_path / "mine.toml").write_text(SCRIPT)
    source = make(str(tmp_path / "mine.toml"))
    model = RoutedModel(source)

    async def use() -> None:
        async with model, model:
            results = await asyncio.gather(*(Agent(model).run("Well?") for _ in range(5)))
            assert {result.output for result in results} == {"Yes."}
        if isinstance(source, Router):
            with pytest.raises(EdgewiseError, match="not open"):
                _ = source.opened

    asyncio.run(use())
    asyncio.run(use())  # and again, on another event loop


def test_a_router_that_is_open_is_left_open(router: Router) -> None:
    async def use() -> None:
        async with RoutedModel(router) as model:
            await Agent(model).run("Hello?")

    asyncio.run(use())
    assert router.candidates


def test_a_program_that_closes_nothing_ends(tmp_path: Path) -> None:
    (tmp_path / "edgewise.toml").write_text(SCRIPT)
    program = (
        "from pydantic_ai import Agent\nfrom edgewise.integrations.pydantic_ai import RoutedModel\n"
        "print(Agent(RoutedModel()).run_sync('Well?').output)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "EDGEWISE_HOME": str(tmp_path)},
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "Yes.\n", "")

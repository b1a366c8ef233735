"""Who hears of an alert: Edgewise's own log, a signed webhook, a command."""

from __future__ import annotations

import asyncio
import hmac
import logging
from os import environ
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from edgewise.domain.errors import SettingsError, UpstreamError
from edgewise.monitors.production.ending import ended, started
from edgewise.upstreams.transports import transport_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from edgewise.monitors.production.alerts import Change
    from edgewise.settings.monitoring import MonitorSettings

    Deliver = Callable[[Change, float], Awaitable[None]]

logger = logging.getLogger("edgewise.alerts")
WEBHOOK_TIMEOUT_S: Final = 10.0  # of silence
WEBHOOK_WHOLE_S: Final = 30.0  # of an answer that drips
COMMAND_TIMEOUT_S: Final = 30.0
PAUSES_S: Final = (1.0, 5.0, 25.0)  # between four tries
MOST_ANSWER_BYTES: Final = 65_536
TOO_MANY, SERVER_ERROR, TIMED_OUT = 429, 500, 408


def body_of(change: Change) -> bytes:
    """What a webhook and a command are told: `step`, `sentence` and the alert, as one line of JSON."""
    return msgspec.json.encode(
        {"step": change.step, "sentence": change.alert.sentence, "alert": change.alert}
    )


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=UNIX,v1=HEX`: the HMAC-SHA-256 of `UNIX.BODY`. Whoever checks it also checks how old `t` is."""
    digest = hmac.digest(secret.encode(), b"%d." % at + body, "sha256").hex()
    return f"t={at},v1={digest}"


async def to_log(change: Change, now: float) -> None:
    """A line in Edgewise's own log."""
    del now
    level = logging.WARNING if change.step == "began" else logging.INFO
    logger.log(level, "Alert %s %s: %s", change.alert.name, change.step, change.alert.sentence)


class Webhook:
    """POSTs each change to `url`, signed with `secret`, up to four times until it is taken.

    It is tried again where nobody answers and after 408, 429 and 5xx; another answer than 2xx is final. A
    redirect is not followed. The signature of each try has that try's time.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        whole_s: float = WEBHOOK_WHOLE_S,
    ) -> None:
        parts = urlsplit(url)
        self._base, self._path = f"{parts.scheme}://{parts.netloc}", parts.path or "/"
        self._secret, self._sleep, self._whole_s = secret, sleep, whole_s

    async def __call__(self, change: Change, now: float) -> None:
        """Deliver, or say in the log that it could not be done. Never raises."""
        body, waited = body_of(change), 0.0
        problem = await self._try(body, now)
        for pause_s in PAUSES_S:
            if problem is None or not problem[1]:
                break
            await self._sleep(pause_s)
            waited += pause_s
            problem = await self._try(body, now + waited)
        if problem is not None:
            logger.error("The webhook did not take alert %s: %s", change.alert.name, problem[0])

    async def _try(self, body: bytes, now: float) -> tuple[str, bool] | None:
        """What went wrong, and whether another try may help; None where it was taken."""
        headers = {
            "content-type": "application/json",
            "user-agent": "edgewise",
            "x-edgewise-signature": signature(self._secret, body, int(now)),
        }
        transport = transport_for(
            "the webhook", self._base, headers, timeout_s=WEBHOOK_TIMEOUT_S, most_bytes=MOST_ANSWER_BYTES
        )
        try:
            async with asyncio.timeout(self._whole_s):
                status = (await transport.post(self._path, body, stream=False)).status
        except UpstreamError as error:
            return str(error), True
        except TimeoutError:
            return f"its answer took longer than {self._whole_s:g} s.", True
        finally:
            await transport.aclose()
        if 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
            return None
        return f"it answered with HTTP {status}.", status in (TIMED_OUT, TOO_MANY) or status >= SERVER_ERROR


class Command:
    """Starts a program for each change, without a shell; it reads the change from standard input.

    It gets the environment without the variables in `hidden`, and `COMMAND_TIMEOUT_S` seconds.
    """

    def __init__(
        self, words: tuple[str, ...], hidden: tuple[str, ...] = (), timeout_s: float = COMMAND_TIMEOUT_S
    ) -> None:
        self._words, self._hidden, self._timeout_s = words, hidden, timeout_s

    async def __call__(self, change: Change, now: float) -> None:
        """Run it, or say in the log that it failed. Never raises."""
        del now
        kept = {name: value for name, value in environ.items() if name not in self._hidden}
        quiet = asyncio.subprocess.DEVNULL
        try:
            process = await started(
                self._words, stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet, env=kept
            )
        except (OSError, ValueError) as error:
            logger.error("The command for alert %s cannot be started: %s", change.alert.name, error)  # noqa: TRY400 - one sentence is enough
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                await process.communicate(body_of(change) + b"\n")
        except TimeoutError:
            logger.error("The command for alert %s took too long and was ended.", change.alert.name)  # noqa: TRY400 - the same
        finally:
            await ended(process)
        if process.returncode and process.returncode > 0:
            logger.error(
                "The command for alert %s ended with code %d.", change.alert.name, process.returncode
            )


def deliveries_for(settings: MonitorSettings, env: Mapping[str, str] | None = None) -> tuple[Deliver, ...]:
    """Everybody who hears of an alert. Raises SettingsError where the webhook's secret is not there."""
    variables = environ if env is None else env
    to: list[Deliver] = [to_log]
    if settings.webhook is not None and settings.secret_env is not None:
        secret = variables.get(settings.secret_env)
        if not secret:
            raise SettingsError(
                f"The environment variable {settings.secret_env}, which monitor.secret_env names, is not set."
            )
        to.append(Webhook(settings.webhook, secret))
    if settings.command:
        hidden = () if settings.secret_env is None else (settings.secret_env,)
        to.append(Command(settings.command, hidden))
    return tuple(to)

"""The parent's side: start the child, hand it code and arguments, read results within limits."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewise.learning.graders.same import same

if TYPE_CHECKING:
    from collections.abc import Sequence

CHILD = Path(__file__).with_name("child.py")
STARTING_S = 10.0  # for a busy machine; the code's own time begins after it
MOST_BYTES = 2_000_000  # of results
PIECE = 65_536
LIMITLESS = "Code is not run here: this system can set no limits to it."


class Crash(Exception):
    """The code did not come to its end; a sentence that says why."""


class Unsafe(Exception):
    """The code was not run, because it could not be held in; a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one call gave: a JSON value, or an error's name."""

    value: Any = None
    error: str | None = None

    def gives(self, expected: Any) -> bool:
        """Whether that is the expected value; fractions within a billionth."""
        return self.error is None and same(self.value, expected)


def run(code: str, function: str, arguments: Sequence[Sequence[Any]], *, timeout_s: float) -> list[Result]:
    """What `function` of `code` gives for each of the arguments. Blocks up to `timeout_s` and a start.

    Raises `Crash` where the code cannot be run to its end in time, `Unsafe` where it may not be run.
    """
    if os.name != "posix":
        raise Unsafe(LIMITLESS)
    task = {"code": code, "function": function, "arguments": list(arguments), "seconds": timeout_s}
    with tempfile.TemporaryDirectory(prefix="edgewise-code-") as folder:
        command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(CHILD)]
        pipe = subprocess.PIPE
        child = subprocess.Popen(  # noqa: S603 - our own script; the code comes in through a pipe
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={},
            start_new_session=True,
        )
        try:
            return _results(_said(child, json.dumps(task).encode(), timeout_s), len(arguments))
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.kill()
            with suppress(OSError):
                child.communicate()


def _said(child: subprocess.Popen[bytes], task: bytes, timeout_s: float) -> bytes:
    """Everything that the child writes, up to a limit, while its time lasts."""
    if child.stdin is None or child.stdout is None:
        raise Crash("It could not be started.")
    with suppress(BrokenPipeError):
        child.stdin.write(task)
        child.stdin.close()
    child.stdin = None
    said, deadline = b"", time.monotonic() + STARTING_S + timeout_s
    started = False
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while len(said) <= MOST_BYTES:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise Crash(f"It did not end within {timeout_s:g} s.")
            piece = os.read(child.stdout.fileno(), PIECE)
            if not piece:
                return said
            said += piece
            if not started:
                started, deadline = True, time.monotonic() + timeout_s
    raise Crash("It gives back more than can be read.")


def _results(said: bytes, count: int) -> list[Result]:
    """The child's lines: whether it is held in, then either an error of the code or a line a call."""
    try:
        lines = [json.loads(line) for line in said.decode("utf-8").splitlines()]
    except (ValueError, RecursionError):
        raise Crash("What it gives back cannot be read.") from None
    match lines:
        case [{"unsafe": str() as why}, *_]:
            raise Unsafe(f"Code is not run here: {why}.")
        case [{"ready": True}, {"error": str() as error}]:
            raise Crash(f"The code cannot be run: {error}.")
        case [{"ready": True}, *results] if len(results) == count:
            return [_result(line) for line in results]
        case _:
            raise Crash("It ended before all calls were done.")


def _result(line: Any) -> Result:
    match line:
        case {"value": value}:
            return Result(value)
        case {"raised": str() as name}:
            return Result(error=name)
        case _:
            return Result(error="nothing")

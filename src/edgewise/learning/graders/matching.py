"""Regular expressions that may take forever: tried in a child process, which is ended in time.

A thread would not do: while Python matches it holds the interpreter's lock, and a pattern such as
`(a+)+$` would stop everything else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from queue import Empty, Queue

TIMEOUT_S = 1.0
STARTING_S = 20.0  # how long the child may take to come up on a busy machine
CHILD = """
import json, re, sys
print(flush=True)
for line in sys.stdin:
    pattern, flags, text, search = json.loads(line)
    found = (re.search if search else re.fullmatch)(pattern, text, flags)
    print(int(found is not None), flush=True)
"""


class Matcher:
    """One child, started when it is first needed and again after it had to be ended; for any thread.

    It ends by itself when its standard input is closed, that is when this process does, however it ends.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self.timeout_s = timeout_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._lines: Queue[str] = Queue()

    def matches(self, pattern: str, flags: int, text: str, *, search: bool) -> bool | None:
        """Whether the pattern matches; None where that took too long."""
        with self._lock:
            child = self._running()
            try:
                if child.stdin is not None:
                    child.stdin.write(json.dumps([pattern, flags, text, search]) + "\n")
                    child.stdin.flush()
                return self._lines.get(timeout=self.timeout_s).strip() == "1"
            except (Empty, OSError):
                self._end()
                return None

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _running(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            command = [sys.executable, "-I", "-S", "-B", "-c", CHILD]
            pipe = subprocess.PIPE
            child = subprocess.Popen(command, stdin=pipe, stdout=pipe, env={}, text=True, encoding="utf-8")  # noqa: S603 - our own script
            lines: Queue[str] = Queue()
            threading.Thread(target=_read, args=(child, lines), daemon=True).start()
            self._child, self._lines = child, lines
            with suppress(Empty):
                lines.get(timeout=STARTING_S)
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with suppress(OSError):
                child.communicate()


def _read(child: subprocess.Popen[str], lines: Queue[str]) -> None:
    with suppress(ValueError, OSError):
        for line in child.stdout or ():
            lines.put(line)


_matcher = Matcher()
matches = _matcher.matches

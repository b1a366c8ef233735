"""`edgewise` in processes of their own that need not start: forked from one that has loaded it already."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

from edgewise.cli import COMMANDS, main

PATIENCE_S = 900.0
MOST = 1 << 20
AT_START = ("PYTHON", "OMP_", "OPENBLAS_", "MKL_", "LC_", "LANG")  # what is read only when a process starts


def edgewise(
    *words: str | Path,
    given: bytes = b"",
    cwd: Path | None = None,
    stdout: int = subprocess.PIPE,
    **more: str,
) -> subprocess.CompletedProcess[bytes]:
    """What `subprocess.run` gives of `edgewise WORDS` with this environment and `more`; all in bytes."""
    env = {**os.environ, **more}
    command = [sys.executable, "-m", "edgewise.cli", *map(str, words)]
    if not forks(env):
        return subprocess.run(
            command,
            input=given,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_S,
            check=False,
            cwd=cwd,
            env=env,
        )
    with ThreadPoolExecutor(3) as pool, ExitStack() as theirs:
        source, put = os.pipe()
        said, out = os.pipe() if stdout == subprocess.PIPE else (None, os.dup(stdout))
        told, err = os.pipe()
        for fd in (source, out, err):
            theirs.callback(os.close, fd)
        child = start(list(map(str, words)), env, [source, out, err], cwd=cwd)
        theirs.close()
        pool.submit(_write, put, given)
        read = None if said is None else pool.submit(_read, said)
        heard = pool.submit(_read, told)
        try:
            code = child.wait(PATIENCE_S)
        finally:
            child.kill()
        return subprocess.CompletedProcess(
            command, code, None if read is None else read.result(), heard.result()
        )


def decoded(ran: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[str]:
    """The same with its outputs as text."""
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def forks(env: Mapping[str, str]) -> bool:
    """Whether a process with this environment can be forked, or has to start with it."""
    return _at_start(env) == _nursery().at_start


def start(words: Sequence[str], env: Mapping[str, str], fds: Sequence[int], cwd: Path | None = None) -> Child:
    """`edgewise WORDS` with these three descriptors."""
    asked = {"words": ["edgewise", *words], "cwd": str(cwd or Path.cwd()), "env": dict(env)}
    return _nursery().fork(asked, fds)


class Child:
    """A process as `subprocess.Popen` has it."""

    def __init__(self, pid: int, ended: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative where a signal ended it. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            self.returncode = int(_read(self._ended))
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to it, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class _Nursery:
    """The process that forks. It has one thread and runs no command itself; it ends with the tests."""

    def __init__(self) -> None:
        self.at_start = _at_start(os.environ)
        self._line, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(PATIENCE_S)
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked", str(there.fileno())],
                pass_fds=[there.fileno()],
                cwd=Path(__file__).parent.parent,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # threads would not outlive a fork
                start_new_session=True,
            )
        atexit.register(self.close)

    def close(self) -> None:
        """Let it end, which it does when nobody can ask it any more."""
        self._line.close()
        self._process.wait()

    def fork(self, asked: Mapping[str, Any], fds: Sequence[int]) -> Child:
        ended, told = os.pipe()
        try:
            socket.send_fds(self._line, [json.dumps(asked).encode()], [*fds, told])
            return Child(int(self._line.recv(MOST)), ended)
        finally:
            os.close(told)


_nursery = cache(_Nursery)


def _at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(AT_START)}


def _write(fd: int, data: bytes) -> None:
    with open(fd, "wb") as file:
        file.write(data)


def _read(fd: int) -> bytes:
    with open(fd, "rb") as file:
        return file.read()


def _serve(line: socket.socket) -> None:
    """Fork whenever that is asked for, and tell how each child ended."""
    for name in COMMANDS:
        import_module(f"edgewise.cli.{name}")
    for name in ("edgewise.app", "edgewise.gateway", "edgewise.learning.train", "uvicorn", "uvloop"):
        with suppress(ModuleNotFoundError):  # where only an adapter's own library is installed
            import_module(name)
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, int] = {}
    sources: list[Any] = [line, woken]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if woken in ready:
            os.read(woken, MOST)
            _bury(running)
        if line in ready:
            asked, fds, _, _ = socket.recv_fds(line, MOST, 4)
            if not asked:
                return
            pid = os.fork()
            if pid == 0:
                for fd in (line.detach(), woken, wake, fds.pop(), *running.values()):
                    signal.set_wakeup_fd(-1)
                    os.close(fd)
                _be(json.loads(asked), fds)
            *theirs, running[pid] = fds
            for fd in theirs:
                os.close(fd)
            line.send(str(pid).encode())


def _bury(running: dict[int, int]) -> None:
    for pid in list(running):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            with suppress(BrokenPipeError):  # nobody asks any more how it ended
                _write(running.pop(pid), str(os.waitstatus_to_exitcode(status)).encode())


def _be(asked: dict[str, Any], fds: Sequence[int]) -> NoReturn:
    """Run the command in this process, which is nobody's but its own."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for place, fd in enumerate(fds):
        os.dup2(fd, place)
        os.close(fd)
    sys.stdin, sys.stdout, sys.stderr = _opened(0, "r"), _opened(1, "w"), _opened(2, "w")
    os.environ.clear()
    os.environ.update(asked["env"])
    code: object = 1
    try:
        os.chdir(asked["cwd"])
        sys.argv, sys.path[0] = asked["words"], asked["cwd"]
        main()
        code = 0
    except SystemExit as done:
        code = done.code
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _opened(fd: int, mode: str) -> IO[Any]:
    """What the interpreter makes of a descriptor: standard error is written line by line."""
    lines, errors = (1, "backslashreplace") if fd == 2 else (-1, "strict")
    return open(fd, mode, lines, encoding="utf-8", errors=errors, closefd=False)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))

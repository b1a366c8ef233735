"""`edgewise` in processes of their own that need not start: forked from one that has loaded it already."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

from edgewise.cli import COMMANDS, main

PATIENCE_S = 120.0
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
    if _at_start(env) != nursery().at_start:
        return subprocess.run(
            command, input=given, stdout=stdout, stderr=-1, timeout=PATIENCE_S, check=False, cwd=cwd, env=env
        )
    asked = {"words": ["edgewise", *map(str, words)], "cwd": str(cwd or Path.cwd()), "env": env}
    return subprocess.CompletedProcess(command, *nursery().run(asked, given, stdout))


def decoded(ran: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[str]:
    """The same with its outputs as text."""
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())


class Nursery:
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

    def run(self, asked: Mapping[str, Any], given: bytes, stdout: int) -> tuple[int, bytes | None, bytes]:
        """The exit code, standard output where that is a pipe, and standard error."""
        with ThreadPoolExecutor(3) as pool, ExitStack() as theirs:
            source, put = os.pipe()
            said, out = os.pipe() if stdout == subprocess.PIPE else (None, os.dup(stdout))
            told, err = os.pipe()
            for fd in (source, out, err):
                theirs.callback(os.close, fd)
            pool.submit(_write, put, given)
            read = None if said is None else pool.submit(_read, said)
            heard = pool.submit(_read, told)
            socket.send_fds(self._line, [json.dumps(asked).encode()], [source, out, err])
            theirs.close()
            try:
                code = int(self._line.recv(MOST))
            except TimeoutError:
                os.killpg(self._process.pid, signal.SIGKILL)
                nursery.cache_clear()  # the next command finds a new one
                raise
            return code, None if read is None else read.result(), heard.result()


@cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery()


def _at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(AT_START)}


def _write(fd: int, data: bytes) -> None:
    with open(fd, "wb") as file:
        file.write(data)


def _read(fd: int) -> bytes:
    with open(fd, "rb") as file:
        return file.read()


def _serve(line: socket.socket) -> None:
    for name in COMMANDS:
        import_module(f"edgewise.cli.{name}")
    for name in ("edgewise.app", "edgewise.learning.train"):
        import_module(name)
    while True:
        asked, fds, _, _ = socket.recv_fds(line, MOST, 3)
        if not asked:
            return
        pid = os.fork()
        if pid == 0:
            line.close()
            _be(json.loads(asked), fds)
        for fd in fds:
            os.close(fd)
        _, status = os.waitpid(pid, 0)
        line.send(str(os.waitstatus_to_exitcode(status)).encode())


def _be(asked: dict[str, Any], fds: Sequence[int]) -> NoReturn:
    """Run the command in this process, which is nobody's but its own."""
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
    errors = "backslashreplace" if fd == 2 else "strict"
    return open(fd, mode, encoding="utf-8", errors=errors, closefd=False)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))

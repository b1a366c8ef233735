"""The embedded runtime's life: one start for all, back after a crash, gone with its parent."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from edgewise import assets
from edgewise.domain.errors import AssetError, MissingExtra, UpstreamTimeout, UpstreamUnreachable
from edgewise.upstreams.embedded import Backoff, EmbeddedRuntime

PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def model() -> Path:
    """The real model; where it was not pulled, the error says how to."""
    return assets.path_of("smollm2-135m")


@asynccontextmanager
async def closing(runtime: EmbeddedRuntime):
    try:
        yield runtime
    finally:
        await runtime.aclose()


def healthy(url: str) -> bool:
    parts = urlsplit(url)
    asked = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)
    try:
        asked.request("GET", parts.path.removesuffix("/v1") + "/health")
        return asked.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        asked.close()


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def fake_python(tmp_path: Path, script: str) -> str:
    """Something to start in the interpreter's place."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_one_start_for_all_and_a_new_one_after_a_crash(run: Callable[..., Any], model: Path) -> None:
    async def live() -> None:
        async with closing(EmbeddedRuntime.of("smollm2-135m")) as runtime:
            assert (runtime.pid, runtime.context_tokens) == (None, None)
            first, second = await asyncio.gather(runtime.url(), runtime.url())
            assert first == second == await runtime.url()
            assert (runtime.starts, runtime.context_tokens) == (1, 8192)
            assert await asyncio.to_thread(healthy, first)
            before = runtime.pid
            assert before is not None
            os.kill(before, signal.SIGKILL)
            assert runtime._child is not None
            await runtime._child.process.wait()
            after = await runtime.url()
            assert after != first
            assert runtime.starts == 2
            assert runtime.pid != before
            assert await asyncio.to_thread(healthy, after)
            pid = runtime.pid
        assert pid is not None
        assert not alive(pid)
        assert runtime.pid is None
        with pytest.raises(UpstreamUnreachable, match=r"^smollm2-135m has been stopped\.$"):
            await runtime.url()

    run(live())


def test_a_cancelled_caller_spoils_nothing(model: Path) -> None:
    async def live() -> None:
        async with closing(EmbeddedRuntime(model, "m")) as runtime:
            gone = asyncio.create_task(runtime.url())
            stays = asyncio.create_task(runtime.url())
            await asyncio.sleep(0)
            gone.cancel()
            url = await stays
            assert gone.cancelled()
            assert runtime.starts == 1
            assert await asyncio.to_thread(healthy, url)

    asyncio.run(live())


@pytest.mark.parametrize("turns", [0, 1, 5, 50])
def test_closed_while_it_starts(turns: int, model: Path) -> None:
    async def live() -> None:
        runtime = EmbeddedRuntime(model, "m")
        starting = asyncio.create_task(runtime.url())
        for _ in range(turns):
            await asyncio.sleep(0.001)
        await runtime.aclose()
        assert runtime.pid is None
        with pytest.raises(UpstreamUnreachable, match="has been stopped"):
            await starting

    asyncio.run(live())


def test_its_path_is_its_password_and_nothing_is_imported_from_here(
    model: Path, tmp_path, monkeypatch
) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise SystemExit('imported from the working folder')")
    monkeypatch.chdir(tmp_path)

    async def live() -> None:
        async with closing(EmbeddedRuntime(model, "m", slots=1, context=256)) as runtime:
            url = await runtime.url()
            assert runtime.context_tokens == 256
            assert urlsplit(url).hostname == "127.0.0.1"
            assert await asyncio.to_thread(healthy, url)
            assert not await asyncio.to_thread(healthy, f"http://{urlsplit(url).netloc}/v1")

    asyncio.run(live())


PARENT = """
import asyncio, sys
from pathlib import Path
from edgewise.upstreams.embedded import EmbeddedRuntime

async def main():
    runtime = EmbeddedRuntime(Path(sys.argv[1]), "m", slots=1, context=256)
    await runtime.url()
    print(runtime.pid, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_never_outlives_its_parent(kill: signal.Signals, model: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.send_signal(kill)
        parent.wait(PATIENCE_S)
    assert eventually(lambda: not alive(pid))


def test_the_child_ends_with_its_input_and_ignores_ctrl_c(model: Path) -> None:
    """The way out on systems whose kernel sends no signal when a parent dies."""
    child = Path(sys.modules[EmbeddedRuntime.__module__].__file__ or "").with_name("child.py")
    options = {"model": model, "alias": "m", "slots": 1, "threads": 1, "context": 256, "parent": os.getpid()}
    command = [sys.executable, "-P", str(child), *(f"--{k}={v}" for k, v in options.items())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b'{"url": "http://127.0.0.1:')
        assert process.stdout.read() == b"", "nothing follows the report"
        process.send_signal(signal.SIGINT)
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


def refused(runtime: EmbeddedRuntime, error: type[Exception], match: str) -> None:
    async def live() -> None:
        async with closing(runtime):
            with pytest.raises(error, match=match) as caught:
                await runtime.url()
            assert "\n" not in str(caught.value)
            assert runtime.pid is None

    asyncio.run(live())


def test_a_missing_file(tmp_path: Path) -> None:
    said = r"gone\.gguf is not there; run: edgewise models pull smollm2-135m$"
    refused(EmbeddedRuntime(tmp_path / "gone.gguf", "smollm2-135m"), AssetError, said)


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (lambda body: body[: len(body) // 2], "corrupted or incomplete"),
        (lambda body: b"GGUX" + body[4:1000], "expected 'GGUF'"),
        (lambda _: b"", "failed to read magic"),
    ],
    ids=["torn", "something else", "empty"],
)
def test_a_corrupt_file(cut: Callable[[bytes], bytes], said: str, model: Path, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled.gguf"
    spoiled.write_bytes(cut(model.read_bytes()))
    refused(EmbeddedRuntime(spoiled, "m"), AssetError, rf"spoiled\.gguf cannot be .*{said}.*models verify$")


def test_without_the_runtime_installed(model: Path, tmp_path: Path) -> None:
    bare = fake_python(tmp_path, f'exec "{sys.executable}" -I -S "$@"')
    said = r"the embedded edge model needs the extra 'edge': pip install 'edgewise\[edge\]'"
    refused(EmbeddedRuntime(model, "m", python=bare), MissingExtra, said)


def test_an_interpreter_that_is_not_there(model: Path) -> None:
    said = r"/nowhere/python could not be started \(No such file or directory\)"
    refused(EmbeddedRuntime(model, "m", python="/nowhere/python"), UpstreamUnreachable, said)


def test_a_child_that_hangs_is_killed(model: Path, tmp_path: Path) -> None:
    hangs = fake_python(tmp_path, f'echo "$$" > {tmp_path}/pid; echo "still thinking" >&2; exec sleep 600')
    runtime = EmbeddedRuntime(model, "m", python=hangs, start_timeout_s=0.5)
    refused(runtime, UpstreamTimeout, r"m did not start within 0\.5 s; it said: still thinking\.$")
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_child_that_crashes_is_not_started_at_every_call(model: Path, tmp_path: Path) -> None:
    crashes = fake_python(tmp_path, "echo 'boom. bang.' >&2; exit 7")

    async def live() -> None:
        async with closing(EmbeddedRuntime(model, "m", python=crashes)) as runtime:
            runtime._backoff = Backoff(first_s=0.05, most_s=3600, healthy_s=60)
            said = r"^m ended while starting, with code 7; it said: boom\. bang\.$"
            for _ in range(2):
                with pytest.raises(UpstreamUnreachable, match=said):
                    await runtime.url()
            assert runtime.starts == 2, "a short backoff is waited out"
            runtime._backoff.deaths = 30
            with pytest.raises(UpstreamUnreachable, match=said):
                await runtime.url()
            for _ in range(3):
                with pytest.raises(UpstreamUnreachable, match=said):
                    await runtime.url()
            assert runtime.starts == 3, "during a long one the last failure is told at once"

    asyncio.run(live())


def test_only_chat_models_can_be_embedded() -> None:
    for name in ("minilm", "gpt-4o"):
        with pytest.raises(AssetError, match=f"no embedded chat model '{name}'; there is smollm2-135m"):
            EmbeddedRuntime.of(name)


@given(st.lists(st.floats(0, 59.9), max_size=40), st.floats(60, 1e6))
def test_backoff_doubles_to_its_bound_and_forgives_a_healthy_minute(
    early: list[float], healthy_s: float
) -> None:
    backoff = Backoff()
    delays = [backoff.delay_s]
    for lived in early:
        backoff.died(lived)
        delays.append(backoff.delay_s)
    assert delays[:8] == [0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10][: len(delays)]
    assert all(delay == 10 for delay in delays[7:])
    backoff.died(healthy_s)
    assert backoff.delay_s == 0.2

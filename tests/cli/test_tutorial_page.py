"""docs/tutorial.md, walked as it stands, with other addresses for the models and another port."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.cli.running import edgewise
from tests.cli.test_learn import prompts
from tests.servers import Call, Mock, Send, free_port, mock_upstream

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()
STEPS = re.findall(r"^## (\d)\. .*?$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(step: str) -> list[list[str]]:
    """The words of each command of a step, without the program's name."""
    lines = [line for block in blocks(step, "console") for line in block.splitlines()]
    return [shlex.split(line)[2:] for line in lines if line.startswith("$ edgewise ")]


@dataclass
class World(Mock):
    """Two models that know different things, and a judge who knows when somebody knows nothing."""

    async def _answer(self, call: Call, send: Send) -> None:
        body = call.json
        asked = body["messages"][-1]["content"]
        said = "I do not know."
        if body["model"] == "gpt-4o":
            said = json.dumps({"rationale": "read", "score": 5 if said in asked else 95})
        elif body["model"] == "phi" and "sum" in asked:
            said = str(sum(map(int, re.findall(r"\d+", asked))))
        elif body["model"] == "gpt-4o-mini" and (name := re.search(r"city, (\w+)", asked)):
            said = name[1]
        usage = {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}
        if body.get("stream"):
            delta = {"choices": [{"index": 0, "delta": {"content": said}, "finish_reason": None}]}
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage}
            events = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in (delta, end))
            kind, raw = b"text/event-stream", events + b"data: [DONE]\n\n"
        else:
            message = {"role": "assistant", "content": said}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            whole = {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}
            kind, raw = b"application/json", json.dumps(whole).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": raw})


@contextmanager
def serving(folder: Path, port: int) -> Iterator[None]:
    started = subprocess.Popen(
        [sys.executable, "-m", "edgewise.cli", "serve", "--port", str(port)],
        cwd=folder,
        env={**os.environ, "EDGEWISE_HOME": str(folder)},
        stderr=subprocess.DEVNULL,
    )
    try:
        patience = time.monotonic() + 60
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/readyz").close()
                break
            except URLError:
                assert time.monotonic() < patience
                time.sleep(0.05)
        yield
    finally:
        started.terminate()
        started.wait(60)


def ask(folder: Path, port: int) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "asks.py", f"http://127.0.0.1:{port}", "mine.jsonl"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def do(folder: Path, step: str) -> str:
    """Run a step's commands; what they said."""
    said = ""
    for words in commands(step):
        ran = edgewise(*words, cwd=folder)
        assert ran.returncode == 0, (words, ran.stderr.decode())
        said += ran.stdout.decode()
    return said


def test_every_step_is_there() -> None:
    assert [number for number, _ in STEPS] == [str(n) for n in range(1, 9)]
    assert commands(STEPS[0][1]) == [["doctor"], ["serve"]]


@pytest.mark.slow
def test_one_afternoon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    steps = dict(STEPS)
    port = free_port()
    with mock_upstream(World()) as mock:
        for name, step in (("edgewise.toml", "1"), ("judge.toml", "4")):
            text = blocks(steps[step], "toml")[0]
            text = text.replace("http://127.0.0.1:11434/v1", mock.url).replace(
                "https://api.openai.com/v1", mock.url
            )
            (tmp_path / name).write_text(text)
        (tmp_path / "asks.py").write_text(blocks(steps["1"], "python")[0])
        (tmp_path / "mine.jsonl").write_text("".join(json.dumps(each) + "\n" for each in prompts()))
        with serving(tmp_path, port):
            assert len(ask(tmp_path, port)) == len(prompts())
            assert "Noted for req_" in do(tmp_path, steps["2"])
            do(tmp_path, steps["3"])
            do(tmp_path, steps["4"])
            assert "is better than" in do(tmp_path, steps["5"])
            do(tmp_path, steps["6"])
            ask(tmp_path, port)
            assert "shadow" in edgewise("deploy", "--status", cwd=tmp_path).stdout.decode()
            do(tmp_path, steps["7"])
            patience = time.monotonic() + 60
            while not (chosen := [line.split()[0] for line in ask(tmp_path, port)]).count("phi") >= 15:
                assert time.monotonic() < patience, chosen
            do(tmp_path, steps["8"])
        wanted = ["phi" if "sum" in each["prompt"] else "gpt-4o-mini" for each in prompts()]
        right = sum(one == other for one, other in zip(chosen, wanted, strict=True))
        assert right >= 0.8 * len(wanted)  # one choice in ten is left to chance
    assert (tmp_path / "evaluation" / "evaluation.html").exists()

"""`edgewise train` and `edgewise route` on conversations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import complaint, edgewise
from tests.learning.synthetic import prompts

CONFIG = (
    '[[candidates]]\nid = "small"\nlocation = "edge"\nurl = "http://127.0.0.1:9/v1"\ncontext_tokens = {}\n'
)
EARLIER = [{"role": "user", "content": "Hello there."}, {"role": "assistant", "content": "What is it?"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that was trained on conversations."""
    here = tmp_path_factory.mktemp("talk")
    lines = []
    for number, (prompt, is_hard) in enumerate(prompts(80)):
        messages = [*EARLIER[: 2 * (number % 2)], {"role": "user", "content": prompt}]
        for candidate, quality in (("small", 0.1 if is_hard else 0.9), ("large", 0.9)):
            price = 0.0 if candidate == "small" else 0.01
            row = {"messages": messages, "candidate": candidate, "quality": quality, "cost_usd": price}
            lines.append(json.dumps(row) + "\n")
    (here / "t.jsonl").write_text("".join(lines))
    options = ("--objective", "quality-at-cost", "--learner", "ridge", "--edge", "small")
    ran = edgewise("train", "t.jsonl", "-o", "b", *options, cwd=here)
    assert ran.returncode == 0, ran.stderr
    return here


def test_a_bundle_of_conversations_says_so_and_routes_them(folder: Path) -> None:
    assert json.loads((folder / "b" / "policy.json").read_text())["features"].endswith("+talk-1")
    (hard, _), (easy, _) = prompts(2, seed=99)
    talk = [*EARLIER, {"role": "user", "content": hard}]
    lines = [{"messages": talk}, {"prompt": json.dumps(talk)}, {"prompt": easy}]
    (folder / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = edgewise("route", "--bundle", "b", "--input", "in.jsonl", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    first, second, third = (json.loads(line) for line in ran.stdout.splitlines())
    assert first["forecasts"] == second["forecasts"]
    assert first["candidate"] == "large"
    assert first["forecasts"]["small"]["quality"]["mean"] < third["forecasts"]["small"]["quality"]["mean"]
    assert json.loads(first["prompt"]) == talk
    assert second["prompt"] == json.dumps(talk)  # as it was given


def test_a_configured_policy_sees_the_whole_conversation(tmp_path: Path) -> None:
    """What does not fit is not only the last message."""
    (tmp_path / "edgewise.toml").write_text(CONFIG.format(1000))
    talk = [{"role": "user", "content": "long " * 2000}, {"role": "user", "content": "short"}]
    (tmp_path / "in.jsonl").write_text(json.dumps({"messages": talk}) + '\n{"prompt": "short"}\n')
    ran = edgewise("route", "--input", "in.jsonl", cwd=tmp_path)
    whole, short = (json.loads(line) for line in ran.stdout.splitlines())
    assert whole["candidate"] is None
    assert short["candidate"] == "small"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"prompt": "a", "messages": EARLIER}, "it has both"),
        ({"responses": {}}, "it has neither"),
        ({"messages": []}, "hold no text"),
        ({"messages": [{"role": "user"}]}, "hold no text"),
    ],
)
def test_a_line_has_a_prompt_or_messages(tmp_path: Path, line: dict[str, object], said: str) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps(line) + "\n")
    ran = edgewise("route", "--bundle", "b", "--input", "in.jsonl", cwd=tmp_path)
    assert said in complaint(ran)

"""Votes are counted by what answers come down to, examples chosen by task; neither knows what is right."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from edgewise.app import App
from edgewise.domain.errors import EdgewiseError
from edgewise.gateway.chat_body import chat_of
from edgewise.learning.graders import grade, shipped
from edgewise.learning.graders.oracle import UNKNOWN, Oracle
from edgewise.learning.graders.voting import Example, ballot, examples_for
from edgewise.learning.prompts import Prompt, write_prompts
from edgewise.learning.tables.splits import NEAR, shingles_of
from edgewise.settings import load
from edgewise.upstreams.reading import read_plain

EXAMPLES = Path(__file__).parents[2] / "src/edgewise/learning/graders/examples.jsonl"


def worked() -> list[Example]:
    return [Example(**msgspec.json.decode(line)) for line in EXAMPLES.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("prompt", "one", "two", "other"),
    [
        ("What is 6 times 7?", "6 * 7 = 42", "The answer is **42**.", "41"),
        ("Pick.\nA) tea\nB) milk", "(B)", "The answer is milk.", "A"),
        ("Pick one of: tea, milk.", "Tea!", "I would say tea.", "milk"),
        ("Return a JSON object.", '{"a": 1, "b": 2}', '```json\n{"b": 2, "a": 1}\n```', '{"a": 2}'),
        ("Python: write `f(x)`.", "def f(x): return x", "```\ndef f(x):\n    return x\n```", "def f(x): 1"),
        ("Who won?", "Kenji.", "Answer: **Kenji**", "Anna"),
    ],
)  # fmt: skip
def test_answers_that_come_down_to_the_same_are_counted_together(
    prompt: str, one: str, two: str, other: str
) -> None:
    assert ballot(prompt, one) == ballot(prompt, two) != ballot(prompt, other)


def test_a_ballot_tells_right_from_wrong_nearly_everywhere() -> None:
    apart = [ballot(p.prompt, p.more["right"]) != ballot(p.prompt, p.more["wrong"]) for p in shipped()]
    assert sum(apart) >= 0.95 * len(apart)


def test_examples_are_mostly_of_the_prompts_own_task() -> None:
    groups = {example.prompt: example.group for example in worked()}
    met = [groups[found[0][0]] == p.group for p in shipped() if (found := examples_for(p.prompt))]
    assert sum(met) >= 0.75 * len(shipped())
    assert examples_for("qwzx") == []


def test_no_example_is_a_shipped_prompt() -> None:
    known = [frozenset(shingles_of(prompt.prompt).tolist()) for prompt in shipped()]
    for example in worked():
        shingles = frozenset(shingles_of(example.prompt).tolist())
        assert all(len(shingles & other) < NEAR * len(shingles | other) for other in known), example.prompt


def test_the_oracle_knows_every_shipped_prompt_and_nothing_else() -> None:
    prompts = [prompt for prompt in shipped() if prompt.group != "code"]
    oracle = Oracle(prompts)
    assert all(grade(p.check or {}, oracle(chat_of(p.prompt))).quality == 1.0 for p in prompts)
    assert oracle(chat_of("Who are you?")) == UNKNOWN


def configured(tmp_path: Path, candidate: str) -> Path:
    path = tmp_path / "edgewise.toml"
    path.write_text(f'[[candidates]]\nid = "one"\nlocation = "cloud"\n{candidate}\n')
    return path


def test_a_configuration_makes_an_oracle_that_says_it_is_one(tmp_path: Path) -> None:
    prompts = tmp_path / "mine.jsonl"
    write_prompts([Prompt(prompt="Cap of Norway?", check={"grader": "exact", "answer": "Oslo"})], prompts)
    path = configured(tmp_path, f'script = {{ answers = "{prompts}" }}\nhelped = {{ votes = 3 }}')

    async def said() -> tuple[bool, str]:
        async with App(load(path)) as app:
            body = await app.upstreams.by_id["one"].ask(chat_of("Cap of Norway?"))
            assert isinstance(body, bytes)
            return app.candidates[0].simulated, read_plain(body).text

    assert asyncio.run(said()) == (True, "Oslo")


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        ('script = { answers = "nowhere.jsonl" }', "nowhere.jsonl"),
        ("script = {}\nhelped = { votes = 0 }", "votes"),
        ("script = {}\nhelped = { votes = 99 }", "from 1 to 25"),
    ],
)
def test_a_bad_fake_or_vote_gets_a_sentence(tmp_path: Path, candidate: str, said: str) -> None:
    async def opened() -> None:
        async with App(load(configured(tmp_path, candidate))):
            pass

    with pytest.raises(EdgewiseError, match=said):
        asyncio.run(opened())

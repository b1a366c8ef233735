"""Served answers, judged in the background by a candidate of the same configuration."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from edgewise import Router
from edgewise.app import App
from edgewise.domain.decisions import Feedback, Record
from edgewise.domain.errors import SettingsError
from edgewise.learning.judge.blind import MASK
from edgewise.outcomes import LogReader
from edgewise.settings import load

CONFIG = """
[policy]
kind = "fixed"
candidate = "edge"
[judge]
share = {share}
by = ["critic"]
[store]
prompts = "{prompts}"
[[candidates]]
id = "edge"
location = "edge"
script = {{ replies = ["Paris."] }}
[[candidates]]
id = "critic"
location = "cloud"
price = {{ input = 1.0, output = 1.0 }}
script = {{ replies = ['{{"rationale": "short and right", "score": 90}}'] }}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path / "home"))
    return tmp_path


def config(folder: Path, *, share: float = 1.0, prompts: str = "full") -> Path:
    path = folder / "edgewise.toml"
    path.write_text(CONFIG.format(share=share, prompts=prompts))
    return path


async def served(path: Path, *, judged: bool = True) -> list[Feedback]:
    """Serve an answer, and give back what the judge said of it by the time that it was in the log."""
    said: list[Feedback] = []
    heard = asyncio.Event()

    def observe(record: Record) -> None:
        if isinstance(record, Feedback):
            said.append(record)
            heard.set()

    async with Router(path, observer=observe) as router:
        await router.ask("What is the capital of France?")
        if judged:
            await asyncio.wait_for(heard.wait(), 60)
    return said


def test_what_is_served_is_judged_and_can_be_explained(tmp_path: Path) -> None:
    (said,) = asyncio.run(served(config(tmp_path)))
    assert (said.quality, said.source, said.comment) == (0.9, "judge:critic", "short and right")
    story = LogReader(tmp_path / "home" / "edgewise.sqlite").decision("last")
    assert story is not None
    assert (story.decision.id, story.quality, story.judged_by) == (said.decision_id, 0.9, "judge:critic")
    assert (tmp_path / "home" / "judge.json").exists()  # what it cost


def test_it_is_off_by_default(tmp_path: Path) -> None:
    assert asyncio.run(served(config(tmp_path, share=0.0), judged=False)) == []
    assert not (tmp_path / "home" / "judge.json").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("share = 1.0", "share = 1.5"), "judge.share"),
        (('by = ["critic"]', 'by = ["nobody"]'), "judge.by"),
        (('by = ["critic"]', "by = []"), "judge.by"),
        (("share = 1.0", "share = 1.0\nusd_per_day = -1.0"), "judge.usd_per_day"),
        (('prompts = "full"', 'prompts = "hash"'), "store.prompts"),
        (("price = { input = 1.0, output = 1.0 }\n", ""), "a candidate with a price"),
    ],
)
def test_what_cannot_be_run_is_a_sentence(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    path = config(tmp_path)
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(SettingsError, match=sentence):
        load(path)


def test_the_judge_reads_no_name_that_an_endpoint_knows_a_candidate_by(home: Path) -> None:
    settings = load(config(home))
    edge = structs.replace(settings.candidates[0], model="corp-7b-chat")
    settings = structs.replace(settings, candidates=(edge, *settings.candidates[1:]))

    async def masked() -> str:
        async with App(settings) as app:
            assert app.judge is not None
            return app.judge._panel.blind.mask("Paris, says corp-7b-chat.")

    assert asyncio.run(masked()) == f"Paris, says {MASK}."

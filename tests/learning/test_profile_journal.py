from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.learning.profiles import CLOUD, EDGE, answering, profiled, prompts, rows

from edgewise.domain.errors import StoreError, UpstreamUnreachable
from edgewise.domain.keys import prompt_key
from edgewise.learning.profile import OUTCOMES, Plan
from edgewise.learning.profile.journal import ASIDE, ASKED, Asked, Journal, lines, mend
from edgewise.learning.profile.rows import Call
from edgewise.settings.looping import ProfileSettings
from edgewise.upstreams.scripted import Scripted

CALM = ProfileSettings(warm_up=0, concurrency=1)


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3), max_size=6), st.data())
def test_a_file_cut_anywhere_keeps_its_whole_lines(
    objects: list[dict[str, str]], data: st.DataObject
) -> None:
    whole = b"".join(json.dumps(each).encode() + b"\n" for each in objects)
    cut = data.draw(st.integers(0, len(whole)))
    with TemporaryDirectory() as place:
        path = Path(place) / "some.jsonl"
        path.write_bytes(whole[:cut])
        mend(path)
        left = path.read_bytes()
    assert left == b"" or left.endswith(b"\n")
    assert whole.startswith(left)
    kept = [json.loads(line) for line in left.splitlines()]
    assert kept == objects[: len(kept)]
    assert len(left) >= cut or len(left) == whole[:cut].rfind(b"\n") + 1


def call(number: int, folder: Path) -> Call:
    prompt = prompts(number + 1)[number]
    return Call(prompt_key(prompt.prompt), prompt, CLOUD)


def test_what_was_asked_and_never_ended_is_lost_and_not_asked_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.ask(call(0, tmp_path), 0.25)
    journal.ask(call(1, tmp_path), 0.25)
    journal.withdraw(call(1, tmp_path))
    journal.warm("far", 0.01)
    journal.close()
    far = answering()
    tally, found = profiled(prompts(3), tmp_path, Plan((CLOUD,), CALM), {"far": far})
    lost = next(row for row in found if row["status"] == "cancelled")
    assert lost["prompt"] == "How much is 0 and 0?"
    assert (lost["cost_usd"], lost["cost_state"], lost["response"]) == (0.25, "estimated", None)
    assert "not kept" in lost["error"]
    assert tally.lost == 1
    assert sorted(request.prompt for request in far.asked) == ["How much is 1 and 1?", "How much is 2 and 2?"]
    again = Journal(tmp_path)
    assert again.spent_usd == pytest.approx(0.26 + sum(row["cost_usd"] for row in found if row is not lost))
    assert not again.lost
    again.close()


def test_again_asks_what_failed_or_was_lost_and_forgets_no_cost(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.ask(call(0, tmp_path), 0.25)
    journal.close()
    far = Scripted([UpstreamUnreachable("far is gone."), "fine", "fine"])
    _, found = profiled(prompts(4), tmp_path, Plan((CLOUD,), CALM), {"far": far})
    assert sorted(row["status"] for row in found) == ["cancelled", "error", "ok", "ok"]
    before = sum(row["cost_usd"] for row in found)
    far = answering()
    tally, found = profiled(prompts(4), tmp_path, Plan((CLOUD,), CALM, again=True), {"far": far})
    assert [row["status"] for row in found] == ["ok"] * 4
    assert len(far.asked) == 2
    assert (tally.before, tally.ended) == (2, 4)
    assert len((tmp_path / ASIDE).read_text().splitlines()) == 2
    after = Journal(tmp_path)
    assert after.spent_usd == pytest.approx(
        before + sum(row["cost_usd"] for row in found if row["prompt"] in {r.prompt for r in far.asked})
    )
    after.close()


def test_again_counts_what_was_lost_a_moment_ago(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.ask(call(0, tmp_path), 0.25)
    journal.close()
    again = Journal(tmp_path, again=True)
    assert (again.lost, again.spent_usd) == ({}, 0.25)
    again.close()
    assert [each.prompt_hash for each in lines(tmp_path / ASKED, Asked)] == [""]


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(StoreError, match="being filled by another process"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    profiled(prompts(2), tmp_path, Plan((EDGE,), CALM), {"near": answering()})
    text = (tmp_path / OUTCOMES).read_text().splitlines()
    (tmp_path / OUTCOMES).write_text("\n".join([text[0], "nonsense", text[1], ""]))
    with pytest.raises(StoreError, match=r"outcomes\.jsonl, line 2 is damaged"):
        Journal(tmp_path)


def test_a_torn_row_is_asked_no_second_time(tmp_path: Path) -> None:
    """The answer had come, but its row was cut: it may have been paid, so it counts as lost."""
    profiled(prompts(3), tmp_path, Plan((EDGE,), CALM), {"near": answering()})
    path = tmp_path / OUTCOMES
    path.write_bytes(path.read_bytes()[:-20])
    near = answering()
    profiled(prompts(3), tmp_path, Plan((EDGE,), CALM), {"near": near})
    assert near.asked == []
    assert sorted(row["status"] for row in rows(tmp_path)) == ["cancelled", "ok", "ok"]

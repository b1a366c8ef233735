"""Files of all kinds become prompts, or a sentence."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import TableError
from edgewise.learning.prompts import Prompt
from edgewise.learning.prompts.arrays import elements
from edgewise.learning.prompts.files import sifted
from edgewise.learning.prompts.imports import Reading, found_in


def _node(role: str, said: Any, parent: str | None) -> dict[str, Any]:
    parts = said if isinstance(said, list) else [said]
    return {
        "message": {"author": {"role": role}, "content": {"content_type": "text", "parts": parts}},
        "parent": parent,
    }


def _chatgpt() -> list[dict[str, Any]]:
    hidden = _node("system", "hidden", "root")
    hidden["message"]["metadata"] = {"is_visually_hidden_from_conversation": True}
    return [
        {
            "title": "Greetings",
            "current_node": "d",
            "mapping": {
                "root": {"message": None, "parent": None},
                "s": hidden,
                "a": _node("user", "Hello", "s"),
                "old": _node("assistant", "An answer that was replaced", "a"),
                "b": _node("assistant", "Hi!", "a"),
                "c": _node("user", [{"content_type": "image_asset_pointer"}, "What is this?"], "b"),
                "d": _node("assistant", "A cat.", "c"),
            },
        }
    ]


def _read(path: Path, **options: Any) -> list[Prompt]:
    return list(sifted(found_in(path, Reading(**options)), path.name))


def _json(folder: Path, content: Any, name: str = "chats.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_chatgpts_export_takes_the_branch_that_was_seen_last(tmp_path: Path) -> None:
    path = _json(tmp_path, _chatgpt())
    assert [prompt.prompt for prompt in _read(path)] == ["Hello"]
    (last,) = _read(path, turns="last")
    assert last.messages == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "What is this?"},
    ]


SHAREGPT = {
    "id": "x",
    "conversations": [
        {"from": "system", "value": "Be brief."},
        {"from": "human", "value": "Hi"},
        {"from": "gpt", "value": "Hello."},
        {"from": "human", "value": "And now?"},
        {"from": "gpt", "value": "Nothing."},
    ],
}
SYSTEM, HI = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}


def test_sharegpts_lists_are_read_from_json_and_from_json_lines(tmp_path: Path) -> None:
    lines = tmp_path / "chats.jsonl"
    lines.write_text(json.dumps(SHAREGPT))
    for path in (_json(tmp_path, [SHAREGPT]), lines):
        (first,) = _read(path)
        assert first.asked == [SYSTEM, HI]
        assert first.more == {"id": "x"}
        (last,) = _read(path, turns="last")
        assert [message["role"] for message in last.asked] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    "record",
    [
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}],
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]},
        {"chat_messages": [{"sender": "human", "text": "Hi"}, {"sender": "assistant", "text": "Hello."}]},
        {"prompt": "Hi"},
        "Hi",
        {"prompt": '[{"role": "user", "content": "Hi"}]'},
    ],
)
def test_other_shapes_of_the_same_chat_are_the_same_prompt(tmp_path: Path, record: Any) -> None:
    assert [prompt.prompt for prompt in _read(_json(tmp_path, [record]))] == ["Hi"]


def test_messages_that_wait_for_a_tools_answer_to_be_read_stay_whole(tmp_path: Path) -> None:
    messages = [
        HI,
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "12 °C", "tool_call_id": "1"},
    ]
    (prompt,) = _read(_json(tmp_path, [{"messages": messages}]))
    assert prompt.asked == messages


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"prompt": "a"}, {"prompt": ', "element 2 is not JSON"),
        ('[{"prompt": "a"} {"prompt": "b"}]', "where a ',' is due"),
        ('[{"prompt": "a"}', "where a ',' is due"),
        ('[{"prompt": "a"}] x', "goes on after its JSON has ended"),
        ("[" * 100_000, "is n"),
        ("[]", "holds no prompt"),
        ("", "element 1 is not JSON"),
        ('[{"conversations": []}]', "element 1 holds no message of the user"),
        ("[5]", "element 1 is neither an object nor a text"),
        ('["\\ud800"]', "element 1 has a prompt that is no text"),
        ('[{"prompt": "a", "id": {"b": "\\ud800"}}]', "half a character"),
    ],
)
def test_json_that_is_no_export_is_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "chats.json"
    path.write_text(content)
    with pytest.raises(TableError) as error:
        _read(path)
    assert said in str(error.value)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=5))
def test_a_list_in_pieces_is_the_list(texts: list[str]) -> None:
    class Slow(StringIO):
        def read(self, size: int | None = -1, /) -> str:
            return super().read(min(size or 1, 1))

    source: Any = Slow(json.dumps(texts, indent=1))
    assert list(elements(source, "here")) == texts


def test_csv_with_its_own_names_keeps_the_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "prompts.csv"
    rows = [
        ["query", "task", "level", "check", "id"],
        ["Say, what?\nNow", "talk", "2", '{"grader": "exact", "answer": "x"}', "7"],
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (prompt,) = _read(path, labels={"kind": "time-critical"})
    assert prompt == Prompt(
        prompt="Say, what?\nNow",
        kind="time-critical",
        group="talk",
        level=2,
        check={"grader": "exact", "answer": "x"},
        source="prompts.csv",
        more={"id": "7"},
    )
    (other,) = _read(path, columns={"prompt": "id", "kind": "task"})
    assert (other.prompt, other.kind) == ("7", "talk")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; its first line should name columns"),
        (b"a,b\n1,2\n", "has no column `prompt`; it has a, b"),
        (b"prompt\n", "holds no prompt"),
        (b"prompt,b\nx,1,2\n", "row 1 has 3 cells for 2 columns"),
        (b'prompt\n"never closed\nx\n', "is a quote missing"),
        (b'prompt\n"never closed' + b"\nxxxxxxxxx" * 500_000, "is a quote missing"),
        (b"prompt\nfine\ncaf\xe9\n", "row 2 has a prompt that is no text in the file's encoding"),
        (b"prompt,check\nfine,{\n", "row 1 has `messages` or `check` that are no JSON"),
        (b"prompt,privacy\nfine,secret\n", "row 1 has a `privacy` that means nothing"),
    ],
)
def test_a_bad_csv_is_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "prompts.csv"
    path.write_bytes(content)
    with pytest.raises(TableError) as error:
        _read(path)
    assert said in str(error.value)


def test_rows_of_mixed_encodings_are_left_out_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "prompts.csv"
    path.write_bytes("prompt\nGrüße\n".encode() + "Grüße\n".encode("latin-1") + b"plain\n")
    with pytest.raises(TableError, match=r"row 2 .*UTF-8.*--keep-good"):
        _read(path)
    told: list[str] = []
    kept = sifted(found_in(path, Reading()), path.name, keep_good=True, bad=told.append)
    assert [prompt.prompt for prompt in kept] == ["Grüße", "plain"]
    assert len(told) == 1


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prompts.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(TableError, match="has no column 'c'; it has a, b"):
        _read(path, columns={"prompt": "c"})
    with pytest.raises(TableError, match="--columns names 'quality', which a prompt has not"):
        _read(path, columns={"quality": "a"})


def test_parquet_is_read_and_a_damaged_one_refused(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    path = tmp_path / "prompts.parquet"
    rows = {"prompt": ["one", "two"], "level": [1, None], "messages": [None, None]}
    parquet.write_table(arrow.table(rows), path)
    assert [(prompt.prompt, prompt.level) for prompt in _read(path)] == [("one", 1), ("two", None)]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TableError, match=r"prompts\.parquet is no Parquet file"):
        _read(path)
    with pytest.raises(TableError, match="there is no such file"):
        _read(tmp_path / "none.parquet")


def test_plain_text_is_one_prompt_a_line(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("one\r\n\ntwo {braces}\n")
    assert [prompt.prompt for prompt in _read(path)] == ["one", "two {braces}"]


def test_an_unknown_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"prompts are read from \.csv"):
        _read(tmp_path / "prompts.xlsx")


def test_a_declaration_holds_for_every_prompt_whatever_its_row_says(tmp_path: Path) -> None:
    path = tmp_path / "prompts.csv"
    path.write_text("prompt,privacy\na,region:eu\nb,\n")
    assert [prompt.privacy for prompt in _read(path)] == ["region:eu", None]
    assert [prompt.privacy for prompt in _read(path, labels={"privacy": "local"})] == ["local", "local"]

"""The prompts file: what is written is read, and what is none becomes a sentence that names the line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.domain.errors import StoreError, TableError
from edgewise.learning.graders.checked import checked
from edgewise.learning.prompts import Prompt, read_prompts, write_prompts
from edgewise.learning.prompts.files import line_of, prompts_in_line

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1).filter(
    lambda text: bool(text.strip())
)
PROMPTS = st.builds(
    Prompt,
    prompt=TEXTS,
    kind=st.none() | TEXTS,
    split=st.sampled_from([None, "train", "test"]),
    check=st.none() | st.just({"grader": "numeric", "answer": 42}),
    level=st.none() | st.integers(1, 5),
    privacy=st.none() | st.just("local"),
    more=st.dictionaries(st.text("xyz", min_size=1), st.integers() | TEXTS, max_size=3),
)


@given(PROMPTS)
def test_what_is_written_is_read(prompt: Prompt) -> None:
    assert prompts_in_line(line_of(prompt).decode(), "here") == prompt


def test_a_file_comes_back_with_the_keys_that_mean_nothing_to_us(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    wanted = [Prompt(prompt="one", more={"id": 7}), Prompt(prompt="two", level=3)]
    assert write_prompts(wanted, path) == 2
    assert list(read_prompts(path)) == wanted


def test_a_conversation_is_asked_as_it_is_and_known_by_its_written_form(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hello"}]
    (prompt,) = _read(tmp_path, json.dumps({"messages": messages}))
    assert prompt.asked == messages
    assert json.loads(prompt.prompt)[1]["content"] == "Hello"
    assert json.loads(line_of(prompt)) == {"messages": messages}


def test_a_single_message_of_the_user_is_its_text(tmp_path: Path) -> None:
    (prompt,) = _read(tmp_path, json.dumps({"messages": [{"role": "user", "content": "Hello"}]}))
    assert prompt == Prompt(prompt="Hello")
    assert prompt.asked == [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is no JSON object"),
        ("[1]", "is no JSON object"),
        ('"text"', "is no JSON object"),
        ('{"question": "hi"}', "has neither of `prompt` and `messages`"),
        ('{"prompt": "a", "messages": []}', "has both of `prompt` and `messages`"),
        ('{"prompt": 5}', "`prompt`: expected `str | null`, got `int`"),
        ('{"prompt": "a", "level": "hard"}', "`level`: expected `int | null`, got `str`"),
        ('{"prompt": "a", "split": "dev"}', "`split`: invalid enum value 'dev'"),
        ('{"prompt": " "}', "has a prompt that is empty"),
        ('{"prompt": "a\\u0000b"}', "NUL"),
        ('{"messages": [{"role": "user"}]}', "has `messages` without text"),
        ("[" * 5000, "is no JSON object"),
        (b'{"prompt": "caf\xe9"}', "is no text in the file's encoding"),
    ],
)
def test_a_bad_line_is_one_sentence_that_names_it(tmp_path: Path, line: str | bytes, said: str) -> None:
    bad = line if isinstance(line, bytes) else line.encode()
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(b'{"prompt": "good"}\n\n' + bad + b'\n{"prompt": "good too"}')
    with pytest.raises(TableError, match="line 3") as error:
        list(read_prompts(path))
    assert said in str(error.value)
    told: list[str] = []
    kept = [prompt.prompt for prompt in read_prompts(path, keep_good=True, bad=told.append)]
    assert kept == ["good", "good too"]
    assert told == [str(error.value).replace("; --keep-good leaves such lines out.", ".")]


@pytest.mark.parametrize("text", ["", "\n \n", "nonsense"])
def test_a_file_without_a_prompt_is_refused_even_when_only_the_good_is_kept(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(text)
    with pytest.raises(TableError, match="holds no prompt"):
        list(read_prompts(path, keep_good=True))


def test_a_line_without_end_is_left_out_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(b'{"prompt": "' + b"x" * 9_000_000 + b'"}\n{"prompt": "good"}\n')
    with pytest.raises(TableError, match="line 1 is longer than 4,000,000 characters"):
        list(read_prompts(path))
    assert [prompt.prompt for prompt in read_prompts(path, keep_good=True)] == ["good"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "Grüße, 世界"}\n{"prompt": "two"}\n', encoding=encoding)
    assert [prompt.prompt for prompt in read_prompts(path)] == ["Grüße, 世界", "two"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ('{"prompt": "a"}'.encode("utf-32"), "is UTF-32"),
        ('{"prompt": "a"}'.encode("utf-16-le"), "UTF-16 without a byte order mark"),
        ('{"prompt": "a"}'.encode("utf-16-be"), "UTF-16 without a byte order mark"),
        ('{"prompt": "a"}'.encode("utf-16")[:-1], "was cut off"),
    ],
)
def test_other_encodings_get_a_sentence(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(raw)
    with pytest.raises(TableError, match=said):
        list(read_prompts(path))


def test_a_packed_file_is_read_and_a_torn_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl.gz"
    packed = gzip.compress(b'{"prompt": "a"}\n' * 1000)
    path.write_bytes(packed)
    assert len(list(read_prompts(path))) == 1000
    path.write_bytes(packed[:-20])
    with pytest.raises(TableError, match="damaged or no gzip file"):
        list(read_prompts(path))
    path.write_bytes(b"no gzip")
    with pytest.raises(TableError, match="damaged or no gzip file"):
        list(read_prompts(path))


def test_another_kind_of_file_is_told_the_way(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"edgewise prompts import p\.csv -o prompts\.jsonl"):
        list(read_prompts(tmp_path / "p.csv"))
    with pytest.raises(TableError, match=r"Cannot read .*none\.jsonl: No such file"):
        list(read_prompts(tmp_path / "none.jsonl"))


def test_writing_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text("before")

    def failing():
        yield Prompt(prompt="a")
        raise TableError("no more")

    with pytest.raises(TableError):
        write_prompts(failing(), path)
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["prompts.jsonl"]
    with pytest.raises(StoreError, match="Cannot write"):
        write_prompts([Prompt(prompt="a")], tmp_path / "nowhere" / "prompts.jsonl")


def _read(folder: Path, *lines: str) -> list[Prompt]:
    path = folder / "prompts.jsonl"
    path.write_text("\n".join(lines))
    return list(read_prompts(path))


def test_a_check_that_is_none_is_found_before_anybody_is_asked() -> None:
    good = Prompt(prompt="one", check={"grader": "numeric", "answer": 1})
    assert list(checked([good, Prompt(prompt="two")], "p.jsonl")) == [good, Prompt(prompt="two")]
    said = r"p.jsonl, prompt 2 has a `check` that nobody can grade by: .*`answer`"
    with pytest.raises(TableError, match=said):
        list(checked([good, Prompt(prompt="two", check={"grader": "numeric"})], "p.jsonl"))
    with pytest.raises(TableError, match="names the grader 'numerik'"):
        list(checked([Prompt(prompt="one", check={"grader": "numerik"})], "p.jsonl"))


def test_a_folder_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="is a folder, not a prompts file"):
        next(read_prompts(tmp_path))

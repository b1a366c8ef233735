from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.domain.errors import StoreError, TableError
from edgewise.learning.prompts import Prompt
from edgewise.learning.prompts.growing import Growing

TWO = b'{"prompt":"How far is the moon from here?"}\n{"prompt":"Write a poem about winter."}\n'


@pytest.mark.parametrize("torn", [TWO[:20], TWO[: len(TWO) - 1], TWO[: len(TWO) - 5], TWO[:-30]])
def test_whatever_was_written_of_a_line_it_goes_on_with_whole_ones(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(torn)
    with Growing(path) as file:
        file.add([Prompt(prompt="Which trains go to Lyon?")])
    with Growing(path) as file:
        assert len(file) == torn.count(b"}") + 1
    assert path.read_bytes().endswith(b'"}\n')


@pytest.mark.parametrize(
    "other",
    [
        b"dear diary\nit rained",
        b'[\n{"prompt": "a"}\n]',
        b'{"prompt": "a"}\n{"prompt": "b", "level": "hard"}',
        b'{"prompt": "a"}\nand a note',
        b"prompt,kind\na,b\nc,d",
    ],
)
def test_a_file_of_something_else_stays_as_it_is(tmp_path: Path, other: bytes) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(other)
    with pytest.raises(TableError), Growing(path):
        pass
    assert path.read_bytes() == other


def test_two_do_not_fill_one_file(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    with Growing(path), pytest.raises(StoreError, match="being filled by another process"), Growing(path):
        pass
    with Growing(path):
        pass

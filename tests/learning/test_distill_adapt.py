from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.learning.tiny_base import sentences, tiny_base

pytest.importorskip("torch", reason="needs the extra `distill`")
pytest.importorskip("transformers", reason="needs the extra `distill`")
pytest.importorskip("onnx", reason="needs the extra `distill`")

import msgspec

from edgewise.domain.errors import AssetError, TableError
from edgewise.learning.distill import run
from edgewise.learning.distill.adapt import MASKS, _Hiding, adapt
from edgewise.learning.distill.labelled import LabelledTable
from edgewise.learning.distill.options import Adapting, DistillOptions, FineTuning
from edgewise.learning.distill.parts import Parts, parted
from edgewise.learning.distill.report import DistillReport
from edgewise.learning.distill.stages import STAGES, Adaptation
from edgewise.upstreams.classifier import ClassifierBundle
from edgewise.upstreams.classifier.runtime import open_tokenizer

pytestmark = pytest.mark.filterwarnings("default")  # torch and its kin warn about themselves
TEXTS = [text for text, _ in sentences(600)]
QUICK = Adapting(epochs=2, rate=1e-3, head_steps=30)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


def options(base: Path, **others: Any) -> DistillOptions:
    tuning = FineTuning(epochs=1, backbone_rate=1e-3)
    return DistillOptions(str(base), most_tokens=16, adapting=QUICK, tuning=tuning, **others)


@pytest.fixture(scope="module")
def adapted(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("adapted")
    return folder, adapt(str(base), TEXTS, options(base), folder, lambda _: None)


def test_it_guesses_hidden_words_better_for_having_read(adapted: tuple[Path, dict[str, Any]]) -> None:
    _, facts = adapted
    before, *after = facts["perplexity"]
    assert min(after) < 0.8 * before
    assert (facts["texts"], facts["held_out"]) == (570, 30)


def test_the_same_seed_adapts_the_same(
    adapted: tuple[Path, dict[str, Any]], base: Path, tmp_path: Path
) -> None:
    again = adapt(str(base), TEXTS, options(base), tmp_path, lambda _: None)
    folder, facts = adapted
    assert again == facts
    name = "model.safetensors"
    assert (tmp_path / name).read_bytes() == (folder / name).read_bytes() != (base / name).read_bytes()


def test_what_makes_guessing_worse_is_not_kept(base: Path, tmp_path: Path) -> None:
    ruinous = msgspec.structs.replace(options(base), adapting=Adapting(epochs=1, rate=10.0, head_steps=50))
    facts = adapt(str(base), TEXTS, ruinous, tmp_path, lambda _: None)
    before, after = facts["perplexity"]
    assert after > before
    assert (tmp_path / "model.safetensors").stat().st_size == (base / "model.safetensors").stat().st_size
    load: Any = pytest.importorskip("safetensors.numpy").load_file
    was, now = load(base / "model.safetensors"), load(tmp_path / "model.safetensors")
    assert all((was[name] == now[name]).all() for name in was)


def test_too_few_texts_are_said(base: Path, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="There are 99 different texts without labels, too few to adapt to"):
        adapt(str(base), [*TEXTS[:99], " ", TEXTS[0] + " "], options(base), tmp_path, lambda _: None)


def test_a_base_without_a_mask_is_named(tmp_path: Path) -> None:
    base = tiny_base(tmp_path / "base")
    path = base / "tokenizer.json"
    path.write_text(path.read_text().replace(MASKS[0], "nomask"))
    with pytest.raises(AssetError, match=r"base cannot be adapted: its tokenizer has no mask"):
        adapt(str(base), TEXTS, options(base), tmp_path / "out", lambda _: None)


def test_markers_are_never_asked_for_and_every_batch_asks(base: Path) -> None:
    tokenizer = open_tokenizer(base / "tokenizer.json", 16)
    mask, markers, words = tokenizer.token_to_id("[MASK]"), (2, 3), tokenizer.get_vocab_size()
    rows = [tokenizer.encode(text).ids for text in TEXTS]
    given, filled, where, truth = _Hiding(tokenizer, mask, markers, words, 0.15).hidden(
        rows, np.random.default_rng(0)
    )
    asked = where.numpy()
    ids = np.array(rows)
    assert not asked[np.isin(ids, markers)].any()
    assert asked.sum() / (filled.numpy().sum() - 2 * len(rows)) == pytest.approx(0.15, abs=0.02)
    assert (truth.numpy() == ids[asked]).all()
    assert (given.numpy()[~asked] == ids[~asked]).all()
    assert (given.numpy()[asked] == mask).mean() == pytest.approx(0.8, abs=0.05)
    one = _Hiding(tokenizer, mask, markers, words, 0.0).hidden(rows[:1], np.random.default_rng(0))
    assert int(one[2].sum()) == 1


@pytest.fixture(scope="module")
def parts() -> Parts:
    texts, labels = zip(*sentences(240), strict=True)
    return parted(LabelledTable("made up", texts, labels))


def test_stage_by_stage_ends_where_all_at_once_does(base: Path, parts: Parts, tmp_path: Path) -> None:
    said: list[str] = []
    alone = Adaptation(TEXTS, tmp_path / "a" / STAGES, options(base), said.append)
    (tmp_path / "a").mkdir()
    alone.adapted()
    for until in ("adapt", "finetune", "export"):
        made = run.distill(
            parts, tmp_path / "a", options(base), said.append, unlabelled=TEXTS[::-1], until=until
        )
        assert made is None
    assert said.count("adapt: done before, kept.") == 3
    assert not (tmp_path / "a" / "classifier.json").exists()
    compressed = run.distill(
        parts, tmp_path / "a", options(base), said.append, unlabelled=TEXTS, until="compress"
    )
    assert compressed is not None
    assert not (tmp_path / "a" / "distill.html").exists()
    run.distill(parts, tmp_path / "a", options(base), said.append, unlabelled=TEXTS)
    (tmp_path / "b").mkdir()
    run.distill(parts, tmp_path / "b", options(base), said.append, unlabelled=TEXTS, until="cascade")
    first, second = (ClassifierBundle.load(tmp_path / name).manifest for name in "ab")
    assert first.files == second.files
    assert first.metrics["benchmark"]["true_length"]["cpu_ms"]["mean"] > 0
    report = msgspec.json.decode((tmp_path / "a" / "distill.json").read_bytes(), type=DistillReport)
    assert report.adapted is not None
    assert report.adapted["texts"] == 570


def test_what_was_read_decides_what_is_trained(base: Path, parts: Parts, tmp_path: Path) -> None:
    said: list[str] = []
    for texts in (TEXTS, TEXTS[:300], ()):
        run.distill(parts, tmp_path, options(base), said.append, unlabelled=texts, until="finetune")
    assert "finetune: done before, kept." not in said

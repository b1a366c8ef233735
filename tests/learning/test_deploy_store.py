"""Promotion, trial and rollback, and everything that may be wrong with a bundle."""

from __future__ import annotations

import json
import multiprocessing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from edgewise.domain.errors import BundleError
from edgewise.learning.deploy import Store
from edgewise.policies.bundles.manifest import read_manifest

SPAWN = multiprocessing.get_context("spawn")


def bundle(folder: Path, name: str, *, features: str = "static-1", **changes: Any) -> Path:
    """A folder with a manifest whose hashes are right; what the arrays hold does not matter here."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = f"arrays of {name}".encode()
    (folder / "rest.safetensors").write_bytes(arrays)
    (folder / "report.html").write_text("not a part of the bundle")
    manifest = {
        "schema": 1,
        "kind": "learned",
        "version": name,
        "objective": {"name": "qos"},
        "features": features,
        "candidates": [{"id": "a", "location": "edge"}, {"id": "b", "location": "cloud"}],
        "heads": {},
        "training": {"prompts": 3, "rows": 6, "fingerprint": name},
        "metrics": {},
        "seed": 0,
        "files": {"rest.safetensors": sha256(arrays).hexdigest()},
        **changes,
    }
    (folder / "policy.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    ticks = iter(range(1000, 2000))
    return Store(tmp_path / "bundles", check=read_manifest, now=lambda: float(next(ticks)))


def charged(store: Store) -> str | None:
    """The bundle that is in charge, as its own copy says."""
    current = store.state().current
    return None if current is None else read_manifest(store.folder(current)).version


def test_a_promotion_is_a_copy_of_its_own(store: Store, tmp_path: Path) -> None:
    source = bundle(tmp_path / "one", "one")
    entry = store.promote(source)
    assert (entry.version, entry.at, entry.mode, entry.bundle) == ("v1", 1000.0, "full", "one")
    assert entry.source == str(source)
    (source / "rest.safetensors").write_bytes(b"changed afterwards")
    assert charged(store) == "one"
    kept = {path.name for path in store.folder("v1").iterdir()}
    assert kept == {"policy.json", "rest.safetensors"}


def test_each_step_back_is_the_one_before(store: Store, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        store.promote(bundle(tmp_path / name, name))
    seen = [charged(store)]
    for _ in range(3):
        store.rollback()
        seen.append(charged(store))
    assert seen == ["three", "two", "one", None]
    with pytest.raises(BundleError, match="nothing to roll back"):
        store.rollback()
    assert [entry.mode for entry in store.state().history] == ["full"] * 3 + ["rollback"] * 3


def test_a_trial_leaves_the_one_in_charge_and_is_undone_first(store: Store, tmp_path: Path) -> None:
    store.promote(bundle(tmp_path / "one", "one"))
    store.attempt(bundle(tmp_path / "two", "two"), "canary", 0.1)
    state = store.state()
    assert charged(store) == "one"
    assert state.trial is not None
    assert (state.trial.version, state.trial.mode, state.trial.share) == ("v2", "canary", 0.1)
    store.rollback()
    assert store.state().trial is None
    assert charged(store) == "one"


def test_a_trial_that_went_well_is_promoted_without_a_second_copy(store: Store, tmp_path: Path) -> None:
    two = bundle(tmp_path / "two", "two")
    store.attempt(two, "shadow", 1.0)  # nothing is in charge yet: the rule without a bundle is the rival
    assert store.promote(two).version == "v1"
    assert store.state().trial is None
    assert charged(store) == "two"
    store.promote(two)
    assert store.state().promoted == ("v1",)


def torn(folder: Path) -> None:
    (folder / "rest.safetensors").write_bytes(b"arr")


def lacking(folder: Path) -> None:
    (folder / "rest.safetensors").unlink()


def garbled(folder: Path) -> None:
    (folder / "policy.json").write_text("{")


def foreign(folder: Path) -> None:
    bundle(folder, "bad", schema=99)


def outside(folder: Path) -> None:
    bundle(folder, "bad", files={"../one/rest.safetensors": "0" * 64})


@pytest.mark.parametrize("spoil", [torn, lacking, garbled, foreign, outside])
def test_a_bad_bundle_is_refused_and_the_last_good_one_stays(
    store: Store, tmp_path: Path, spoil: Any
) -> None:
    store.promote(bundle(tmp_path / "one", "one"))
    before = store.path.read_bytes()
    bad = bundle(tmp_path / "bad", "bad")
    spoil(bad)
    with pytest.raises(BundleError):
        store.promote(bad)
    with pytest.raises(BundleError):
        store.attempt(bad, "canary", 0.5)
    assert store.path.read_bytes() == before
    assert {path.name for path in store.root.iterdir()} == {"v1", "deployed.json", ".lock"}


def test_a_copy_that_went_wrong_is_not_named(tmp_path: Path) -> None:
    """What was read twice and differs (a training that writes meanwhile) never becomes a version."""

    def check(folder: Path) -> Any:
        if folder.name.startswith(".incoming"):
            raise BundleError("torn on the way")
        return read_manifest(folder)

    store = Store(tmp_path / "bundles", check=check)
    with pytest.raises(BundleError, match="on the way"):
        store.promote(bundle(tmp_path / "one", "one"))
    assert store.state().current is None
    assert [path.name for path in store.root.iterdir()] == [".lock"]


def test_rolling_back_to_a_damaged_copy_is_refused(store: Store, tmp_path: Path) -> None:
    store.promote(bundle(tmp_path / "one", "one"))
    store.promote(bundle(tmp_path / "two", "two"))
    torn(store.folder("v1"))
    with pytest.raises(BundleError, match="SHA-256"):
        store.rollback()
    assert charged(store) == "two"
    assert store.promote(tmp_path / "one").version == "v3"  # a damaged copy is not used again


def test_trials_that_make_no_sense_are_refused(store: Store, tmp_path: Path) -> None:
    one = bundle(tmp_path / "one", "one")
    store.promote(one)
    with pytest.raises(BundleError, match="nothing to try"):
        store.attempt(one, "canary", 0.5)
    with pytest.raises(BundleError, match="same --features"):
        store.attempt(bundle(tmp_path / "two", "two", features="minilm-1"), "shadow", 0.5)
    for share in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(BundleError, match="share"):
            store.attempt(bundle(tmp_path / "three", "three"), "canary", share)
    assert store.state().trial is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 2}', '{"surprise": 1}', "\xff"])
def test_a_damaged_state_is_said_and_never_overwritten(store: Store, tmp_path: Path, content: str) -> None:
    store.root.mkdir()
    store.path.write_text(content, encoding="latin-1")
    with pytest.raises(BundleError, match=r"deployed\.json"):
        store.promote(bundle(tmp_path / "one", "one"))
    assert store.path.read_text(encoding="latin-1") == content


def promote_ten(root: Path, sources: list[Path]) -> None:
    store = Store(root, check=read_manifest)
    for source in sources:
        store.promote(source)


def test_two_at_once_lose_no_step(tmp_path: Path) -> None:
    sources = [bundle(tmp_path / f"s{n}", f"s{n}") for n in range(20)]
    root = tmp_path / "bundles"
    others = [SPAWN.Process(target=promote_ten, args=(root, sources[n::2])) for n in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    state = Store(root, check=read_manifest).state()
    assert {entry.bundle for entry in state.history} == {f"s{n}" for n in range(20)}
    assert sorted(state.promoted, key=lambda v: int(v[1:])) == [f"v{n}" for n in range(1, 21)]

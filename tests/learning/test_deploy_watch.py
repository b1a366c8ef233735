"""Serving follows what is deployed, and keeps what works."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.learning.test_deploy_store import bundle, torn

from edgewise.domain.errors import BundleError
from edgewise.domain.protocols import Policy
from edgewise.learning.deploy import Deployed, Store
from edgewise.policies import Fixed
from edgewise.policies.bundles.manifest import read_manifest
from edgewise.policies.canary import Canary
from edgewise.policies.shadow import Shadowed

RULE = Fixed("the rule without a bundle")


def load(folder: Path) -> Policy:
    return Fixed(read_manifest(folder).version)


class Gateway:
    """What the watcher is put into."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root, check=read_manifest)
        self.watcher = Deployed(self.store, load=load, otherwise=RULE, adopt=self.adopt)
        self.policy = self.watcher.first()
        self.swapped = asyncio.Event()

    def adopt(self, policy: Policy) -> None:
        self.policy = policy
        self.swapped.set()

    def look(self) -> bool:
        return asyncio.run(self.watcher.look())


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path / "bundles")


def test_it_follows_each_step(gateway: Gateway, tmp_path: Path) -> None:
    assert gateway.policy is RULE
    assert not gateway.look()
    gateway.store.promote(bundle(tmp_path / "one", "one"))
    assert gateway.look()
    assert not gateway.look()  # nothing is loaded twice
    assert gateway.policy.name == "fixed(one)"
    gateway.store.attempt(bundle(tmp_path / "two", "two"), "canary", 0.2)
    assert gateway.look()
    assert isinstance(gateway.policy, Canary)
    assert gateway.policy.name == "canary(fixed(one), fixed(two), 0.2)"
    assert gateway.policy.salt.startswith("v2@")
    gateway.store.attempt(tmp_path / "two", "shadow", 0.5)
    assert gateway.look()
    assert isinstance(gateway.policy, Shadowed)
    gateway.store.rollback()
    gateway.look()
    gateway.store.rollback()
    gateway.look()
    assert gateway.policy is RULE


def test_a_new_process_begins_with_what_is_deployed(gateway: Gateway, tmp_path: Path) -> None:
    gateway.store.promote(bundle(tmp_path / "one", "one"))
    assert Gateway(gateway.store.root).policy.name == "fixed(one)"


def test_a_bad_bundle_leaves_the_old_one_and_says_why(gateway: Gateway, tmp_path: Path) -> None:
    gateway.store.promote(bundle(tmp_path / "one", "one"))
    gateway.look()
    gateway.store.promote(bundle(tmp_path / "two", "two"))
    torn(gateway.store.folder("v2"))
    assert not gateway.look()
    assert gateway.policy.name == "fixed(one)"
    assert gateway.watcher.problem is not None
    assert "SHA-256" in gateway.watcher.problem
    assert Gateway(gateway.store.root).policy is RULE  # a new process has nothing older in memory
    gateway.store.rollback()
    assert gateway.look()
    assert gateway.watcher.problem is None


def test_a_damaged_state_leaves_the_old_one(gateway: Gateway, tmp_path: Path) -> None:
    gateway.store.promote(bundle(tmp_path / "one", "one"))
    gateway.look()
    gateway.store.path.write_text("{")
    assert not gateway.look()
    assert gateway.policy.name == "fixed(one)"
    assert "deployed.json" in (gateway.watcher.problem or "")


def test_whatever_a_load_raises_is_survived(tmp_path: Path) -> None:
    store = Store(tmp_path / "bundles", check=read_manifest)
    adopted: list[Policy] = []

    def explode(folder: Path) -> Policy:
        raise ZeroDivisionError

    watcher = Deployed(store, load=explode, otherwise=RULE, adopt=adopted.append)
    assert watcher.first() is RULE
    store.promote(bundle(tmp_path / "one", "one"))
    assert not asyncio.run(watcher.look())
    assert adopted == []
    assert watcher.problem == "ZeroDivisionError"


def test_the_event_loop_is_free_while_a_bundle_loads(tmp_path: Path) -> None:
    store = Store(tmp_path / "bundles", check=read_manifest)
    adopted: list[Policy] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        turned = asyncio.Event()

        async def turn() -> None:
            turned.set()

        def slow(folder: Path) -> Policy:
            # This returns only if the loop answers while the load is under way; else it times out.
            asyncio.run_coroutine_threadsafe(turn(), loop).result(timeout=30)
            return load(folder)

        watcher = Deployed(store, load=slow, otherwise=RULE, adopt=adopted.append)
        store.promote(bundle(tmp_path / "one", "one"))
        assert await watcher.look()
        assert turned.is_set()

    asyncio.run(main())
    assert [policy.name for policy in adopted] == ["fixed(one)"]


def test_following_goes_on_until_it_is_cancelled(gateway: Gateway, tmp_path: Path) -> None:
    async def main() -> None:
        task = asyncio.create_task(gateway.watcher.follow(0.001))
        for name in ("one", "two"):
            gateway.swapped.clear()
            await asyncio.to_thread(gateway.store.promote, bundle(tmp_path / name, name))
            await gateway.swapped.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 60))
    assert gateway.policy.name == "fixed(two)"


def test_bundle_errors_stay_bundle_errors(gateway: Gateway, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no bundle"):
        gateway.store.promote(tmp_path / "nothing")

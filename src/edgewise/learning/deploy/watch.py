"""Serving follows `deployed.json`: a new bundle is loaded beside the old one and takes over in one step."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from edgewise.policies.canary import Canary
from edgewise.policies.shadow import Shadowed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgewise.domain.protocols import Policy
    from edgewise.learning.deploy.store import Store

logger = logging.getLogger(__name__)
PAUSE_S = 1.0


def following(store: Store, load: Callable[[Path], Policy], otherwise: Policy) -> Policy:
    """What the store says is in charge, its trial included; `otherwise` where no bundle is.

    `load` makes a policy of a bundle's folder. Blocks. Raises `BundleError`.
    """
    state = store.state()
    policy = otherwise if state.current is None else load(store.folder(state.current))
    trial = state.trial
    if trial is None:
        return policy
    newcomer = load(store.folder(trial.version))
    salt = f"{trial.version}@{trial.since}"
    if trial.mode == "canary":
        return Canary(policy, newcomer, trial.share, salt)
    return Shadowed(policy, newcomer, trial.share, salt, trial.ask)


def problem_of(store: Store, load: Callable[[Path], Policy], otherwise: Policy) -> str | None:
    """Why a gateway could not serve what is deployed, or None. Blocks."""
    try:
        following(store, load, otherwise)
    except Exception as error:  # noqa: BLE001 - whatever it is, a gateway would stumble over it, too
        return _sentence(error)
    return None


def _sentence(error: Exception) -> str:
    return str(error) or type(error).__name__


class Deployed:
    """Keeps serving on what is deployed.

    `load` makes a policy of a bundle's folder, in a thread; `adopt` hands the ready policy to the router,
    on the event loop; `otherwise` decides while no bundle is in charge. `problem` says why the newest state
    could not be followed, in which case the policy before stays.
    """

    def __init__(
        self,
        store: Store,
        *,
        load: Callable[[Path], Policy],
        otherwise: Policy,
        adopt: Callable[[Policy], None],
    ) -> None:
        self._store, self._load, self._otherwise, self._adopt = store, load, otherwise, adopt
        self._seen: tuple[int, int, int] | None = None
        self.problem: str | None = None

    def first(self) -> Policy:
        """The policy to begin with. Blocks.

        What cannot be loaded leaves `otherwise` in charge, and a `problem`.
        """
        self._seen = self._stamp()
        try:
            return following(self._store, self._load, self._otherwise)
        except Exception as error:  # noqa: BLE001 - a gateway that starts with the rule beats one that does not
            self._refuse(error)
            return self._otherwise

    async def look(self) -> bool:
        """Follow the file if it has changed; whether a policy was handed over."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            policy = await asyncio.to_thread(following, self._store, self._load, self._otherwise)
            self._adopt(policy)
        except Exception as error:  # noqa: BLE001 - whatever a bundle does, the gateway goes on with the old one
            self._refuse(error)
            return False
        self.problem = None
        logger.info("Now serving %s", policy.name)
        return True

    async def follow(self, pause_s: float = PAUSE_S) -> None:
        """Look every `pause_s` seconds until cancelled."""
        while True:
            await asyncio.sleep(pause_s)
            await self.look()

    def _refuse(self, error: Exception) -> None:
        self.problem = _sentence(error)
        logger.warning("What was deployed cannot be served, the policy before stays: %s", self.problem)

    def _stamp(self) -> tuple[int, int, int] | None:
        """Changes whenever the file is replaced; None where there is none."""
        try:
            found = self._store.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

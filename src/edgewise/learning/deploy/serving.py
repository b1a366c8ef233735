"""From a deployed folder to a policy that is ready to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewise.domain.errors import MissingExtra

if TYPE_CHECKING:
    from pathlib import Path

    from edgewise.domain.protocols import Policy

FOLDER = "bundles"  # in the state folder


def learned(folder: Path) -> Policy:
    """The bundle in `folder` as a policy, what describes prompts for it loaded too. Blocks.

    From then on linear algebra keeps to one thread in this process.

    Raises `BundleError` for a bundle that cannot be used, `MissingExtra` and `AssetError` for what is not
    installed.
    """
    try:
        from edgewise.features.described import describer  # noqa: PLC0415 - an extra
        from edgewise.policies.bundles import Bundle, Learned  # noqa: PLC0415 - the same
        from edgewise.policies.learners.threads import one_thread_from_now_on  # noqa: PLC0415 - the same
    except ImportError as error:
        raise MissingExtra("A learned policy", "learn") from error
    bundle = Bundle.load(folder)
    one_thread_from_now_on()
    describer(bundle.manifest.features)  # so that the first prompt need not wait for it
    return Learned(bundle)

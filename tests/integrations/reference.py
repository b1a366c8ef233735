"""The five programs of the SDK's page, taken out of its text where that is at hand."""

from __future__ import annotations

import os
import re
from pathlib import Path

NAMES = ("basic", "four_tiers", "offline_first", "performance", "cost")
PAGE = "002_86cc05d342e34fdc.txt"
PROGRAM = re.compile(
    r'^import asyncio\n[\s\S]*?^if __name__ == "__main__":\n(?:(?:[ \t].*)?\n)*?(?=\S)', re.MULTILINE
)
IMPORT = re.compile(r"^from oblix(?=[. ])", re.MULTILINE)


def folder() -> Path:
    """Where the reference texts lie: EDGEWISE_REFERENCE, or ../shared/reference beside the checkout."""
    given = os.environ.get("EDGEWISE_REFERENCE")
    return Path(given) if given else Path(__file__).parents[3] / "shared" / "reference"


def programs(page: str) -> dict[str, str]:
    """The programs in the page's text by name, their import lines changed and nothing else."""
    found = [match.group().rstrip() + "\n" for match in PROGRAM.finditer(page)]
    if len(found) != len(NAMES):
        raise AssertionError(f"expected {len(NAMES)} programs on the page, found {len(found)}")
    return {
        name: IMPORT.sub("from edgewise.integrations.oblix", program)
        for name, program in zip(NAMES, found, strict=True)
    }

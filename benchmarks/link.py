"""How soon a lost link is seen, and a link that is back.

    python -m benchmarks.link [--rounds 5]

A cloud candidate stands behind a TCP proxy, a scripted edge beside it; prompts come ten times a second, and
the policy wants the cloud. The proxy refuses (`cut`) or swallows everything (`silent`), and comes back.
Printed are seconds from the change to the first answer of the edge, or of the cloud again, and the longest
that any prompt waited.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from typing import Any

from tests.library.test_link_lost import EDGE, CloudFirst
from tests.link import link_to
from tests.servers import mock_upstream

from edgewise import Router
from edgewise.domain.errors import UpstreamError

PAUSE_S = 0.1


def until(router: Router, wanted: str) -> tuple[float, float]:
    """Seconds until `wanted` answers, and the longest wait of a prompt on the way."""
    began, longest = time.monotonic(), 0.0
    while True:
        asked, chosen = time.monotonic(), ""
        try:
            chosen = router.ask("Hello?").reply().decision.chosen
        except UpstreamError:
            chosen = "failed"
        longest = max(longest, time.monotonic() - asked)
        if chosen == wanted:
            return time.monotonic() - began, longest
        time.sleep(PAUSE_S)


def measure(how: str, rounds: int) -> None:
    gone, back, waits = [], [], []
    with mock_upstream() as mock, link_to(mock.port) as link:
        url = f"http://127.0.0.1:{link.port}/v1"
        cloud: dict[str, Any] = {"id": "gpt", "location": "cloud", "url": url}
        for _ in range(rounds):
            with Router([EDGE, cloud], policy=CloudFirst()) as router:
                until(router, "gpt")
                time.sleep(1.0)
                getattr(link, how)()
                seen, wait = until(router, "phi")
                gone.append(seen)
                waits.append(wait)
                time.sleep(3.0)
                link.open()
                seen, wait = until(router, "gpt")
                back.append(seen)
                waits.append(wait)
    for what, found in (("offline seen", gone), ("back", back), ("longest wait", waits)):
        print(f"{how:8} {what:14} median {statistics.median(found):.2f} s, worst {max(found):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    os.environ.pop("EDGEWISE_SIGNALS", None)
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEWISE_HOME"] = home
        for how in ("cut", "silent"):
            measure(how, rounds)


if __name__ == "__main__":
    main()

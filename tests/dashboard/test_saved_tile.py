"""What *Now* says was saved, of requests that failed at the edge."""

from __future__ import annotations

import re
from pathlib import Path
from time import monotonic, time
from urllib.request import urlopen

from tests.cli.stored import fill
from tests.dashboard.traffic import CONFIG
from tests.outcomes.sample import decision, outcome
from tests.servers import gateway


def test_a_request_that_failed_at_the_edge_has_saved_nothing(tmp_path: Path) -> None:
    now = time()
    made = [decision(at=now) for _ in range(6)]
    answers = [outcome(one, at=now, candidate="mini", cost_usd=0.25, cost_state="billed") for one in made[:2]]
    failures = [outcome(one, at=now, candidate="phi", status="error", cost_usd=0.0) for one in made[2:]]
    fill(tmp_path / "edgewise.sqlite", *made, *answers, *failures)
    with gateway(tmp_path, CONFIG) as running:
        told, began = "", monotonic()
        while "2 answers" not in told and monotonic() - began < 120.0:  # the log is read soon after the start
            with urlopen(running.url + "/now") as page:
                told = re.sub("<[^>]+>", " ", page.read().decode())
    assert re.search(r"Saved, estimated\s+\$0\s+against the cloud giving all 2 answers at \$0\.25", told)

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.monitors.drift.drifting import store
from tests.outcomes.sample import decision, outcome

from edgewise.app.retraining import retraining_for, steps
from edgewise.domain.decisions import Feedback
from edgewise.domain.errors import SettingsError
from edgewise.domain.ids import mint
from edgewise.monitors.production.alerts import Alert, Change
from edgewise.monitors.production.retraining import PRINTED, Retraining
from edgewise.policies.bundles import MANIFEST
from edgewise.settings import Settings
from edgewise.settings.checks import check
from edgewise.settings.monitoring import MonitorSettings
from edgewise.settings.schema import CandidateSettings, ObjectiveSettings, StoreSettings

NOW = 1_790_000_000.0
DAY = 86_400.0


def change(step: Any = "began", figure: str = "quality_shift") -> Change:
    return Change(step, Alert("drift-quality", figure, "24h", 0.05, 0.2, 100, NOW, NOW))


@dataclass
class Scripted:
    """Steps that are Python programs; each gets the folder as its argument."""

    codes: Sequence[str]
    begun: list[Path] = field(default_factory=list[Path])

    def __call__(self, folder: Path) -> Sequence[Sequence[str]]:
        self.begun.append(folder)
        return [(sys.executable, "-c", code, str(folder)) for code in self.codes]


def test_drift_trains_once_a_day_one_at_a_time_and_nothing_else_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = Scripted(
        ["import sys, pathlib, os; pathlib.Path(sys.argv[1], 'bundle').write_text(str(os.nice(0)))"]
    )
    retraining = Retraining(tmp_path, made)

    async def main() -> None:
        await retraining(change(figure="error_rate"), NOW)
        await retraining(change("ended"), NOW)
        assert made.begun == []
        await asyncio.gather(retraining(change(), NOW), retraining(change(), NOW))
        await retraining(change(), NOW + DAY - 60.0)
        assert len(made.begun) == 1
        again = Retraining(tmp_path, made)  # a restart has not forgotten
        await again(change(), NOW + DAY - 30.0)
        assert len(made.begun) == 1
        await again(change(), NOW + DAY + 60.0)

    asyncio.run(main())
    assert len(made.begun) == 2
    assert all((folder / "bundle").exists() for folder in made.begun)
    assert "Nothing serves it until `edgewise deploy` says so" in caplog.text


def test_a_training_that_fails_is_told_and_the_rest_is_not_tried(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = Scripted(["print('too few labels'); raise SystemExit(2)", "raise RuntimeError('never')"])
    asyncio.run(Retraining(tmp_path, made)(change(), NOW))
    assert "ended with code 2" in caplog.text
    assert (made.begun[0] / PRINTED).read_text() == "too few labels\n"


def test_what_cannot_be_written_or_started_is_one_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    asyncio.run(Retraining(tmp_path / "file" / "below", Scripted([]))(change(), NOW))
    asyncio.run(Retraining(tmp_path, lambda _: [("/no/such/program",)])(change(), NOW))
    assert caplog.text.count("No candidate could be trained for drift-quality") == 2


def test_whoever_ends_the_gateway_ends_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "not for you")
    code = (
        "import os, sys, time, pathlib; assert 'WEBHOOK_SECRET' not in os.environ; "
        "pathlib.Path(sys.argv[1], 'begun').touch(); time.sleep(600)"
    )
    made = Scripted([code])

    async def main() -> None:
        training = asyncio.create_task(Retraining(tmp_path, made, ("WEBHOOK_SECRET",))(change(), NOW))
        while not made.begun or not (made.begun[0] / "begun").exists():
            assert not training.done()
            await asyncio.sleep(0.01)
        (child,) = [c for c in psutil.Process().children() if str(tmp_path) in " ".join(c.cmdline())]
        training.cancel()
        await asyncio.wait([training])
        assert not child.is_running()

    asyncio.run(main())


def test_it_needs_the_prompts() -> None:
    wanted = MonitorSettings(retrain="candidates")
    with pytest.raises(SettingsError, match=r"monitor\.retrain needs prompts"):
        check(Settings(monitor=wanted, store=StoreSettings(prompts="hash")))
    assert retraining_for(Settings()) is None
    assert retraining_for(Settings(monitor=wanted)) is not None


def test_the_commands_are_those_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    settings = Settings(
        objective=ObjectiveSettings(name="quality-at-cost", weight=0.3, cloud_share=0.2),
        candidates=(CandidateSettings("phi", "edge"), CandidateSettings("gpt", "cloud")),
    )
    export, train = steps(settings, tmp_path / "made")
    assert export[3:7] == ("log", "export", "--path", str(tmp_path / "edgewise.sqlite"))
    said = " ".join(train)
    assert "--objective quality-at-cost --weight 0.3 --cloud-share 0.2 --edge phi" in said


@pytest.mark.slow
def test_a_log_becomes_a_candidate_that_nothing_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EDGEWISE_HOME", str(tmp_path))
    records: list[Any] = []
    for n in range(24):
        chosen, where = (("phi", "edge"), ("gpt", "cloud"))[n % 2]
        made = decision(
            at=time.time(), chosen=chosen, location=where, propensity=0.5, odds={"phi": 0.5, "gpt": 0.5},
            shortlist=("phi", "gpt"), prompt=f"Question {n} about {'tea' if n % 4 < 2 else 'proofs'}",
        )  # fmt: skip
        good = n % 4 < 2 or chosen == "gpt"
        records += [
            made,
            outcome(made),
            Feedback(id=mint(), decision_id=made.id, at=made.at, quality=float(good)),
        ]
    store(tmp_path / "edgewise.sqlite", *records)
    settings = Settings(
        monitor=MonitorSettings(retrain="candidates"),
        candidates=(CandidateSettings("phi", "edge"), CandidateSettings("gpt", "cloud")),
    )
    retraining = retraining_for(settings)
    assert retraining is not None
    asyncio.run(retraining(change(), NOW))
    (folder,) = (tmp_path / "candidates").iterdir()
    assert (folder / "bundle" / MANIFEST).is_file(), (folder / PRINTED).read_text()
    assert not (tmp_path / "bundles").exists(), "it is not deployed"
    assert str(folder / "bundle") in caplog.text


def test_a_training_of_a_clock_that_was_ahead_does_not_forbid_the_next(tmp_path: Path) -> None:
    made = Scripted(["pass"])
    asyncio.run(Retraining(tmp_path, made)(change(), NOW + 400 * DAY))
    asyncio.run(Retraining(tmp_path, made)(change(), NOW))
    asyncio.run(Retraining(tmp_path, made)(change(), NOW + 60.0))
    assert len(made.begun) == 2

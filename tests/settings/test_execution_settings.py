"""What `[execution]` refuses, in one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.domain.errors import SettingsError
from edgewise.settings import ExecutionSettings, load


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("retries = 6", "execution.retries is 6; expected a number from 0 to 5."),
        ("retry_share = 1.5", "execution.retry_share is 1.5; expected a number from 0 to 1."),
        ("connect_s = 0", "execution.connect_s is 0.0; expected a number of seconds above 0."),
        ("idle_s = 0", "execution.idle_s is 0.0; expected a number of seconds above 0."),
        ("total_s = -1", "execution.total_s is -1.0; expected a number of seconds above 0."),
        ("hedge = true\nhedge_after_s = -1", "expected a number of seconds, 0 or more."),
        ("hedge_after_s = 1", "has no effect; expected it only beside hedge = true."),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "edgewise.toml"
    file.write_text(f"[execution]\n{line}\n")
    with pytest.raises(SettingsError) as caught:
        load(file, {})
    assert str(caught.value).endswith(said)


def test_what_can_be_run_is_read(tmp_path: Path) -> None:
    file = tmp_path / "edgewise.toml"
    file.write_text("[execution]\nfallback = false\nretries = 0\nhedge = true\nhedge_after_s = 0\n")
    wanted = ExecutionSettings(fallback=False, retries=0, hedge=True, hedge_after_s=0.0)
    assert load(file, {}).execution == wanted

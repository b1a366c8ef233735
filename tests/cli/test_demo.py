"""`edgewise demo`: twenty prompts, without a gateway."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import edgewise

from edgewise.outcomes import LogReader

CONFIG = """
[[candidates]]
id = "parrot"
location = "edge"
script = { replies = ["Yes."] }
"""


def test_it_decides_in_its_own_process_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "edgewise.toml").write_text(CONFIG)
    ran = edgewise("demo", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "20 of 20 answered at the edge" in ran.stdout.decode()
    assert len(LogReader(tmp_path / "edgewise.sqlite").latest(50)) == 20
    told = edgewise("demo", "--help", cwd=tmp_path).stdout.decode()
    assert "in this process" in told
    assert "through the gateway" not in told

"""The whole loop for real, in small: the embedded model against itself with worked examples and a vote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import edgewise

from edgewise import assets

CONFIG = """
[profile]
max_tokens = 24
[[candidates]]
id = "small"
location = "edge"
embedded = "smollm2-135m"
[[candidates]]
id = "helped"
location = "cloud"
embedded = "smollm2-135m"
helped = { votes = 3 }
price = { input = 0.15, output = 0.6 }
"""


@pytest.mark.slow
def test_the_loop_runs_on_the_embedded_model(tmp_path: Path) -> None:
    model = assets.folder("smollm2-135m")
    if not model.exists():
        pytest.skip("the embedded model is not here: edgewise models pull smollm2-135m")
    (tmp_path / "models").symlink_to(model.parent, target_is_directory=True)
    (tmp_path / "edgewise.toml").write_text(CONFIG)
    words = ("learn", "--prompts", "10", "-o", "out", "--cv", "2x1", "--learner", "ridge")
    ran = edgewise(*words, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr.decode()
    assert "than the best single candidate here" in ran.stdout.decode()
    rows = [json.loads(line) for line in (tmp_path / "out" / "judged.jsonl").read_text().splitlines()]
    assert len(rows) == 20
    assert {row["status"] for row in rows} == {"ok"}
    assert all(row["quality"] is not None for row in rows)
    helped, small = (
        sum(row["input_tokens"] for row in rows if row["candidate"] == name) for name in ("helped", "small")
    )
    assert helped > 2 * small  # examples and votes are paid for
    assert (tmp_path / "out" / "bundle" / "policy.json").exists()

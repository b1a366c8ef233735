"""A promise while serving: sampled labels are asked of the cloud too, booked, and an alarm is raised."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from tests.cli.running import edgewise
from tests.gateway.test_classify import chosen
from tests.servers import Mock, Running, gateway, mock_upstream
from tests.upstreams.classifiers import made

from edgewise.policies.cascade.placing import FILE, OutOfScope, Placing, Promise
from edgewise.upstreams.classifier.manifest import write_manifest

PROMISE = Promise(0.01, 0.95, 500, 0.0, 1.0, 0.01, proven=True, sentence="At most 1 %.")
CONFIG = """
[policy]
kind = "cascade"

[policy.cascade]
watched = 1.0

[[candidates]]
id = "small"
location = "edge"
kind = "classifier"
bundle = "{bundle}"

[[candidates]]
id = "llm"
location = "cloud"
kind = "classifier"
url = "{chat}"
price = {{ input = 0.0, output = 0.0, per_query = 0.001 }}
"""
PATIENCE_S = 120.0


def promising(folder: Path) -> None:
    """A bundle that knows what it does not know: "late" is strange to it."""
    manifest = made(folder)
    placing = Placing(
        1, manifest.version, "llm", 0.0, {"doubt": 1.0}, 0.6, OutOfScope("probability", 0.6), PROMISE
    )
    raw = msgspec.json.encode(placing)
    (folder / FILE).write_bytes(raw)
    files = {**manifest.files, FILE: sha256(raw).hexdigest()}
    write_manifest(folder, msgspec.structs.replace(manifest, files=files))


def label(running: Running, text: str) -> dict[str, Any]:
    status, answer = running.post("/v1/classify", {"input": text})
    assert status == 200, answer
    return dict(answer["data"][0])


def until(true: Callable[[], bool]) -> None:
    """Shadows are asked in the background: wait until they were."""
    ends = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_an_alarm_is_raised_where_the_cloud_says_otherwise(tmp_path: Path) -> None:
    promising(tmp_path / "moods")
    with mock_upstream(Mock(plain=chosen('{"label": "blame"}'))) as chat:
        config = CONFIG.format(bundle=tmp_path / "moods", chat=chat.url)
        with gateway(tmp_path, config) as running:

            def told() -> dict[str, Any]:
                return dict(running.get("/readyz")[1])

            def checked() -> str:
                return str(told()["promises"]["small"])

            assert "was not checked yet" in checked()
            for number in range(1, 13):
                assert label(running, "good good good")["candidate"] == "small"
                until(lambda seen=number: f"over {seen} sampled texts" in checked())  # type: ignore[misc]
            assert "no longer holds, with 95% confidence" in checked()
            assert any("small: The promise" in warning for warning in told()["warnings"])
            shadows = [
                found for found in running.get("/v1/decisions?limit=50")[1]["data"] if found["shadow_of"]
            ]
            assert len(shadows) == 12
            assert {found["outcome"]["cost_usd"] for found in shadows} == {0.001}
        said = " ".join(edgewise("doctor", cwd=tmp_path).stdout.decode().split())
        assert "promise of small" in said
        assert "no longer holds" in said
        with gateway(tmp_path, config) as running:
            assert "over 12 sampled texts" in json.dumps(running.get("/readyz")[1])

"""What `edgewise serve` loads where no extra is installed."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numpy", "safetensors", "onnxruntime", "tokenizers", "scipy", "xgboost",
                                      "matplotlib", "opentelemetry", "xllamacpp", "torch"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import edgewise.app.showing, edgewise.app.watching, edgewise.gateway
from edgewise.dashboard.pages import pages
from edgewise.policies.bundles import MANIFEST, read_manifest
print(len(pages()))
"""


def test_the_gateway_and_its_pages_need_no_extra() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=600, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert int(ran.stdout) == 9

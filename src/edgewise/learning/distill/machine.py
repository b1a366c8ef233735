"""The machine that something was measured on, and the versions of what it was measured with."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import psutil
from msgspec import Struct

PACKAGES = ("edgewise", "numpy", "onnx", "onnxruntime", "tokenizers", "torch", "transformers")
CPUINFO = Path("/proc/cpuinfo")
GIB = 2**30


class Machine(Struct, frozen=True):
    """Hardware and versions; `load` is the one-minute load average, which blurs whatever is timed."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    packages: dict[str, str]
    load: float | None = None

    @property
    def same(self) -> dict[str, Any]:
        """What makes two machines the same one: all but how busy it is."""
        return {**msgspec.to_builtins(self), "load": None}

    @property
    def sentence(self) -> str:
        """One sentence for a report."""
        busy = "" if self.load is None else f", load average {self.load:.2f}"
        named = ", ".join(f"{name} {found}" for name, found in self.packages.items())
        return (
            f"Measured on {self.cpu}, {self.cores} cores, {self.memory_gib:.1f} GiB, {self.system}{busy}; "
            f"Python {self.python}, {named}."
        )


def machine() -> Machine:
    """The machine at hand."""
    return Machine(
        cpu=cpu_name(),
        cores=os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / GIB, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    )


def cpu_name() -> str:
    """The processor as it calls itself."""
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

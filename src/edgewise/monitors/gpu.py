"""NVIDIA's graphics processors, by the driver's own library."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgewise.domain.signals import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator


class Gpu:
    """`gpu` (share of time), `gpu_memory_free` (bytes) and `gpu_memory` (share used).

    Of several processors, `gpu` is the busiest one's, since that is where the model runs; the memory is
    that of the one with the most of it free, since a model has to fit on one. Without the extra `gpu`,
    without a driver, and where the processor does not tell, there is no reading. `library` is pynvml, or
    has its functions.
    """

    def __init__(self, library: Any = None) -> None:
        self._library = library
        self._sought = library is not None
        self._devices: list[Any] = []

    def read(self) -> Iterator[Reading]:
        """What the processors tell."""
        library = self._found()
        if library is None or not self._ready(library):
            return
        busy = [_asked(library, library.nvmlDeviceGetUtilizationRates, device) for device in self._devices]
        memory = [_asked(library, library.nvmlDeviceGetMemoryInfo, device) for device in self._devices]
        shares = [rates.gpu / 100 for rates in busy if rates is not None]
        if shares:
            yield Reading("gpu", max(shares), "share", "nvml")
        roomy = max((m for m in memory if m is not None and m.total), key=lambda m: m.free, default=None)
        if roomy is not None:
            yield Reading("gpu_memory_free", float(roomy.free), "bytes", "nvml")
            yield Reading("gpu_memory", 1.0 - roomy.free / roomy.total, "share", "nvml")
        if not shares and roomy is None:  # the driver may be gone; begin anew next time
            self._let_go(library)

    def joules(self) -> float | None:
        """What all processors have used since their driver was loaded; None where none of them counts."""
        library = self._found()
        if library is None or not self._ready(library):
            return None
        used = [
            _asked(library, library.nvmlDeviceGetTotalEnergyConsumption, device) for device in self._devices
        ]
        known = [millijoules / 1000.0 for millijoules in used if millijoules is not None]
        return sum(known) if known else None

    def _found(self) -> Any:
        if not self._sought:
            self._sought = True
            with suppress(ImportError):
                self._library = import_module("pynvml")
        return self._library

    def _ready(self, library: Any) -> bool:
        """Whether there are processors to ask; a driver that comes up later is found then."""
        if not self._devices:
            try:
                library.nvmlInit()
                count = library.nvmlDeviceGetCount()
                self._devices = [library.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
            except library.NVMLError:
                self._let_go(library)
        return bool(self._devices)

    def _let_go(self, library: Any) -> None:
        self._devices = []
        with suppress(library.NVMLError):
            library.nvmlShutdown()


def _asked(library: Any, question: Any, device: Any) -> Any:
    """What the device answers, or None where it does not support the question or is gone."""
    try:
        return question(device)
    except library.NVMLError:
        return None

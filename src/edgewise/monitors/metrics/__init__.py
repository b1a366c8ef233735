"""What Prometheus reads: the traffic in counters and histograms, and the process around it."""

from __future__ import annotations

from edgewise.monitors.metrics.exposition import Family, Sample, page
from edgewise.monitors.metrics.names import HELP
from edgewise.monitors.metrics.process import process_families
from edgewise.monitors.metrics.traffic import Traffic

__all__ = ["HELP", "Family", "Sample", "Traffic", "page", "process_families"]

"""Requests as OpenTelemetry's spans: one over all calls, a child for each; no prompt, no answer."""

from __future__ import annotations

from edgewise.monitors.traces.parents import PARENT
from edgewise.monitors.traces.spans import Trace, Traces, TraceSpan
from edgewise.monitors.traces.words import Words

__all__ = ["PARENT", "Trace", "TraceSpan", "Traces", "Words"]

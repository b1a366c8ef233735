"""OpenTelemetry's own SDK; its standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, …) say where spans go."""

from __future__ import annotations

from importlib import import_module
from os import environ
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from edgewise.domain.errors import MissingExtra

if TYPE_CHECKING:
    from edgewise.monitors.traces.spans import Trace, TraceSpan

NANO: Final = 1e9
LAST_S: Final = 3.0


class Exporter:
    """Hands traces to `provider` (a TracerProvider); `close` sends what still waits."""

    def __init__(self, provider: Any) -> None:
        api = import_module("opentelemetry.trace")
        self._provider, self._tracer = provider, provider.get_tracer("edgewise")
        self._with, self._kinds = api.set_span_in_context, api.SpanKind
        self._failed = api.StatusCode.ERROR
        self._propagator = import_module("opentelemetry.trace.propagation.tracecontext")

    def __call__(self, trace: Trace) -> None:
        """Make the spans, with the times that they had."""
        parent = None
        if trace.parent is not None:
            reader = self._propagator.TraceContextTextMapPropagator()
            parent = reader.extract({"traceparent": trace.parent})
        request = self._begun(trace.request, self._kinds.SERVER, parent)
        inside = self._with(request)
        for call in trace.calls:
            self._ended(self._begun(call, self._kinds.CLIENT, inside), call)
        self._ended(request, trace.request)

    def close(self) -> None:
        """Send what still waits. Blocks, for `LAST_S` at most: the SDK itself would try for much longer."""
        last = Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(LAST_S)

    def _begun(self, span: TraceSpan, kind: Any, context: Any) -> Any:
        return self._tracer.start_span(
            span.name, context, kind, dict(span.attributes), start_time=int(span.begins * NANO)
        )

    def _ended(self, made: Any, span: TraceSpan) -> None:
        if span.error is not None:
            made.set_status(self._failed)
        made.end(int(span.ends * NANO))


def exporter() -> Exporter:
    """Spans to the collector, in batches, from a thread of the SDK's. Raises MissingExtra."""
    try:
        sdk = import_module("opentelemetry.sdk.trace")
        batches = import_module("opentelemetry.sdk.trace.export")
        otlp = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        resources = import_module("opentelemetry.sdk.resources")
    except ImportError as error:
        raise MissingExtra("[monitor] traces = true", "otel") from error
    name = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": "edgewise"}
    provider = sdk.TracerProvider(resource=resources.Resource.create(name), shutdown_on_exit=False)
    provider.add_span_processor(batches.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    return Exporter(provider)

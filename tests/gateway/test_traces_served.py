"""Spans of a gateway that has answered, as a collector gets them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import two_candidates
from tests.servers import Mock, free_port, gateway, mock_upstream

ASKED = {"model": "tiny", "messages": [{"role": "user", "content": "sesame-prompt"}]}
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
ON = "[monitor]\ntraces = true\n"


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
def test_a_collector_gets_the_request_and_its_call(mock: Mock, tmp_path: Path, stream: bool) -> None:
    pytest.importorskip("opentelemetry.sdk.trace", reason="the extra otel is not installed")
    proto = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    with mock_upstream() as collector:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url.removesuffix("/v1"),
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        }
        with gateway(tmp_path, two_candidates(mock, ON), env=env) as running:
            if stream:
                import urllib.request  # noqa: PLC0415 - an event stream is no JSON

                import msgspec  # noqa: PLC0415 - the same

                body = msgspec.json.encode({**ASKED, "stream": True})
                asked = urllib.request.Request(running.url + "/v1/chat/completions", body, PARENT)
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    answer.read()
            else:
                assert running.post("/v1/chat/completions", ASKED, PARENT)[0] == 200
        (sent,) = [c for c in collector.calls if c.path == "/v1/traces"]  # all of them at the end, at once
    told = proto.ExportTraceServiceRequest.FromString(sent.body)
    spans = {s.name: s for r in told.resource_spans for scope in r.scope_spans for s in scope.spans}
    assert set(spans) == {"chat tiny", "chat tiny-1"}
    assert spans["chat tiny"].trace_id.hex() == TRACE_ID
    assert spans["chat tiny-1"].parent_span_id == spans["chat tiny"].span_id
    assert b"sesame" not in sent.body
    (name,) = [
        a.value.string_value
        for r in told.resource_spans
        for a in r.resource.attributes
        if a.key == "service.name"
    ]
    assert name == "edgewise"
    assert all("traceparent" not in call.headers for call in mock.calls)  # whoever answers learns of no trace


@pytest.mark.slow
def test_a_collector_that_is_not_there_holds_up_nothing(mock: Mock, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk.trace", reason="the extra otel is not installed")
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    with gateway(tmp_path, two_candidates(mock, ON), env=env) as running:
        assert running.post("/v1/chat/completions", ASKED)[0] == 200
        running.process.terminate()
        assert running.process.wait(120) == 0

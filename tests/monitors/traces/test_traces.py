from __future__ import annotations

from typing import Any

import pytest
from tests.outcomes.sample import decision, outcome

from edgewise.domain.decisions import Attempt
from edgewise.domain.errors import MissingExtra
from edgewise.domain.ids import shadow_id
from edgewise.monitors.traces import PARENT, Trace, Traces, Words, otlp
from edgewise.monitors.traces.spans import MOST_OPEN
from edgewise.monitors.traces.words import LATEST, SWITCH, Server
from edgewise.settings import CandidateSettings

OLD, NEW = Words.chosen({}), Words.chosen({SWITCH: f"http,{LATEST}"})
GPT = CandidateSettings(id="gpt", location="cloud", url="https://api.openai.com/v1", model="gpt-5-mini")
PHI = CandidateSettings(id="phi", location="edge", url="http://127.0.0.1:11434/v1", api="ollama")
OWN = CandidateSettings(id="own", location="edge", embedded="smollm2-135m")
SERVERS = {c.id: Server.of(c) for c in (GPT, PHI, OWN)}
PARENTS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def call(by: str, **changes: Any) -> Attempt:
    said: dict[str, Any] = {"status": "ok", "started_s": 0.5, "latency_s": 0.75, "http_status": 200}
    return Attempt(candidate=by, **{**said, **changes})


def traced(*records: Any, words: Words = OLD) -> list[Trace]:
    found: list[Trace] = []
    traces = Traces(SERVERS, found.append, words)
    for record in records:
        traces.observe(record)
    return found


def fallen() -> tuple[Any, Any]:
    """A request whose first call failed with words of the endpoint's."""
    made = decision(chosen="gpt", model="auto", prompt="my secret question", session="my session")
    first = call(
        "gpt", status="error", started_s=0.0, latency_s=0.25, http_status=503, error="it said: secret"
    )
    ended = outcome(
        made, at=1000.0, candidate="phi", latency_s=2.0, response="my secret answer",
        attempts=(first, call("phi", input_tokens=7, output_tokens=9, cost_usd=0.0, ttft_s=0.125)),
    )  # fmt: skip
    return made, ended


def test_one_span_over_all_calls_and_a_child_for_each() -> None:
    (trace,) = traced(*fallen())
    request, (first, second) = trace.request, trace.calls
    assert (request.name, request.begins, request.ends, request.error) == ("chat auto", 998.0, 1000.0, None)
    assert (first.name, first.begins, first.ends) == ("chat gpt-5-mini", 998.0, 998.25)
    assert (second.begins, second.ends, second.error) == (998.5, 999.25, None)
    assert request.attributes["edgewise.chosen"] == "gpt"
    assert request.attributes["edgewise.candidate"] == "phi"
    assert (first.error, first.attributes["error.type"]) == ("503", "503")
    assert second.attributes["gen_ai.usage.input_tokens"] == 7
    assert not [name for name in request.attributes if "usage" in name]  # they would be counted twice


@pytest.mark.parametrize(("words", "name"), [(OLD, "gen_ai.system"), (NEW, "gen_ai.provider.name")])
def test_old_names_unless_the_standard_switch_says_otherwise(words: Words, name: str) -> None:
    (trace,) = traced(*fallen(), words=words)
    first = trace.calls[0].attributes
    assert first[name] == "openai"
    assert len({"gen_ai.system", "gen_ai.provider.name"} & set(first)) == 1
    assert first["gen_ai.operation.name"] == "chat"
    assert first["gen_ai.request.model"] == "gpt-5-mini"
    assert (first["server.address"], first["server.port"]) == ("api.openai.com", 443)


@pytest.mark.parametrize(
    ("url", "old", "new"),
    [
        ("https://eu.openai.azure.com/openai", "az.ai.openai", "azure.ai.openai"),
        ("https://api.x.ai/v1", "xai", "x_ai"),
        ("https://notapi.openai.com.example/v1", "_OTHER", "_OTHER"),
        ("http://10.0.0.4:8000/v1", "_OTHER", "_OTHER"),
    ],
)
def test_providers_are_known_by_their_hosts(url: str, old: str, new: str) -> None:
    server = Server.of(CandidateSettings(id="c", location="cloud", url=url))
    assert (OLD.of(server)["gen_ai.system"], NEW.of(server)["gen_ai.provider.name"]) == (old, new)


def test_what_runs_in_processes_of_ours_has_no_address() -> None:
    assert OLD.of(SERVERS["own"]) == {"gen_ai.system": "edgewise", "gen_ai.request.model": "smollm2-135m"}
    assert OLD.of(SERVERS["phi"])["gen_ai.system"] == "ollama"


def test_nothing_that_was_said_is_in_a_trace() -> None:
    told = repr(traced(*fallen()))
    assert "secret" not in told
    assert "session" not in told


def test_who_answered_nobody_says_why_in_a_word() -> None:
    made = decision(chosen="", location="", reason="privacy")
    (trace,) = traced(made, outcome(made, status="error", attempts=(), error="Nobody may answer: secret"))
    assert (trace.request.error, trace.calls) == ("privacy", ())


def test_a_shadow_is_a_trace_of_its_own_and_says_so() -> None:
    own, ended = fallen()
    beside = decision(id=shadow_id(own.id), chosen="gpt", reason="shadow", shadow_of=own.id)
    traces = traced(own, beside, ended, outcome(beside, attempts=(call("gpt"),)))
    assert [trace.request.attributes["edgewise.shadow"] for trace in traces] == [False, True]


def test_decisions_that_never_end_take_no_more_room() -> None:
    traces = Traces(SERVERS, list[Trace]().append, OLD)
    for _ in range(MOST_OPEN + 10):
        traces.observe(decision())
    assert len(traces._open) == MOST_OPEN


def test_the_trace_that_a_request_came_with_is_kept() -> None:
    before = PARENT.set(PARENTS)
    try:
        (trace,) = traced(*fallen())
    finally:
        PARENT.reset(before)
    assert trace.parent == PARENTS


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(otlp, "import_module", absent)
    with pytest.raises(MissingExtra, match=r"edgewise\[otel\]"):
        otlp.exporter()


@pytest.mark.slow
def test_the_sdk_gets_them_with_the_times_that_they_had() -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra otel is not installed")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - only where it is installed
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - the same
        InMemorySpanExporter,
    )

    kept = InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    exporter = otlp.Exporter(provider)
    (trace,) = traced(*fallen())
    exporter(trace._replace(parent=PARENTS))
    exporter(trace._replace(parent="00-nonsense"))
    first, second, request, *_, orphan = kept.get_finished_spans()
    assert (request.name, request.kind.name) == ("chat auto", "SERVER")
    assert format(request.context.trace_id, "032x") == PARENTS.split("-")[1]
    assert request.parent is not None
    assert format(request.parent.span_id, "016x") == PARENTS.split("-")[2]
    assert [call.parent and call.parent.span_id for call in (first, second)] == [request.context.span_id] * 2
    assert (request.start_time, request.end_time) == (998_000_000_000, 1000_000_000_000)
    assert (first.status.status_code.name, request.status.status_code.name) == ("ERROR", "UNSET")
    assert first.kind.name == "CLIENT"
    assert orphan.parent is None
    exporter.close()

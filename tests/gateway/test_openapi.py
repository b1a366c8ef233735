"""`/openapi.json` is true: schemathesis asks for whatever it promises, and looks at what comes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.servers import Running

from edgewise.gateway.door import OPEN_PATHS
from edgewise.gateway.failures import PASSED_ON
from edgewise.gateway.openapi import description

CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


OPERATIONS = [
    (method, path) for path, methods in json.loads(description())["paths"].items() for method in methods
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_promise_holds(running: Running, method: str, path: str) -> None:
    operation = schemathesis.openapi.from_url(f"{running.url}/openapi.json")[path][method.upper()]
    # Vectors need an extra that may not be there: then that is a 503.
    checks = CHECKS[1:] if path == "/v1/embeddings" else CHECKS

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy())
    def holds(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=checks)

    holds()


def test_it_names_every_open_path_and_no_path_that_is_not_there(running: Running) -> None:
    paths = json.loads(description())["paths"]
    assert set(paths) >= OPEN_PATHS
    for path in paths:
        asked = path.replace("{id}", "x")
        assert running.send("DELETE", asked)[0] == 405


def test_it_names_every_status_that_a_candidate_may_hand_on() -> None:
    responses = json.loads(description())["paths"]["/v1/chat/completions"]["post"]["responses"]
    assert {str(status) for status in PASSED_ON} <= set(responses)
    assert {"431", "502", "503", "504"} <= set(responses)  # ours

"""The page of faults is what the tests hold the gateway to, and it leaves no fault out."""

from __future__ import annotations

import runpy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from tests.reliability.upstream_rows import ROWS

from edgewise.upstreams.chaos import Faults

SCRIPT = Path(__file__).parents[2] / "scripts" / "reliability_page.py"
MATRIX = [
    "refuses", "resets before the first byte", "resets mid-stream", "trickles one byte a second",
    "429 with Retry-After as seconds", "429 with Retry-After as a date", "429 with an absurd Retry-After",
    "a storm of 500s", "malformed JSON", "SSE cut before [DONE]", "an endless stream", "a huge body",
    "the wrong content type", "an error inside a 200", "a TLS certificate that has expired",
    "a TLS certificate for another name", "DNS failure", "DNS flapping", "tenfold latency", "usage absent",
    "usage lying", "dies between two requests",
    "disk full", "database locked 30 s", "kill -9", "the clock jumps ±1 h", "memory limit hit",
    "5,000 idle connections", "file descriptors exhausted", "a policy bundle torn, or of a wrong hash",
    "the embedded model's process killed, and its file corrupt", "the embedded model's process hangs",
    "SIGTERM under load", "JSON 100,000 deep", "invalid UTF-8, NUL, lone surrogates", "a prompt of 100 MB",
    "conflicting length headers, request smuggling", "a private or metadata address as an endpoint",
    "a redirect to a private address", "path traversal in ids and static paths",
    "header injection through model names and ids", "a key, in every place where it might leak",
    "the client is gone mid-stream",
]  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_the_page_is_up_to_date(made: dict[str, Any]) -> None:
    assert made["PAGE"].read_text(encoding="utf-8") == made["page"]()


@pytest.mark.parametrize("fault", MATRIX)
def test_no_fault_of_the_matrix_is_left_out(fault: str, made: dict[str, Any]) -> None:
    assert f"\n| {fault}".lower() in made["page"]().lower()


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_every_fault_of_the_bad_network_is_documented(made: dict[str, Any]) -> None:
    for field in fields(Faults):
        assert f"`{field.name}`" in made["BOX"]

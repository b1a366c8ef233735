"""What happens when something fails: docs/reliability.md.

    python scripts/reliability_page.py

Made of the rows that the tests hold the gateway to. A test holds the page to them.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
TESTS = ROOT / "tests"
# ruff: noqa: E501 - the page is as wide as the other pages
HEAD = """# What happens when something fails

Every row is a test (most of them in `tests/reliability/`), and this page is made of the rows by
`python scripts/reliability_page.py`; a test holds it to them. What costs what, and for how long it was tried, is measured in
[studies](benchmarks.md).

"""
FAULTS = """## One endpoint fails, and one request meets that

A gateway stands before two endpoints: `sick`, which is meant to answer, behind a network that can do anything
([the chaos proxy](#the-bad-network)), and `well`. Each fault is met by a request that only `sick` may answer (it is pinned to
it) and by one that `well` may answer as well, both whole and streamed where nothing else is said. Each time the tests also
hold that

- the client has an answer, or an error in OpenAI's shape, within its deadline; a stream that has begun never ends silently,
- the log holds exactly one decision and one outcome of the request,
- the next request is answered, and at the end no connection and no task is left.

The limits are those of [`[execution]`](configuration.md#execution), made short where the fault is one of time: half a second to
the first words and between two of them, one second for a try, four in all. Nobody is asked twice. The log's column gives the
outcome, in brackets the calls that were made, and the state of what they cost; see [the log](log.md).

| fault | what is injected | pinned to it: the client sees | the log holds | where another may answer: the client sees | the log holds |
|---|---|---|---|---|---|
"""
TABLE = """
## {}

| fault | what is injected | the client sees | the log holds |
|---|---|---|---|
"""
# Tests that say in their docstrings what is injected, what the client sees, and what the log holds.
TOLD = {
    "One endpoint fails, and many requests meet that": (
        "reliability/test_upstream_storms.py",
        "reliability/test_full_line.py",
    ),
    "The machine itself": (
        "reliability/test_host_faults.py",
        "gateway/test_kill.py",
        "gateway/test_idle_connections.py",
        "reliability/test_bundle_faults.py",
        "upstreams/test_embedded_health.py",
    ),
    "What clients send": ("reliability/test_input_faults.py",),
}
BOX = """
## The bad network

`edgewise.upstreams.chaos` is a TCP proxy for your own tests: in the process, on loopback, seeded. It stands between Edgewise and
an endpoint, or between anything and anything.

```python
from edgewise.upstreams.chaos import Chaos, Faults

async with Chaos("127.0.0.1", 11434, Faults(loss=0.1, delay_s=0.2), seed=7) as chaos:
    url = f"http://127.0.0.1:{chaos.port}/v1"  # for a candidate
    ...
    chaos.faults = Faults(cut_after=400)  # from the next piece on
    await chaos.refuse()                  # nobody listens any more
    await chaos.accept()                  # at the same port as before
```

| `Faults` | default | |
|---|---|---|
| `delay_s`, `jitter_s` | 0 | mean and standard deviation of a pause before each piece that comes back |
| `loss` | 0 | the share of connections that are reset once the request has begun to come |
| `garbage` | 0 | the share of bytes that arrive as others |
| `bytes_per_s` | 0 | how fast an answer comes; 0 is as fast as it goes |
| `cut_after` | none | after how many bytes of a connection's answers it ends |
| `ending` | `"reset"` | how: `"reset"`, `"close"`, `"half-close"` or `"silence"` |

`hang_up()` resets what stands; `connections` counts what ever stood, `open_connections` what stands now. What is drawn
depends on the seed and on the number of the connection alone.
"""


def page() -> str:
    """The whole page."""
    sys.path.insert(0, str(ROOT))
    from tests.reliability.upstream_rows import ROWS  # noqa: PLC0415 - found only from here on

    rows = [_line(f"{row.name}{_kinds(row.kinds)}", row.injected, *row.pinned, *row.free) for row in ROWS]
    tables = [
        TABLE.format(title) + "".join(row for file in files for row in _told(TESTS / file))
        for title, files in TOLD.items()
    ]
    return HEAD + FAULTS + "".join(rows) + "".join(tables) + BOX


def _kinds(kinds: tuple[str, ...]) -> str:
    return f" ({kinds[0]})" if len(kinds) == 1 else ""


def _told(tests: Path) -> list[str]:
    """A row for each test that tells of itself."""
    found: list[str] = []
    for test in ast.parse(tests.read_text(encoding="utf-8")).body:
        said = ast.get_docstring(test) if isinstance(test, ast.FunctionDef) else None
        name, *parts = re.split(r"\n+(?:Injected|Client|Log): ", said or "")
        if len(parts) == 3:  # noqa: PLR2004 - the three columns behind the name
            found.append(_line(*(" ".join(part.split()).rstrip(".") for part in (name, *parts))))
    return found


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

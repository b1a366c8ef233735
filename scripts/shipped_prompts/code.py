"""Code: fifty functions, ten a level; what they return is computed from the reference solutions."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from scripts.shipped_prompts.code_tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = (
    "Write a Python function `{head}` that {does}.",
    "In Python, write `{head}`. It {does}.",
    "Please implement `{head}` in Python; it {does}. Reply with the code only.",
    "I need a Python function: `{head}`, which {does}.",
    "Python task: define `{head}` so that it {does}.",
)


def rows() -> Iterator[dict[str, Any]]:
    """The rows, in the order of their levels."""
    for number, (level, head, does, good, bad, arguments) in enumerate(TASKS):
        name = head.partition("(")[0]
        right, wrong = (f"def {head}:\n{textwrap.indent(body, '    ')}" for body in (good, bad))
        cases = [{"args": list(args), "result": _result(right, name, args)} for args in arguments]
        yield {
            "prompt": ASKED[number % len(ASKED)].format(head=head, does=does),
            "level": level,
            "check": {"grader": "code", "function": name, "cases": cases},
            "right": f"```python\n{right}\n```",
            "wrong": f"Here you go:\n```python\n{wrong}\n```",
        }


def _result(code: str, name: str, arguments: tuple[Any, ...]) -> Any:
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102 - the reference solutions of this folder
    return scope[name](*arguments)

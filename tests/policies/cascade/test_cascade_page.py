"""The page about the cascade says what the code does."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from edgewise.domain.errors import SettingsError
from edgewise.policies import Complexity
from edgewise.policies.cascade.configured import configured
from edgewise.policies.cascade.policy import CONFIDENCE, ESCALATED, RULE, TOOK
from edgewise.settings import PolicySettings
from edgewise.settings.schema import EscalateSettings

PAGE = (Path(__file__).parents[3] / "docs" / "cascade.md").read_text(encoding="utf-8")


def test_its_program_prints_what_stands_there() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(program, {})  # noqa: S102 - our own page
    assert printed.getvalue().split() == re.findall(r"#> (.*)", program)[0].split()


def test_its_error_is_the_real_one() -> None:
    (error,) = re.findall(r"<!-- error -->\n```\n(.*?)\n```", PAGE, re.DOTALL)
    rule = EscalateSettings("asks for a person", ("manage*",), stays=("How do I manage my cards?",))
    with pytest.raises(SettingsError) as caught:
        configured(PolicySettings("cascade", escalate=(rule,)), Complexity(), {})
    assert str(caught.value) == error


def test_the_evidence_and_the_default_stand_there() -> None:
    for name in (ESCALATED, TOOK, f"{RULE}NAME", "answer_read", "least", "quality"):
        assert f"`{name}`" in PAGE
    assert f"`confidence` ({CONFIDENCE:g})" in PAGE

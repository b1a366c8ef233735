"""Grader `json_schema`: JSON of a given shape, and where it is known of a given value."""

from __future__ import annotations

import json
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from edgewise.domain.errors import MissingExtra
from edgewise.learning.graders.grades import Grade, right, shown, wrong
from edgewise.learning.graders.same import same
from edgewise.learning.graders.structured import NotOne, value_in


class JsonSchema(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Right is JSON that fits `schema` and, where `answer` stands, equals it.

    Numbers are compared by value, texts without blanks around them, truth values as such. It may stand in a
    fence or among words, unless `alone`; several different values are wrong. Nothing is ever fetched: a
    schema that refers to another document is no check.
    """

    grader: str = "json_schema"
    schema: dict[str, Any] | bool
    answer: Any | UnsetType = UNSET
    alone: bool = False

    def problem(self) -> str | None:
        """A schema that is none."""
        try:
            _validator(self.schema)
        except ValueError as error:
            return f"`schema` is no JSON Schema: {str(error).splitlines()[0]}"
        return None

    def grade(self, response: str) -> Grade:
        """Full marks for a value that fits."""
        try:
            value = value_in(response, alone=self.alone)
        except NotOne as error:
            return wrong(str(error))
        try:
            errors = next(_validator(self.schema).iter_errors(value), None)
        except ValueError as error:  # numbers that no JSON Schema can weigh
            return wrong(f"It cannot be checked: {str(error).splitlines()[0]}.")
        if errors is not None:
            return wrong(f"It does not fit the schema: {shown(str(errors.message), 120)}.")
        if self.answer is not UNSET and not same(value, self.answer):
            return wrong(f"It fits the schema but says {shown(json.dumps(value))}.")
        return right("It is the JSON that was asked for.")

    def known_right(self) -> str | None:
        """The answer as JSON, where it is known."""
        return None if self.answer is UNSET else json.dumps(self.answer, ensure_ascii=False)


def _validator(schema: dict[str, Any] | bool) -> Any:  # noqa: FBT001 - `true` and `false` are schemas
    try:
        import jsonschema_rs  # noqa: PLC0415 - loaded when a schema is checked
    except ImportError:
        raise MissingExtra("Checking answers against a JSON Schema", "learn") from None
    # Patterns in linear time, whatever the answer; and no other document is fetched.
    linear = jsonschema_rs.RegexOptions()
    return jsonschema_rs.validator_for(schema, pattern_options=linear, retriever=_refused)


def _refused(uri: str) -> Any:
    raise ValueError(f"it refers to {uri}, and nothing is fetched")

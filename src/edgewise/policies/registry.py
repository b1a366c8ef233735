"""From a kind's name in the configuration to a policy."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import SettingsError
from edgewise.policies.complexity import Complexity
from edgewise.policies.edge_first import EdgeFirst
from edgewise.policies.fixed import Fixed
from edgewise.policies.tiers import Tiers
from edgewise.policies.uniform import Uniform
from edgewise.settings.plugins import made, offered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edgewise.domain.protocols import Policy

KINDS = ("complexity", "edge-first", "fixed", "random", "tiers")


def make(
    kind: str,
    *,
    options: Mapping[str, Any] | None = None,
    candidate: str | None = None,
    section: str = "policy",
) -> Policy:
    """The policy of that kind.

    `options` become its keywords; `candidate`, an id, belongs to the kind `fixed`. `section` is where the
    settings stand, for the messages. A kind that is none of ours is looked up among the entry points
    `edgewise.policies` of installed packages. Raises SettingsError, in one sentence, for whatever cannot be
    built.
    """
    if kind not in KINDS and kind in offered("edgewise.policies"):
        found: Policy = made("edgewise.policies", kind, options or {}, section=f"{section}.kind")
        return found
    if kind not in KINDS:
        raise SettingsError(f"{section}.kind is {kind!r}; {_meant(kind, KINDS)}.")
    if candidate is not None and kind != "fixed":
        raise SettingsError(f"{section}.candidate has no effect; expected it only beside kind = 'fixed'.")
    if kind == "complexity":
        return _complexity(options or {}, section)
    if kind == "tiers":
        return Tiers(complexity=_complexity(options or {}, section))
    if options:
        raise SettingsError(
            f"{section}.options.{next(iter(options))} is no option; kind = '{kind}' has none."
        )
    if kind == "random":
        return Uniform()
    if kind == "edge-first":
        return EdgeFirst()
    if not candidate:
        raise SettingsError(f"{section}.candidate is missing; expected it beside kind = 'fixed'.")
    return Fixed(candidate)


def _complexity(options: Mapping[str, Any], section: str) -> Complexity:
    known = Complexity.__struct_fields__
    for name in options:
        if name not in known:
            raise SettingsError(f"{section}.options.{name} is no option; {_meant(name, known)}.")
    try:
        return Complexity(**options)
    except ValueError as refused:
        raise SettingsError(f"{section}.options.{refused}.") from None


def _meant(word: str, choices: Iterable[str]) -> str:
    """What would have been right: the nearest choice, and all of them."""
    choices = tuple(choices)
    near = get_close_matches(word, choices, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"expected one of {', '.join(choices)}{hint}"

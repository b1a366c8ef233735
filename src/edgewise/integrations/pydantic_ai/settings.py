"""pydantic-ai's model settings → keys of a chat body, and Edgewise's own wishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic_ai.exceptions import UserError
from pydantic_ai.settings import ModelSettings

from edgewise.integrations.promises import together

if TYPE_CHECKING:
    from collections.abc import Mapping

# The settings that say the same under another name, or the same.
SENT = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logit_bias": "logit_bias",
    "stop_sequences": "stop",
}
PREFIX = "edgewise_"


class EdgewiseModelSettings(ModelSettings, total=False):
    """Settings of a request to a `RoutedModel`: pydantic-ai's own, and what it wishes of Edgewise."""

    edgewise_privacy: str
    """`"local"`: it stays on this machine; `"region:NAME"`: it stays in that region."""
    edgewise_objective: str
    """What a good choice is, for this request."""
    edgewise_session: str
    """The conversation that it belongs to."""
    edgewise_candidates: list[str]
    """Only these may answer."""
    edgewise_deadline_s: float
    """Nobody who lately took longer; the whole answer takes no longer."""
    edgewise_priority: str
    """`"high"`, `"normal"` or `"low"`: who goes first where there is more to do than can be done."""
    edgewise_fallback: bool
    """Whether another may take over from a candidate that fails."""


def body_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a chat body that the settings make.

    `timeout`, in seconds, is the request's deadline; what stands in `extra_body` is added as it is.
    """
    body = {key: settings[name] for name, key in SENT.items() if settings.get(name) is not None}
    return {**body, **_extra(settings)}


def wishes_of(settings: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The `edgewise` object of a chat body: what the settings wish for, and what the model insists on."""
    said = {
        name.removeprefix(PREFIX): value
        for name, value in settings.items()
        if name.startswith(PREFIX) and value is not None
    }
    if (timeout := settings.get("timeout")) is not None:
        said.setdefault("deadline_s", _seconds(timeout))
    return together(_extra(settings).get("edgewise") or {}, said, own)


def _extra(settings: Mapping[str, Any]) -> dict[str, Any]:
    extra = settings.get("extra_body")
    if extra is None:
        return {}
    if not isinstance(extra, dict):
        raise UserError("`extra_body` is no dict; RoutedModel adds its keys to the chat body.")
    return cast("dict[str, Any]", extra)


def _seconds(timeout: Any) -> float:
    if not isinstance(timeout, int | float):
        raise UserError("`timeout` of a RoutedModel is a number of seconds for the whole answer.")
    return float(timeout)

"""What LlamaIndex has to be told of a gateway."""

from __future__ import annotations

import os
from typing import Any

from llama_index.llms.openai_like import OpenAILike  # pyright: ignore[reportMissingTypeStubs]

USUAL_URL = "http://127.0.0.1:8787/v1"
URL = "EDGEWISE_BASE_URL"
KEY = "EDGEWISE_API_KEY"
NO_KEY = "unused"
CONTEXT = 8192  # tokens; whether a prompt fits the chosen candidate is for the gateway to tell


def edgewise_llm(
    base_url: str | None = None,
    model: str = "auto",
    *,
    wishes: dict[str, str] | None = None,
    context_window: int = CONTEXT,
    **more: Any,
) -> OpenAILike:
    """LlamaIndex's client of a gateway that `edgewise serve` runs.

    Without `base_url` it is the variable EDGEWISE_BASE_URL's, or else the usual port of this machine; the key
    is EDGEWISE_API_KEY's, where the gateway asks for one. `model` is `"auto"`, `"auto:NAME"` for another
    policy, or a candidate's id; `wishes` (`{"privacy": "local"}` …), by the names of the `x-edgewise-*`
    headers, hold for every request. `more` are the arguments of `OpenAILike`. It does not try again by
    itself: Edgewise does.
    """
    headers: dict[str, str] = more.pop("default_headers", None) or {}
    said = {f"x-edgewise-{name}": value for name, value in (wishes or {}).items()}
    usual: dict[str, Any] = {
        "api_key": os.environ.get(KEY, NO_KEY),
        "is_chat_model": True,
        "is_function_calling_model": True,
        "max_retries": 0,
    }
    return OpenAILike(
        model=model,
        api_base=base_url or os.environ.get(URL, USUAL_URL),
        context_window=context_window,
        default_headers={**headers, **said},
        **{**usual, **more},
    )

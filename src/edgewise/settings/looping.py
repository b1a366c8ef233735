"""What the learning loop asks for and of whom: `[prompts]`, `[profile]` and `[judge]`."""

from __future__ import annotations

from msgspec import Struct, field


class PromptKindSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[prompts.kinds.NAME]`: a kind of prompt that `edgewise prompts generate` asks for.

    `share` counts in proportion to the others' shares; `description` is what the candidate is told.
    """

    description: str
    share: float = 1.0


class PromptsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[prompts]`: which kinds of prompts are made; without any, time-critical and quality-critical ones."""

    kinds: dict[str, PromptKindSettings] = field(default_factory=dict[str, PromptKindSettings])


class ProfileSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[profile]`: how `edgewise profile` asks: the same of every candidate, so that they compare.

    `system`, `temperature` and `max_tokens` are those of the published model selection. `concurrency` is how
    many calls one endpoint gets at a time, unless its slots are fewer; `warm_up` calls go before the first
    measured one and are not measured.
    """

    system: str = (
        "You are an expert assistant. Give concise, correct and well-structured answers. Use bullet points "
        "where they help, and equations or code only where they are needed. Be brief, clear and safe."
    )
    temperature: float = 0.2
    max_tokens: int = 256
    repeats: int = 1
    warm_up: int = 1
    concurrency: int = 4
    stream: bool = True
    seed: int = 0


class JudgeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[judge]`: a `share` of the answers that are served is judged in the background; off by default.

    `by` are the candidates that judge, and `usd_per_day` is what all of them may cost together on a calendar
    day (in `[budget] time_zone`). That money is counted for itself, beside `[budget]`.
    """

    share: float = 0.0
    by: tuple[str, ...] = ()
    usd_per_day: float = 1.0

"""What a call takes in joules: always an estimate, with its basis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from edgewise.domain.candidates import Candidate

# `cpu`: CPU time of our own process times watts a core; `gpu`: the energy counter of the graphics processor;
# `watts`: `power_watts` times how long it took; `tokens`: joules a token.
EnergyBasis = Literal["cpu", "gpu", "watts", "tokens"]


class Joules(Struct, frozen=True):
    """Joules for each input and output token."""

    input: float
    output: float


# Of a large model in a data centre, to within a factor of three or so: about 0.3 Wh for an answer of 500
# tokens, and 2.5 Wh for 10,000 tokens to read (Epoch AI, "How much energy does ChatGPT use?", February 2025);
# 0.24 Wh for the median text prompt (Google, "Measuring the environmental impact of delivering AI at Google
# Scale", August 2025).
CLOUD: Final = Joules(0.8, 2.0)


def energy_of(
    candidate: Candidate, latency_s: float, input_tokens: int | None, output_tokens: int | None
) -> tuple[float, EnergyBasis] | None:
    """The joules of one call that nobody measured, and what they rest on; None where nothing is known.

    A candidate's own `joules_per_token` counts first, then its `power_watts`, then the documented figure of
    clouds.
    """
    figure = candidate.joules_per_token
    if figure is None and candidate.power_watts is not None:
        return candidate.power_watts * latency_s, "watts"
    if figure is None and candidate.location == "cloud":
        figure = CLOUD
    if figure is None or input_tokens is None or output_tokens is None:
        return None
    return input_tokens * figure.input + output_tokens * figure.output, "tokens"

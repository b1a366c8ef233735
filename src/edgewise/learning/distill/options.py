"""How to distill: what a person may choose, with defaults that suit a few thousand short texts."""

from __future__ import annotations

from msgspec import Struct

from edgewise.learning.distill.base import DEFAULT


class FineTuning(Struct, frozen=True):
    """Rates and lengths of training.

    The head is fitted first, `head_steps` steps with the backbone frozen; then all is trained for at most
    `epochs`, each part at its own rate, with a linear warm-up over a tenth of the steps. It ends early when
    the loss on the validation part has not fallen for `patience` epochs; the best epoch is kept.
    """

    epochs: int = 6
    batch: int = 32
    backbone_rate: float = 1e-4
    head_rate: float = 1e-3
    head_steps: int = 200
    smoothing: float = 0.05
    patience: int = 2
    weight_power: float = 0.5


class Adapting(Struct, frozen=True):
    """How domain text without labels is read: `masked` is the share of tokens to be guessed.

    The head that guesses is fitted first, `head_steps` batches with the backbone frozen; then all is trained
    for `epochs`. A share `held_out` of the texts tells whether that helped.
    """

    epochs: int = 2
    batch: int = 32
    rate: float = 1e-4
    head_rate: float = 1e-3
    head_steps: int = 100
    masked: float = 0.15
    held_out: float = 0.05


class Teaching(Struct, frozen=True):
    """How students learn from the fine-tuned model, and which there are.

    `layers` counts the layers of each transformer that is taught, `static` says whether one without any is.
    A share `exchanged` of the tokens is exchanged for others in every epoch, or in each of `copies` for the
    static one. `inside` weighs the last layer beside the logits, which `temperature` softens.
    """

    layers: tuple[int, ...] = ()
    static: bool = False
    epochs: int = 4
    batch: int = 32
    rate: float = 3e-4
    exchanged: float = 0.15
    inside: float = 10.0
    temperature: float = 2.0
    copies: int = 2
    static_epochs: int = 30
    static_rate: float = 2e-3


class DistillOptions(Struct, frozen=True):
    """The whole of it. `keep` is the share of the full model's accuracy that a smaller one must keep.

    `watts` is what one busy core is taken to draw, for the estimate of energy.
    """

    base: str = DEFAULT
    seed: int = 0
    most_tokens: int = 128
    keep: float = 0.991
    threads: int = 1
    tuning: FineTuning = FineTuning()
    adapting: Adapting = Adapting()
    watts: float = 10.0
    teaching: Teaching = Teaching()

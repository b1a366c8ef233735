"""Whether a promise still holds while serving: a sample of edge answers, checked against the cloud, forever.

Each sampled text says how much was lost on it. A bet against the promise grows with every loss and shrinks
without: while the promise holds, its capital exceeds 1/m with probability m at most, however long one looks
and however often (Ville's inequality). So an alarm is no repeated test, and needs no correction for looking.
Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 2024; bets
that begin anew at every text, so that a change after a long good time is seen as well, are e-detectors' idea
(Shin, Ramdas and Rinaldo, 2023), with the starting capital shared out over all beginnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta, Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

STAKES: Final = (0.05, 0.1, 0.2, 0.35, 0.55, 0.8)
"""What is bet on each text, as a share of the most that cannot ruin; an even mixture of them."""


class Vigilance(Struct, frozen=True):
    """What a watch saw: sampled texts, mean loss, the largest capital so far, and since which text it rings.

    `alarm` is the number of the sampled text at which the promise was refuted; 0 while it was not.
    """

    max_loss: float
    confidence: float
    sampled: int = 0
    asked: int = 0
    loss: float = 0.0
    capital: float = 1.0
    alarm: int = 0

    @property
    def sentence(self) -> str:
        """What an operator reads."""
        promised = f"at most {self.max_loss:.2%} of the accuracy lost"
        if not self.sampled:
            return f"The promise of {promised} was not checked yet."
        seen = f"{self.sampled:,} sampled texts, {self.asked:,} of them asked of the cloud too"
        if self.alarm:
            return (
                f"The promise of {promised} no longer holds, with {self.confidence:.0%} confidence: it is "
                f"{self.loss:.2%} over {seen}. Calibrate anew on texts like those that come now."
            )
        return f"Nothing speaks against the promise of {promised}: it is {self.loss:.2%} over {seen}."


class Bets(Struct):
    """The capital of each stake, and what was seen; plain numbers, so that they can be kept on disk."""

    seen: Vigilance
    capitals: Annotated[list[float], Meta(min_length=len(STAKES), max_length=len(STAKES))] = []

    def __post_init__(self) -> None:
        if not self.capitals:
            self.capitals = [0.0] * len(STAKES)

    def note(self, loss: float, *, asked: bool = True) -> Vigilance:
        """One more sampled text, and what was lost on it: -1 if only the edge was right, 1 if only the cloud.

        An escalated text loses nothing, and is noted so (`asked=False`: no call beside its own): the
        promise is about all texts. Gives back what is known now. Raises ValueError for a loss out of range.
        """
        if not -1.0 <= loss <= 1.0:  # NaN too
            raise ValueError(f"loss is {loss!r}; expected a number from -1 to 1")
        before = self.seen
        texts = before.sampled + 1
        begun = 1.0 / (texts * (texts + 1))  # of the first capital, for bets that begin with this text
        over = loss - before.max_loss
        most = 1.0 / (1.0 + before.max_loss)  # a larger stake could be ruined by a loss of -1
        self.capitals = [
            (capital + begun) * (1.0 + stake * most * over)
            for capital, stake in zip(self.capitals, STAKES, strict=True)
        ]
        capital = sum(self.capitals) / len(STAKES) + 1.0 / (texts + 1)  # and what is not yet bet
        alarm = before.alarm or (texts if capital >= 1.0 / (1.0 - before.confidence) else 0)
        self.seen = Vigilance(
            before.max_loss,
            before.confidence,
            texts,
            before.asked + asked,
            before.loss + (loss - before.loss) / texts,
            max(before.capital, capital),
            alarm,
        )
        return self.seen


def bets(max_loss: float, confidence: float) -> Bets:
    """A watch that has seen nothing. Raises ValueError unless both are between 0 and 1."""
    for name, value in (("max_loss", max_loss), ("confidence", confidence)):
        if not 0.0 < value < 1.0:
            raise ValueError(f"{name} is {value!r}; expected a number between 0 and 1")
    return Bets(Vigilance(max_loss, confidence))


def loss_of(edge: str, cloud: str, shares: Mapping[str, float], worth: float = 1.0) -> float:
    """How much is lost, on average, by one answer of the edge that stands, from 0 to 1.

    `shares` are the cloud's calibrated probabilities by label: it is as much likelier to be right as they
    say. Where the cloud gives none, a disagreement is `worth` so much: 1 is the most that it can be, and the
    promised loss over the promised disagreement makes of the one promise the other.
    """
    if edge == cloud:
        return 0.0
    if cloud not in shares:
        return min(1.0, worth)
    return max(0.0, shares[cloud] - shares.get(edge, 0.0))

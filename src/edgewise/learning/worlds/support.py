"""Simulated conversations with a support desk: three sentiments, templates, account numbers.

Half of what such generators make is the same sentence again, and a model tested on it is tested on what it
learned by heart. Here the templates of the test are others than those of the training part.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from edgewise.domain.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Words = tuple[str, ...]

Part = Literal["train", "test"]
SHARES: Final = {"positive": 0.4, "negative": 0.3, "neutral": 0.3}  # as published
WITH_ACCOUNT: Final = 0.2  # as published
WITH_MORE: Final = 0.5  # a second sentence, which says what it is about and not how the writer feels
CARELESS: Final = 0.15  # written without capitals and full stops, with a letter missing
LEAST_WORD: Final = 5  # letters of a word that may lose one

# The last two of each are kept for the test.
FEELING: Final[Mapping[str, Words]] = {
    "positive": (
        "Thank you so much for your help with {thing} {when}!",
        "Great job, {thing} was sorted out quickly and kindly.",
        "I really appreciate how {who} looked after {thing}.",
        "{who} was fantastic about {thing}, and knew what to do.",
        "Perfect service {when}, exactly what I needed for {thing}.",
        "I was worried about {thing}, and {who} made it easy. Lovely!",
        "Never had such a friendly answer about {thing}. Well done.",
        "Just to say that {thing} works again, and that {who} was a joy to talk to.",
        "You saved my week: {thing} is fixed, thanks to {who}.",
        "What a pleasant surprise {when}: {thing} took two minutes. Happy customer here.",
    ),
    "negative": (
        "This is completely unacceptable, {thing} failed again {when}!",
        "I am extremely frustrated with how {who} handled {thing}.",
        "{thing} has been broken for weeks, and nobody does anything.",
        "Terrible experience {when}, the worst service that I ever had with {thing}.",
        "I want my money back for {thing}, this is ridiculous.",
        "Great, another hour on hold about {thing}. I demand to speak with a manager!",
        "{who} hung up on me {when}. I have had enough of {thing}.",
        "Thanks for nothing: {thing} is still wrong.",
        "How hard can {thing} be? Three calls {when}, and I am furious.",
        "I am cancelling, since {who} lied to me about {thing}.",
    ),
    "neutral": (
        "I need help with {thing}, please.",
        "Can you check the state of {thing}?",
        "What are your opening hours {when}, and does {who} answer by mail?",
        "I have a question about {thing}.",
        "Please explain how {thing} works.",
        "How long does {thing} usually take?",
        "I would like to change {thing} {when}.",
        "Where can I see {thing} in the app?",
        "Could {who} send me the form for {thing}?",
        "Is it possible to move {thing} to another address?",
    ),
}
MORE: Final[Words] = (
    "It is about the order from {when}.",
    "I use the app on my phone.",
    "I have been with you since last year.",
    "My address has not changed.",
    "I wrote about it {when}.",
)
THINGS: Final[Words] = (
    "my refund",
    "the delivery",
    "my invoice",
    "the upgrade",
    "my subscription",
    "the payment",
    "my password",
    "the new router",
    "the return",
    "my contract",
    "the last bill",
    "the voucher",
)
WHO: Final[Words] = (
    "your team",
    "the agent",
    "your colleague",
    "the technician",
    "customer service",
    "the shop",
)
WHEN: Final[Words] = ("today", "yesterday", "this morning", "last week", "on Monday", "last night")
KEPT: Final = 2  # templates of each sentiment that only the test has


class Conversation(Struct, frozen=True):
    """What a customer wrote, how they feel, and which template it came from."""

    text: str
    sentiment: str
    template: str


def make_conversations(count: int, *, seed: int = 0, part: Part = "train") -> list[Conversation]:
    """`count` conversations, all different, in a seeded order; the two parts have no template in common.

    Raises RequestError where so many different ones are not found.
    """
    dice = Random(f"support:{part}:{seed}")  # noqa: S311 - a simulation, not a secret
    made: dict[str, Conversation] = {}
    for _ in range(50 * max(count, 1)):
        if len(made) >= count:
            break
        one = _conversation(dice, part)
        made.setdefault(one.text, one)
    if not 0 < count <= len(made):
        raise RequestError(
            f"Between 1 and {len(made):,} different conversations can be made for the {part} part; "
            f"asked for {count}."
        )
    return list(made.values())


def _conversation(dice: Random, part: Part) -> Conversation:
    sentiment = dice.choices(list(SHARES), list(SHARES.values()))[0]
    template = dice.choice(_templates(FEELING[sentiment], part))
    said = [_filled(template, dice)]
    if dice.random() < WITH_MORE:
        said.insert(dice.randrange(2), _filled(dice.choice(MORE), dice))
    if dice.random() < WITH_ACCOUNT:
        said.append(f"My account number is {dice.randint(100_000, 999_999)}.")
    text = " ".join(said)
    return Conversation(_careless(text, dice) if dice.random() < CARELESS else text, sentiment, template)


def _templates(every: Words, part: Part) -> Sequence[str]:
    return every[-KEPT:] if part == "test" else every[:-KEPT]


def _filled(template: str, dice: Random) -> str:
    text = template.format(thing=dice.choice(THINGS), who=dice.choice(WHO), when=dice.choice(WHEN))
    return text[0].upper() + text[1:]


def _careless(text: str, dice: Random) -> str:
    words = text.lower().rstrip(".!?").split(" ")
    long = [place for place, word in enumerate(words) if len(word) >= LEAST_WORD and word.isalpha()]
    if long:
        place, word = (chosen := dice.choice(long)), words[chosen]
        gone = dice.randrange(1, len(word) - 1)
        words[place] = word[:gone] + word[gone + 1 :]
    return " ".join(words)

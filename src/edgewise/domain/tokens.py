"""How many tokens a text takes, by rule of thumb: what can be said before any model has counted."""

from __future__ import annotations

CHARACTERS_PER_TOKEN = 4.0
BEYOND_ASCII = 0.75  # other scripts take about a token a character: a quarter is counted already
TOKENS_PER_MESSAGE = 4
TOKENS_PER_IMAGE = 256


def tokens_in(text: str) -> float:
    """The estimated tokens of a text, without what a message costs around it."""
    tokens = len(text) / CHARACTERS_PER_TOKEN
    if not text.isascii():
        tokens += BEYOND_ASCII * sum(character > "\x7f" for character in text)
    return tokens

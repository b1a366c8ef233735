"""Text from outside, made safe for a terminal: it can be read, and it can do nothing."""

from __future__ import annotations

KEPT = {"\u200c", "\u200d"}  # joiners: several scripts and most emoji families need them
CAPTION = 60  # characters
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(text: str) -> str:
    r"""One line without control characters: `\x1b`, `\u202e` and the like are spelled out.

    So a stored prompt can neither move the cursor, set the title, forge a line, nor turn the direction of
    writing round. What prints stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in KEPT else _spelled(c) for c in text)


def harmless(text: str) -> str:
    """Several lines without control characters: line breaks and tabs stay, all else is as in `plain`."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" else plain(c) for c in text)


def shortened(text: str, most: int) -> str:
    """`plain` text of at most `most` characters; how much there was more is said."""
    if len(text) <= most:
        return plain(text)
    return f"{plain(text[:most])}… ({len(text)} characters)"


def captioned(text: str) -> str:
    """`plain` text as a picture's caption: matplotlib would read dollar signs as a formula, or fail to."""
    return shortened(text, CAPTION).replace("$", r"\$")


def plain_json(json: str) -> str:
    """The same JSON with whatever does not print escaped; line breaks between values stay."""
    if json.isascii():  # control characters are escaped already, DEL aside
        return json.replace("\x7f", "\\u007f")
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in json)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))


def _spelled(character: str) -> str:
    if character in NAMED:
        return NAMED[character]
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - two hexadecimal digits
        return " " if code == 0xA0 else f"\\x{code:02x}"  # noqa: PLR2004 - a no-break space is a space
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits

"""HTML that cannot be forgotten to be escaped: text is text, and only what was built here is markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

VOID: Final = frozenset({"input", "br", "meta", "link", "hr", "img", "wbr"})


class Html(str):
    """Markup that is safe as it stands. `h` makes it; nothing else should."""

    __slots__ = ()


Child = str | int | float | None | Iterable["Child"]
Attribute = str | int | float | bool | None


class Element:
    """What makes elements of one name: `h.p("text", class_="quiet")`.

    Children are escaped unless they are `Html`; lists are taken apart, None leaves nothing. In the names of
    attributes an underscore is a hyphen and one at the end goes (`class_`, `aria_label`); True leaves the
    name alone, False and None leave the attribute out.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *children: Child, **attributes: Attribute) -> Html:
        """The element, with what is inside and what is said of it."""
        said = "".join(_attribute(name, value) for name, value in attributes.items())
        if self._name in VOID:
            return Html(f"<{self._name}{said}>")
        return Html(f"<{self._name}{said}>{joined(children)}</{self._name}>")


class _Elements:
    """`h.NAME` makes elements of that name."""

    def __getattr__(self, name: str) -> Element:
        element = Element(name)
        setattr(self, name, element)  # the next time it is found at once
        return element


h: Final = _Elements()


def joined(children: Child, between: str = "") -> Html:
    """One piece of markup of several: strings are escaped, `Html` stays."""
    return Html(escape(between).join(_pieces(children)))


def _pieces(children: Child) -> Iterable[str]:
    if children is None:
        return
    if isinstance(children, Html):
        yield children
    elif isinstance(children, str):
        yield escape(children)
    elif isinstance(children, int | float):
        yield str(children)
    else:
        for child in children:
            yield from _pieces(child)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    spelled = name.rstrip("_").replace("_", "-")
    return f" {spelled}" if value is True else f' {spelled}="{escape(str(value))}"'

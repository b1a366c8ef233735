"""The screen that looks for private things in a request, and says what is to be done about them."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from msgspec import structs

from edgewise.domain.privacy import LOCAL
from edgewise.domain.requests import Finding
from edgewise.features.detectors.elsewhere import elsewhere
from edgewise.features.detectors.matches import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edgewise.domain.requests import Action, Request

logger = logging.getLogger("edgewise.privacy")
FAILED = "failed_detector"
PIECE, OVERLAP = 65_536, 4_096
ESCAPE = re.compile(r"\\u00([0-9a-fA-F]{2})|\\/")


class Detector(Protocol):
    """Finds private things in a text, in a thread of its own; it has the time that the screen allows."""

    def find(self, text: str) -> Sequence[Match]:
        """What it found. An exception means that the text is held local."""
        ...


def _search(text: str) -> list[Match]:
    from edgewise.features.detectors.rules import search  # noqa: PLC0415 - its patterns take 30 ms to compile

    return search(text)


@dataclass(frozen=True, slots=True)
class Detection:
    """A `Screen`: asks the rules, and further detectors, about the whole conversation and what is around it.

    `action` is for each rule that has none of its own in `actions` (by rule, or by what stands before its
    dot). What is found goes into the request; where anything is to be held local, so is the request. A
    detector that fails, or takes longer than `timeout_s`, counts as something to be held local.
    """

    action: Action
    actions: Mapping[str, Action] = field(default_factory=dict[str, "Action"])
    detectors: Sequence[Detector] = ()
    timeout_s: float = 2.0
    rules: Callable[[str], list[Match]] = _search

    @property
    def is_on(self) -> bool:
        """Whether anything is searched at all."""
        return self.action != "allow" or any(action != "allow" for action in self.actions.values())

    async def screen(self, request: Request) -> Request:
        """The request with its findings; those whose action is `allow` are left out. Searches it once."""
        if request.searched or not self.is_on:
            return request
        findings: Sequence[Finding]
        try:
            findings = await self._findings(request)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a detector, the text stays here
            logger.warning("A privacy detector failed (%s); the request is held local.", type(error).__name__)
            findings = (Finding(FAILED, 0, 0),)
        wishes = request.wishes
        if any(finding.action == LOCAL for finding in findings):
            wishes = structs.replace(wishes, privacy=LOCAL)
        together = (*request.findings, *findings)
        return structs.replace(request, findings=together, wishes=wishes, searched=True)

    def is_left(self, text: str) -> bool:
        """Whether the rules find anything in `text` that is not allowed: the check on what was redacted."""
        plain = _unescaped(text)
        found = self.rules(text) if plain == text else [*self.rules(text), *self.rules(plain)]
        return any(self._act(match.rule) != "allow" for match in found)

    async def _findings(self, request: Request) -> list[Finding]:
        until = monotonic() + self.timeout_s
        text = request.text
        findings = self._placed(text, await self._searched(text, until))
        for detector in self.detectors:
            async with asyncio.timeout(until - monotonic()):
                findings += self._placed(text, await asyncio.to_thread(detector.find, text))
        known = {found.value for found in findings}
        said = {turn.text for turn in request.turns} or {text}
        around = elsewhere(request.body, said)
        if around.texts:
            findings += self._hidden(around.texts, await self._searched(around.texts, until), known)
        unseen = [_unescaped(escaped) for escaped in (text, around.texts) if ESCAPE.search(escaped)]
        for plain in (*unseen, around.numbers):
            # What is not there as it is written, or is no text, cannot be replaced.
            findings += [
                structs.replace(one, action=LOCAL) if one.action == "redact" else one
                for one in self._hidden(plain, await self._searched(plain, until) if plain else (), known)
            ]
        return findings

    async def _searched(self, text: str, until: float) -> list[Match]:
        """The rules' matches. A long text is read in pieces, so that others get their turn meanwhile."""
        if len(text) <= PIECE:
            return self.rules(text)
        found: set[Match] = set()
        for start in range(0, len(text), PIECE):
            if monotonic() > until:
                raise TimeoutError
            first = max(0, start - OVERLAP)
            found |= {
                Match(match.rule, match.start + first, match.end + first)
                for match in self.rules(text[first : start + PIECE])
            }
            await asyncio.sleep(0)
        return sorted(found, key=lambda match: (match.start, match.end))

    def _placed(self, text: str, matches: Sequence[Match]) -> list[Finding]:
        return [
            Finding(match.rule, match.start, match.end, action, text[match.start : match.end])
            for match in matches
            if (action := self._act(match.rule)) != "allow"
        ]

    def _hidden(self, text: str, matches: Sequence[Match], known: set[str]) -> list[Finding]:
        """Findings outside the conversation's own words, by their value."""
        values = {text[match.start : match.end]: match.rule for match in matches}
        return [
            Finding(rule, 0, 0, action, value)
            for value, rule in values.items()
            if value not in known and (action := self._act(rule)) != "allow"
        ]

    def _act(self, rule: str) -> Action:
        actions = self.actions
        return actions.get(rule) or actions.get(rule.partition(".")[0], self.action)


def _unescaped(text: str) -> str:
    """The text with JSON's escapes undone: tools write JSON, which may hide an address in them."""
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "/", text)

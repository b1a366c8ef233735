"""Secrets: keys and tokens known by how they begin, and passwords that are called so."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error
from typing import TYPE_CHECKING

from edgewise.features.detectors.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewise.features.detectors.matches import Prose

# rule, what the text must hold before the pattern is tried, the pattern
PREFIXED: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (rule, literal, re.compile(pattern))
    for rule, literal, pattern in (
        ("aws_key", "AKIA", r"(?<![A-Z0-9])AKIA[A-Z2-7]{16}(?![A-Z0-9])"),
        ("aws_key", "ASIA", r"(?<![A-Z0-9])ASIA[A-Z2-7]{16}(?![A-Z0-9])"),
        *(("github_token", f"gh{of}_", rf"(?<![A-Za-z0-9])gh{of}_[A-Za-z0-9]{{36,255}}") for of in "pousr"),
        ("github_token", "github_pat_", r"github_pat_[A-Za-z0-9_]{40,255}"),
        ("gitlab_token", "glpat-", r"glpat-[A-Za-z0-9_\-]{20,}"),
        ("openai_key", "sk-", r"(?<![A-Za-z0-9])sk-(?!ant-)[A-Za-z0-9_\-]{20,}"),
        ("anthropic_key", "sk-ant-", r"sk-ant-[A-Za-z0-9_\-]{20,}"),
        ("google_key", "AIza", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_\-]{35}"),
        ("google_key", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_\-]{20,}"),
        ("slack_token", "xox", r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9\-]{10,}"),
        ("slack_token", "xapp-", r"(?<![A-Za-z0-9])xapp-[A-Za-z0-9\-]{20,}"),
        ("slack_token", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,}"),
        ("stripe_key", "k_live_", r"(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{16,}"),
        ("stripe_key", "k_test_", r"(?<![A-Za-z0-9])[rs]k_test_[A-Za-z0-9]{16,}"),
        ("service_token", "hf_", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}"),
        ("service_token", "npm_", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}"),
        ("service_token", "pypi-", r"pypi-[A-Za-z0-9_\-]{50,}"),
        ("service_token", "SG.", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"),
        ("service_token", "dop_v1_", r"dop_v1_[a-f0-9]{64}"),
        ("service_token", "shpat_", r"shpat_[a-f0-9]{32}"),
        ("service_token", "AccountKey=", r"(?<=AccountKey=)[A-Za-z0-9+/]{40,}={0,2}"),
        ("private_key", "PRIVATE KEY",
         r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
         r"(?:[\s\S]{1,20000}?-----END [A-Z0-9 ]*-----|(?:(?:\s|\\[nr])*[A-Za-z0-9+/=]{20,})*)"),
        ("url_password", "://", r"(?<=://)[^\s/:@'\"<>]{0,200}:[^\s/@'\"<>]{1,200}(?=@[\w\[])"),
    )
)  # fmt: skip
WITHOUT_UNDERSCORE = tuple(row for row in PREFIXED if "_" not in row[1])
JWT = re.compile(r"(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{10,}")
CALLED = ("pass", "pwd", "secret", "token", "api", "contraseña", "kennwort", "wachtwoord", "senha", "parola")
CALLED_ELSEWHERE = ("hasło", "пароль", "密码")
PASSWORD = re.compile(
    r"(?:pass(?:word|wort|wd|code|phrase|e)|pwd|secret(?:[ _\-]?(?:access[ _\-]?)?key)?|token"
    r"|api[ _\-]?key|contraseña|kennwort|wachtwoord|senha|hasło|parola|пароль|密码)"
    r"[\"'`*]{0,2}(?:\s*(?:is|was|to|ist|lautet|es|est|é|jest|это)(?=\s)|\s*(?:=>|:=|=|:|\uff1a|是|->))"
    r"(?:\s*(?:now|set to|jetzt|:))?\s*[\"'`*]{0,2}(?P<value>[^\s\"'`,;<>\[\]{}$*]{4,200})",
    re.IGNORECASE,
)
SHORTEST_PASSWORD = 6


def secrets(prose: Prose) -> Iterator[Match]:
    """Every secret that can be told by its looks, or by the word before it."""
    text, folded = prose
    for rule, literal, pattern in PREFIXED if "_" in text else WITHOUT_UNDERSCORE:
        if literal in text:
            for match in pattern.finditer(text):
                yield Match(rule, *match.span())
    if "eyJ" in text:
        for match in JWT.finditer(text):
            if _is_header(match[0].partition(".")[0]):
                yield Match("jwt", *match.span())
    for word in CALLED if text.isascii() else CALLED + CALLED_ELSEWHERE:
        if word in folded:
            yield from _passwords(prose, word)


def _passwords(prose: Prose, word: str) -> Iterator[Match]:
    text, folded = prose
    at = folded.find(word)
    while at >= 0:
        match = PASSWORD.match(text, at)
        value = match["value"].rstrip(".!?)") if match else ""
        if match and len(value) >= SHORTEST_PASSWORD and not value.isalpha():  # "… is required" names none
            yield Match("password", match.start("value"), match.start("value") + len(value))
        at = folded.find(word, at + 1)


def _is_header(part: str) -> bool:
    """Whether it is the JSON of a token's header, which names an algorithm."""
    try:
        return b'"alg"' in urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (Error, ValueError):
        return False

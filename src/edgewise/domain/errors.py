"""Everything that can go wrong on purpose, in one tree.

EdgewiseError                what the operator, the client or the world did that we can name
├── SettingsError            edgewise.toml, .env or the environment says something we cannot run
├── MissingExtra             a feature needs an optional package; the message names the extra
├── AssetError               a model file is absent, torn or of the wrong hash
├── StoreError               the outcome log cannot be opened, read or written
├── RequestError             the client asked for something that cannot be answered (4xx)
│   ├── UnknownModel         no candidate, policy or record goes by that name (404)
│   ├── NoEligibleCandidate  every candidate was objected to; carries every objection
│   └── LimitReached         the client's key has used what it may for now (429)
├── UpstreamError            a candidate did not answer
│   ├── UpstreamUnreachable  no connection could be made, or it broke
│   ├── UpstreamTimeout      no answer in time
│   ├── WouldLeave           it was not asked: what it would get must not go there
│   ├── CircuitOpen          it was not asked: its last calls failed, and nobody else was left
│   ├── Overloaded           it was not asked: it has more to do than it can
│   └── UpstreamRefused      it answered with an error of its own; carries status and body
├── TableError               an outcome table is unreadable, lacks a column, or holds nothing to learn from
└── BundleError              a policy bundle is damaged or from another version
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewise.domain.candidates import Objection


class EdgewiseError(Exception):
    """Base of every error that this package raises on purpose."""


class SettingsError(EdgewiseError):
    """The operator wrote something that we cannot run."""


class MissingExtra(EdgewiseError):
    """A feature needs an optional package."""

    def __init__(self, feature: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{feature} needs the extra '{extra}': pip install 'edgewise[{extra}]'")


class AssetError(EdgewiseError):
    """A model file is absent, torn or of the wrong hash."""


class StoreError(EdgewiseError):
    """The outcome log cannot be opened, read or written."""


class RequestError(EdgewiseError):
    """The client asked for something that cannot be answered.

    `status` is the HTTP status, `code` and `param` fill OpenAI's error object.
    """

    def __init__(
        self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None
    ) -> None:
        self.status, self.code, self.param = status, code, param
        super().__init__(message)


class UnknownModel(RequestError):
    """No candidate, policy or record goes by that name."""

    def __init__(self, message: str, *, param: str | None = "model", code: str = "model_not_found") -> None:
        super().__init__(message, status=404, code=code, param=param)


class NoEligibleCandidate(RequestError):
    """Every candidate was objected to. `objections` holds each one.

    The message tells what removed them, the caller's own choice last; soft objections removed nobody. Where
    only the state of the world stands against somebody, the same request may be answered later: the status
    is then 503, otherwise 400.
    """

    def __init__(self, objections: Sequence[Objection]) -> None:
        self.objections = tuple(objections)
        listed = "; ".join(f"{o.candidate}: {o.sentence}" for o in self._removing())
        code = "context_length_exceeded" if self._all_too_long() else "no_eligible_candidate"
        super().__init__(
            f"No candidate may answer this request ({listed or 'none is configured'}).",
            status=503 if self._will_pass() else 400,
            code=code,
        )

    def _will_pass(self) -> bool:
        """Whether somebody is left out for nothing but the state of the world."""
        hard = [o for o in self.objections if o.penalty is None]
        for_good = {o.candidate for o in hard if o.rule not in ("connectivity", "resources")}
        return any(o.candidate not in for_good for o in hard)

    def _removing(self) -> list[Objection]:
        hard = [o for o in self.objections if o.penalty is None]
        unwanted = {o.candidate for o in hard if o.rule == "pin"}
        return sorted(hard, key=lambda o: o.candidate in unwanted)

    def _all_too_long(self) -> bool:
        """Whether length alone stands against each candidate that the caller was willing to take."""
        unwanted = {o.candidate for o in self.objections if o.rule in ("pin", "allow")}
        wanted = [o for o in self.objections if o.candidate not in unwanted]
        return bool(wanted) and all("context" in o.sentence for o in wanted)


class LimitReached(RequestError):
    """A key has used up its requests, its tokens or its money. `retry_after_s` is when there is more."""

    def __init__(self, message: str, *, retry_after_s: float, code: str = "rate_limit_exceeded") -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message, status=429, code=code)


class UpstreamError(EdgewiseError):
    """A candidate did not answer. `retried` says that it was asked again, or another one, and in vain.

    `used` are the tokens that it read and wrote all the same, where it told them: they will be on the bill.
    """

    retried = False
    used: tuple[int, int] | None = None


class UpstreamUnreachable(UpstreamError):
    """No connection could be made, or it broke."""


class UpstreamTimeout(UpstreamError):
    """No answer in time."""


class WouldLeave(UpstreamError):
    """A candidate was not asked, because what it would get must not go there. Nothing was sent."""


class Overloaded(UpstreamError):
    """A candidate was not asked: too many wait for it already. Nothing was sent.

    `retry_after_s` is how long those that wait will probably take.
    """

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class CircuitOpen(UpstreamError):
    """A candidate was not asked, because its last calls failed. `retry_after_s` is when it is tried again."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class UpstreamRefused(UpstreamError):
    """A candidate answered with an error of its own.

    `status` is its HTTP status, `body` its original bytes (JSON or not).
    """

    def __init__(self, message: str, *, status: int, body: bytes, retry_after: str | None = None) -> None:
        self.status, self.body, self.retry_after = status, body, retry_after
        super().__init__(message)


class BundleError(EdgewiseError):
    """A policy bundle is damaged or from another version."""


class TableError(EdgewiseError):
    """An outcome table is unreadable, lacks a column, or holds nothing to learn from."""

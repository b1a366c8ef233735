"""What each key may ask for: requests and tokens a minute, and money a day."""

from __future__ import annotations

from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from edgewise.domain.decisions import Decision, Outcome
from edgewise.domain.errors import LimitReached
from edgewise.outcomes.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgewise.domain.decisions import Record
    from edgewise.domain.requests import Request
    from edgewise.gateway.wire import Headers
    from edgewise.outcomes import LogReader
    from edgewise.settings import ServerKey

ACCOUNT = "edgewise.account"  # where the scope holds the account, if the caller's key has limits
MINUTE_S = 60.0


class Bucket:
    """A token bucket: `size` at most, filled again within a minute. It may go into debt by what was taken."""

    def __init__(self, size: int, now: float) -> None:
        self.size = float(size)
        self._level, self._at = self.size, now

    def level(self, now: float) -> float:
        """What is in it; below 0 after more was used than was there."""
        if now > self._at:
            self._level = min(self.size, self._level + (now - self._at) * self.size / MINUTE_S)
            self._at = now
        return self._level

    def take(self, amount: float, now: float) -> float:
        """Take `amount` and say 0, or take nothing and say in how many seconds there will be enough.

        More than fits in is given to whoever finds the bucket full.
        """
        lacks = min(amount, self.size) - self.level(now)
        if lacks > 0.0:
            return lacks * MINUTE_S / self.size
        self._level -= amount
        return 0.0

    def put(self, amount: float, now: float) -> None:
        """Give back what was not used, or, below 0, take what was used beyond."""
        self._level = min(self.size, self.level(now) + amount)

    def headers(self, kind: bytes, now: float) -> Headers:
        """The standard headers: how much there is at most, how much is left, when it is full again."""
        left = self.level(now)
        reset = said((self.size - left) * MINUTE_S / self.size)
        return [
            (b"x-ratelimit-limit-" + kind, b"%d" % self.size),
            (b"x-ratelimit-remaining-" + kind, b"%d" % max(0, int(left))),
            (b"x-ratelimit-reset-" + kind, reset.encode()),
        ]


def said(seconds: float) -> str:
    """A time as OpenAI's headers spell it: `12ms`, `1.5s`, `2m30s`."""
    milliseconds = ceil(seconds * 1000)
    if milliseconds < 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds}ms"
    if milliseconds < MINUTE_S * 1000:
        return f"{milliseconds / 1000:g}s"
    minutes, rest = divmod(ceil(seconds), 60)
    return f"{minutes}m{rest}s"


class Account:
    """What one key has left. Times are seconds of `clock`, which only go forward; days are the ledger's."""

    def __init__(self, key: ServerKey, time_zone: str, clock: Callable[[], float] = monotonic) -> None:
        now = clock()
        self.name, self._clock = key.name, clock
        self._requests = Bucket(key.requests_per_minute, now) if key.requests_per_minute else None
        self._tokens = Bucket(key.tokens_per_minute, now) if key.tokens_per_minute else None
        self.ledger = Ledger(key.usd_per_day, time_zone=time_zone)
        self._reserved: dict[str, float] = {}

    def admit(self) -> None:
        """Count one request. Raises `LimitReached`, and then counts nothing."""
        self.check_money()
        if self._requests is not None and (wait := self._requests.take(1.0, self._clock())):
            raise LimitReached(
                f"The key '{self.name}' may make {self._requests.size:.0f} requests a minute; "
                f"the next one in {said(wait)}.",
                retry_after_s=wait,
            )

    def check_money(self) -> None:
        """Raise `LimitReached` where today's money is spent."""
        budget = self.ledger.usd_per_day
        if budget is not None and self.ledger.today.usd >= budget:
            raise LimitReached(
                f"The key '{self.name}' has spent its ${budget:g} of today.",
                retry_after_s=self.ledger.rest_s,
                code="insufficient_quota",
            )

    def reserve(self, *requests: Request) -> None:
        """Set aside what the requests of one call will need: from here on they are under way.

        Raises `LimitReached`, and then sets nothing aside.
        """
        needed = {r.id: float(r.needs.input_tokens + r.needs.output_tokens) for r in requests}
        total = sum(needed.values())
        if self._tokens is not None and (wait := self._tokens.take(total, self._clock())):
            raise LimitReached(
                f"The key '{self.name}' may use {self._tokens.size:.0f} tokens a minute; "
                f"this request needs about {total:.0f}, which are there in {said(wait)}.",
                retry_after_s=wait,
            )
        self._reserved |= needed

    def awaits(self, request_id: str) -> bool:
        """Whether the request is under way: a decision that nobody carries out never ends."""
        return request_id in self._reserved

    def settle(self, request_id: str, used: float | None = None) -> None:
        """Replace what was set aside by what was used; None: nothing was. A second time does nothing."""
        reserved = self._reserved.pop(request_id, None)
        if reserved is not None and self._tokens is not None:
            self._tokens.put(reserved - (used or 0.0), self._clock())

    def headers(self) -> Headers:
        """What every answer says about the key's limits."""
        now = self._clock()
        found = self._requests.headers(b"requests", now) if self._requests else []
        return found + (self._tokens.headers(b"tokens", now) if self._tokens else [])


class Accounts:
    """The accounts of all keys that have limits, by name; kept up by every record that is written."""

    def __init__(
        self, keys: Iterable[ServerKey], *, time_zone: str = "UTC", clock: Callable[[], float] = monotonic
    ) -> None:
        self.by_name = {key.name: Account(key, time_zone, clock) for key in keys if _has_limits(key)}
        self._under_way: dict[str, Account] = {}

    def load(self, reader: LogReader) -> None:
        """Count what the log says that each key spent today. Raises StoreError where it cannot be read."""
        for account in self.by_name.values():
            if account.ledger.usd_per_day is not None:
                account.ledger.load(reader, key=account.name)

    def observe(self, record: Record) -> None:
        """Book an outcome on its key. What a shadow costs is the operator's own curiosity."""
        if isinstance(record, Decision):
            account = self.by_name.get(record.key or "")
            if account is not None and record.chosen and account.awaits(record.id):
                self._under_way[record.id] = account
        elif isinstance(record, Outcome):
            account = self._under_way.pop(record.decision_id, None)
            if account is not None:
                account.ledger.observe(record)
                account.settle(record.decision_id, (record.input_tokens or 0) + (record.output_tokens or 0))


def _has_limits(key: ServerKey) -> bool:
    return any(
        limit is not None for limit in (key.requests_per_minute, key.tokens_per_minute, key.usd_per_day)
    )

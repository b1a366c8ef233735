"""Whether the system has a network at all: a hint that comes at once, before any call has failed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.domain.signals import Reading
from edgewise.monitors.files import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

UP, REJECT = 0x1, 0x200
IPV4_COLUMNS, IPV6_COLUMNS = 11, 10
# Every interface has these by itself, whatever it is plugged into: link-local and multicast networks.
OWN_NETWORKS = ("fe8", "fe9", "fea", "feb", "ff")
OWN_NETWORK_IPV4 = "FEA9"  # 169.254, the other way round
UP_STATES = ("up", "unknown")  # tunnels and modems do not say more than unknown


class Link:
    """`link`: 1 where any route leads over an interface that is up, 0 where none does.

    A 0 counts at once (critical), a 1 after it has lasted, as its level says. It tells nothing about what
    lies behind the first hop; what calls show outranks it. A machine with a neighbour and no way to
    the world has a link, since the neighbour may be what is asked. From Linux's routing tables under `proc`
    and the interfaces under `interfaces`; elsewhere psutil tells when no interface is up, and no more.
    """

    def __init__(self, proc: Path = Path("/proc/net"), interfaces: Path = Path("/sys/class/net")) -> None:
        self._tables = (proc / "route", proc / "ipv6_route")
        self._interfaces = interfaces

    def read(self) -> Iterator[Reading]:
        """One reading, or none where the system does not tell."""
        tables = [text for text in map(text_of, self._tables) if text is not None]
        if not tables:
            yield from _from_psutil()
            return
        ways = {name for text in tables for line in text.splitlines() for name in _way(line.split())}
        yield _reading("routes", up=any(map(self._is_up, ways)))

    def _is_up(self, name: str) -> bool:
        folder = self._interfaces / name
        return text_of(folder / "operstate") in UP_STATES and text_of(folder / "carrier") != "0"


def _reading(source: str, *, up: bool) -> Reading:
    return Reading("link", float(up), "yes or no", source, None if up else "critical")


def _way(columns: list[str]) -> Iterator[str]:
    """The interface of a route to elsewhere, in a line of `/proc/net/route` or `/proc/net/ipv6_route`."""
    if len(columns) == IPV6_COLUMNS:
        network, flags, name = columns[0], columns[8], columns[9]
        own = network.startswith(OWN_NETWORKS)
    elif len(columns) == IPV4_COLUMNS:
        network, flags, name = columns[1], columns[3], columns[0]
        own = network.endswith(OWN_NETWORK_IPV4)
    else:
        return
    try:
        usable = int(flags, 16) & (UP | REJECT) == UP
    except ValueError:  # the line of headings
        return
    if usable and not own and name != "lo" and "/" not in name:
        yield name


def _from_psutil() -> Iterator[Reading]:
    import psutil  # noqa: PLC0415 - takes 20 ms, and only the background thread needs it

    found = {name: stats.isup for name, stats in psutil.net_if_stats().items() if not name.startswith("lo")}
    if not any(found.values()):
        yield _reading("psutil", up=False)

"""Whether the network costs money by the byte."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from edgewise.domain.signals import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# NetworkManager's NMMetered: 0 unknown, 1 yes, 2 no, 3 probably (it guesses), 4 probably not.
MEANING = {1: 1.0, 2: 0.0, 3: 1.0, 4: 0.0}
PATIENCE_S = 0.5


class Metered:
    """`metered`: 1 where the system counts the bytes of its main connection, 0 where it does not.

    NetworkManager tells, over D-Bus and without a process (the extra `metered`); where nobody does it is
    unknown. `said` is what the configuration says, and then nobody is asked.
    """

    def __init__(self, said: bool | None = None, ask: Callable[[], int | None] | None = None) -> None:  # noqa: FBT001 - a setting
        self._said = said
        self._ask = network_manager if ask is None else ask

    def read(self) -> Iterator[Reading]:
        """One reading, or none."""
        if self._said is not None:
            yield Reading("metered", float(self._said), "yes or no", "configuration")
            return
        value = MEANING.get(self._ask() or 0)
        if value is not None:
            yield Reading("metered", value, "yes or no", "NetworkManager")


def network_manager(bus: str = "SYSTEM") -> int | None:
    """NetworkManager's `Metered`, or None where it is not there. It is not started for this."""
    try:
        dbus, blocking = import_module("jeepney"), import_module("jeepney.io.blocking")
    except ImportError:
        return None
    name = "org.freedesktop.NetworkManager"
    question = dbus.Properties(dbus.DBusAddress("/org/freedesktop/NetworkManager", name, name)).get("Metered")
    question.header.flags |= dbus.MessageFlag.no_auto_start
    try:
        with blocking.open_dbus_connection(bus) as connection:
            answer = connection.send_and_get_reply(question, timeout=PATIENCE_S)
    except (OSError, KeyError, ValueError, TimeoutError):  # no bus, no address of one, or no answer
        return None
    if answer.header.message_type is not dbus.MessageType.method_return:
        return None
    return int(answer.body[0][1])

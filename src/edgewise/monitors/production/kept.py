"""The alerts on disk: a restart goes on with them, and `edgewise health` can read and acknowledge them.

The gateway alone writes `alerts.json`, the command alone `acknowledged.json`: nobody overwrites the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec.structs import replace

from edgewise.domain.errors import StoreError
from edgewise.monitors.production.alerts import Alert
from edgewise.outcomes.aside import aside

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ALERTS: Final = "alerts.json"
ACKNOWLEDGED: Final = "acknowledged.json"
T = TypeVar("T")


def read_alerts(folder: Path) -> tuple[Alert, ...]:
    """The standing alerts, with what was acknowledged since; none where nothing readable stands."""
    standing = read_file(folder / ALERTS, tuple[Alert, ...])
    said = read_file(folder / ACKNOWLEDGED, dict[str, float]) or {}
    return tuple(acknowledged(alert, said.get(alert.name)) for alert in standing or ())


def acknowledged(alert: Alert, at: float | None) -> Alert:
    """The alert, acknowledged where `at` falls into this episode of it."""
    if at is None or at < alert.first_at or alert.acknowledged_at is not None:
        return alert
    return replace(alert, acknowledged_at=at)


def write_alerts(folder: Path, standing: Iterable[Alert]) -> None:
    """Put the standing alerts down. Raises StoreError where that is not possible."""
    write_file(folder / ALERTS, tuple(standing))


def acknowledge(folder: Path, name: str, at: float) -> Alert | None:
    """Note that somebody knows of the alert; None where none of that name stands. Raises StoreError."""
    standing = {alert.name: alert for alert in read_alerts(folder)}
    found = standing.get(name)
    if found is None or found.acknowledged_at is not None:
        return found
    at = max(at, found.first_at)  # the clock may have been set back since it began
    said = {
        known: when
        for known, when in (read_file(folder / ACKNOWLEDGED, dict[str, float]) or {}).items()
        if known in standing
    }
    write_file(folder / ACKNOWLEDGED, {**said, name: at})
    return acknowledged(found, at)


def read_file(path: Path, kind: type[T]) -> T | None:
    """What stands in a file of ours; a file that is not there or torn says nothing."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def write_file(path: Path, value: object) -> None:
    """Replace a file of ours as a whole. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(str(path)) as file:
            file.write(msgspec.json.encode(value))
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror or error}.") from error

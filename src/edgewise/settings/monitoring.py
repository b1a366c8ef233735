"""`[monitor]`, `[[alerts]]` and `[energy]` of edgewise.toml, as checked records."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Window = Literal["5m", "1h", "24h", "7d"]


class MonitorSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[monitor]`: how often alerts are looked at, who hears of them beside the log, `/metrics`, traces.

    `webhook` gets a POST, signed with the secret in the environment variable `secret_env`; `command` is a
    program and its arguments, which reads the alert as JSON. `retrain` is a folder, below the state folder,
    in which a candidate is trained when drift begins; nothing serves it.
    """

    enabled: bool = True
    every_s: float = 10.0
    webhook: str | None = None
    secret_env: str | None = None
    command: tuple[str, ...] = ()
    retrain: str | None = None
    metrics: bool = True
    traces: bool = False


class AlertSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[alerts]]`: an alert of one's own, or what to change of the one that has this name by default.

    It begins where `figure` over `window` is `below` or `above` a number, and ends at `leave`.
    """

    name: str
    enabled: bool = True
    figure: str | None = None
    window: Window | None = None
    below: float | None = None
    above: float | None = None
    leave: float | None = None
    least: int | None = None


class EnergySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[energy]`: what one busy core of this machine draws, for models that run in processes of ours."""

    watts_per_core: float = 10.0

"""edgewise.toml with other values, and everything else as its author wrote it: comments, order, blanks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewise.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

BOM = "\ufeff"


def with_values(text: str, table: str, values: Mapping[str, Any]) -> str:
    """The text with `values` in `[table]`; None takes a key away, and an empty table goes.

    Raises SettingsError for a text that is no TOML, or where `table` is something else.
    """
    import tomlkit  # noqa: PLC0415 - only who changes a file needs it
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - the same
    from tomlkit.items import InlineTable, Table  # noqa: PLC0415 - the same

    marked = text.startswith(BOM)
    try:
        document = tomlkit.parse(text.removeprefix(BOM))
    except TOMLKitError as error:
        raise SettingsError(f"The configuration is not TOML: {error}.") from error
    found: Any = document[table] if table in document else None  # noqa: SIM401 - `get` has no types
    if found is None:
        found = tomlkit.table()
        document.append(table, found)
    if not isinstance(found, Table | InlineTable):
        raise SettingsError(
            f"The configuration has '{table}', but not as a table [{table}]; write it as one."
        )
    for name, value in values.items():
        if value is not None:
            found[name] = value
        elif name in found:
            del found[name]
    if not found:
        document.remove(table)
    changed = tomlkit.dumps(document)
    if "\r\n" in text and "\n" not in text.replace("\r\n", ""):  # its author's line ends, in what is new, too
        changed = changed.replace("\r\n", "\n").replace("\n", "\r\n")
    return BOM + changed if marked else changed

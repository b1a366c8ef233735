"""`edgewise mcp`: tools for assistants, over the Model Context Protocol."""

from __future__ import annotations

from edgewise.cli.setup import ConfigOption, settings_or_found


def command(*, config: ConfigOption = None) -> None:
    """Serve `route`, `explain` and `stats` on standard input and output, until that ends."""
    settings, _ = settings_or_found(config)
    from edgewise.integrations.mcp import server  # noqa: PLC0415 - an extra, and a second to import

    server(settings).run()

"""`edgewise candidates`: who can answer."""

from __future__ import annotations

from edgewise.cli.console import err, print_json, table
from edgewise.cli.setup import ConfigOption, JsonOption, policy_problem, settings_or_found
from edgewise.settings import describe


def command(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the candidates, where they stand, what they cost and what they can do."""
    settings, notes = settings_or_found(config)
    candidates = [describe(candidate) for candidate in settings.candidates]
    if as_json:
        print_json(candidates)
        return
    for note in notes:
        err(note)
    rows = [
        (
            c.id + (" (simulated)" if c.simulated else ""),
            c.location,
            c.trust,
            c.model,
            "unpriced" if c.price is None else f"{c.price.input:g} / {c.price.output:g}",
            "?" if c.capabilities.context_tokens is None else f"{c.capabilities.context_tokens:,}",
            ", ".join(name for name in ("tools", "vision", "json_schema") if getattr(c.capabilities, name)),
        )
        for c in candidates
    ]
    columns = ("id", "location", "trust", "model", "USD per million tokens in / out", "context", "can")
    table("Candidates", columns, rows)
    if problem := policy_problem(settings, config):
        err(f"edgewise: Nobody can choose among them: {problem}")

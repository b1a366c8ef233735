from __future__ import annotations

from tests.dashboard.looking import is_here

# Where Playwright is not installed, these run beside an environment of their own all the same.
collect_ignore = [] if is_here() else ["browser"]

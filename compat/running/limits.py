"""What a probe may use where nobody says otherwise."""

from __future__ import annotations

# More than ten times what the slowest probe takes, and several times what it uses.
DEFAULT_TIMEOUT_S = 180
DEFAULT_MEMORY_GB = 8

"""How much memory a process group uses, as Linux tells it; nothing elsewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

_PROC = Path("/proc")
_KB = 1024


def used_by_groups() -> Counter[int]:
    """Bytes by process group: anonymous and shared memory of all its processes.

    Pages that a fork still shares with its parent count for both.
    """
    used: Counter[int] = Counter()
    for process in _PROC.glob("[0-9]*"):
        try:
            # The name, in parentheses, may have blanks in it.
            group = int((process / "stat").read_text().rpartition(")")[2].split()[2])
            status = (process / "status").read_text()
        except OSError:
            # It ended meanwhile.
            continue
        for line in status.splitlines():
            if line.startswith(("RssAnon:", "RssShmem:")):
                used[group] += int(line.split()[1]) * _KB
    return used

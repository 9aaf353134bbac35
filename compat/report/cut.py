"""Reports that fit where GitHub takes them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

# What GitHub takes; counted in bytes, which are never fewer than characters.
SUMMARY_LIMIT = 1024 * 1024
# It shows no more than this of a README.
README_LIMIT = 500 * 1024
ISSUE_LIMIT = 65_536

# As compat.report.shown.folded() makes them; none is in another one's other one.
_OPENS, _CLOSES = "<details>", "\n</details>\n"
_MOST_NESTED = 2


def cut(text: str, limit: int, rest: str) -> str:
    """``text`` as it is, or its first lines, a note on what is left out and a link to ``rest``."""
    if _size(text) <= limit:
        return text
    lines = text.splitlines(keepends=True)
    # No note is longer than the one that names every section.
    room = limit - _size(_note(lines, rest)) - _MOST_NESTED * _size(_CLOSES)
    kept = bisect_right(list(accumulate(map(_size, lines))), room)
    while kept and _says_nothing_alone(lines, kept - 1):
        kept -= 1
    text = "".join(lines[:kept])
    # The note is not to be folded away with the last of what is left.
    return (
        text
        + _CLOSES * (text.count(_OPENS) - text.count(_CLOSES.strip()))
        + _note(lines[kept:], rest)
    )


def _says_nothing_alone(lines: Sequence[str], index: int) -> bool:
    """Whether a line only leads to the next one: it is empty, or the head of a section or table."""
    line, after = lines[index], lines[index + 1] if index + 1 < len(lines) else ""
    return line.isspace() or line.startswith(("#", "|-")) or after.startswith("|-")


def _note(left_out: Sequence[str], rest: str) -> str:
    sections = [line.strip("# \n") for line in left_out if line.startswith("## ")]
    among = f", among them {', '.join(sections)}" if sections else ""
    return f"\n**Cut here**: {len(left_out)} lines are left out{among}. [The rest]({rest})\n"


def _size(text: str) -> int:
    return len(text.encode())

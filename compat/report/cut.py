"""Reports that fit where GitHub takes them."""

from __future__ import annotations

# What GitHub takes; counted in bytes, which are never fewer than characters.
SUMMARY_LIMIT = 1024 * 1024
ISSUE_LIMIT = 65_536


def cut(text: str, limit: int, rest: str) -> str:
    """``text`` as it is, or its first lines with a note on what is left out and a link to ``rest``.

    Lines are kept whole, and a table that is cut keeps its head or goes.
    """
    if _size(text) <= limit:
        return text
    lines = text.splitlines(keepends=True)
    kept = len(lines)
    while kept and _size("".join(lines[:kept]) + _note(lines[kept:], rest)) > limit:
        kept -= 1
    # A head without a row says nothing.
    while kept and lines[kept - 1].startswith(("|--", "| --", "#")):
        kept -= 2 if lines[kept - 1].startswith("|") else 1
    return "".join(lines[:kept]) + _note(lines[kept:], rest)


def _note(left_out: list[str], rest: str) -> str:
    sections = [line.strip("# \n") for line in left_out if line.startswith("## ")]
    among = f", among them {', '.join(sections)}" if sections else ""
    return f"\n**Cut here**: {len(left_out)} lines are left out{among}. [The rest]({rest})\n"


def _size(text: str) -> int:
    return len(text.encode())

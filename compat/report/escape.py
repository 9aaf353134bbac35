"""Text from a run is untrusted when it reaches markdown or a page."""

from __future__ import annotations

import re
import unicodedata

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
_LONGEST = 400


def visible(text: str) -> str:
    """``text`` without what a terminal or a reader would not show but obey."""
    return "".join(
        character if character in "\n\t" or not character.isspace() else " "
        for character in text
        if character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
    )


def plain(text: str) -> str:
    """``text`` as one line that markdown shows as it is, cut where it is very long."""
    line = " ".join(visible(text).split())
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 1] + "…"
    return _SPECIAL.sub(r"\\\1", line)


def spelled(text: str) -> str:
    """``text`` with every character that cannot be seen, or turns others around, spelled out."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character in "\n\t" or character.isprintable() or unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def code(text: str) -> str:
    """``text`` in code style, on one line; safe inside a table."""
    line = " ".join(visible(text).split()).replace("`", "'").replace("|", "¦")
    return f"`{line}`" if line else ""

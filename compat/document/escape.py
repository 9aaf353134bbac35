"""Text from a run is untrusted when it reaches markdown or a page."""

from __future__ import annotations

import re
import unicodedata

# A hyphen inside a word means nothing to markdown.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&]|(?<!\w)-|-(?!\w))")
# Longer than any sentence of this project's own; what a build says may have any length.
_LONGEST = 4000

# What GitHub takes for a person to notify, for another issue or for an address, also where markdown
# escapes it.
_REFERENCE = re.compile(r"(@(?=\w)|#(?=\d)|\bGH-(?=\d)|<(?=!--)|://|\bwww(?=\.))", re.IGNORECASE)
# What GitHub's runner takes for a command where a step prints it: at the beginning of a line, and
# an older form anywhere in it.
_WORKFLOW_COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#\[)", re.MULTILINE)
# Of code only what is code beyond doubt: on one line, in one cell of a table, not escaped.
_CODE = r"(?<![\\`])(`+)(?!`)[^\n|]+?(?<!`)\1(?!`)"
_COMMITS = r"\]\(https://github\.com/pytorch/pytorch/compare/[0-9a-f]{40}\.\.\.[0-9a-f]{40}\)"
_AS_IT_IS = re.compile(f"{_CODE}|{_COMMITS}")


def visible(text: str) -> str:
    """``text`` without what a terminal or a reader would not show but obey."""
    if text.isprintable():
        return text
    return "".join(
        character if character in "\n\t" or not character.isspace() else " "
        for character in text
        if character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
    )


def printed(text: str) -> str:
    """``text`` as it may be printed: neither a terminal nor GitHub's runner obeys any of it."""
    return _WORKFLOW_COMMAND.sub(lambda match: f"{match[0]}\u200b", visible(text))


def plain(text: str) -> str:
    """``text`` as one line that markdown shows as it is, cut where it is very long."""
    return _SPECIAL.sub(r"\\\1", _inert(_cut(_line(text))))


def spelled(text: str) -> str:
    """``text`` with every character that cannot be seen, or turns others around, spelled out."""
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        character
        if character in "\n\t" or character.isprintable() or unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def code(text: str) -> str:
    """``text`` in code style, on one line; safe inside a table."""
    line = _cut(_line(text)).replace("`", "'").replace("|", "¦")
    return f"`{line}`" if line else ""


def inert(markdown: str) -> str:
    """``markdown`` that notifies nobody, refers to no issue and holds no HTML.

    Code stays as it is, and so do links to what came between two commits of PyTorch. HTML and
    addresses in angle brackets take precedence over code, so that none is left first.
    """
    markdown = markdown.replace("<", "‹")
    parts = []
    end = 0
    for each in _AS_IT_IS.finditer(markdown):
        parts += [_inert(markdown[end : each.start()]), each[0]]
        end = each.end()
    return "".join([*parts, _inert(markdown[end:])])


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _line(text: str) -> str:
    return " ".join(visible(text).split())


def _inert(text: str) -> str:
    return _REFERENCE.sub("\\1\u200b", text)

"""The parts of a report as markdown: every text in them is shown as it is, whatever it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from compat.document.escape import code, plain
from compat.document.parts import Code, Link, Part, Section, Strong, Table, Text

_HEADING = "##"


def markdown_text(text: Text) -> str:
    """One line of markdown."""
    parts = text if isinstance(text, tuple) else (text,)
    return "".join(map(_part, parts))


def _part(part: Part) -> str:
    if isinstance(part, Code):
        return code(part.text)
    if isinstance(part, Strong):
        return f"**{plain(part.text)}**"
    if isinstance(part, Link):
        if not part.address.startswith("https://"):
            return plain(part.text)
        return f"[{plain(part.text)}]({quote(part.address, safe=':/#?=&.')})"
    # A blank at the end of a part keeps it apart from the next one.
    before, after = (" " * each for each in (part[:1] == " ", part[-1:] == " "))
    return f"{before}{plain(part)}{after}"


def markdown_table(table: Table) -> str:
    """A table without padding; an empty text where it has no rows."""
    if not table.rows:
        return ""
    lines = [_row(table.headers), _row("-" * len(table.headers)), *map(_row, table.rows)]
    return "\n".join(lines)


def _row(cells: Sequence[Text] | str) -> str:
    if isinstance(cells, str):
        return "|" + "---|" * len(cells)
    return f"| {' | '.join(map(markdown_text, cells))} |"


def markdown_section(section: Section) -> str:
    """A heading, how to read what follows, and the tables; empty where all tables are."""
    tables = [shown for table in section.tables if (shown := markdown_table(table))]
    if not tables:
        return ""
    parts = [f"{_HEADING} {section.title}", section.intro, *tables]
    return "\n\n".join([*parts, *(markdown_text(note) for note in section.notes)])


def markdown_sections(sections: Iterable[Section]) -> str:
    return "\n\n".join(filter(None, map(markdown_section, sections)))

"""The parts of a report as markdown: every text in them is shown as it is, whatever it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from compat.document.escape import code, plain, visible
from compat.document.parts import Code, Link, Part, Section, Seen, Strong, Table, Text, plain_text
from compat.runs.ids import BuildId, CellId
from compat.topics.words import NOT_KNOWN

DEVICES = {"cpu": "CPU", "cuda": "GPU"}
# What a cell of a table says where nothing is known or was asked.
_SILENT = frozenset({"", NOT_KNOWN})
# What GitHub shows of a table, and what characters and edges take of it, in pixels.
_COLUMN, _EDGES = 1012, 27
_CODE, _CODE_EDGES, _PROSE, _NARROW, _THIN = 8.2, 11, 9.5, 5.5, frozenset("fijlrt.,:;'|!()[]/-")
_WORD = re.compile(r"[^\s-]+(?:-(?![A-Za-z])[^\s-]*)*-?")


def markdown_text(text: Text, page: str = "") -> str:
    """One line of markdown; ``page`` is where cells lead to, without it they lead nowhere."""
    parts = text if isinstance(text, tuple) else (text,)
    return "".join(_part(part, page) for part in parts)


def _part(part: Part, page: str) -> str:
    if isinstance(part, Code):
        return code(part.text)
    if isinstance(part, Strong):
        return f"**{plain(part.text)}**"
    if isinstance(part, Seen):
        return cell_link(part.cell, page)
    if isinstance(part, Link):
        if not part.address.startswith("https://"):
            return plain(part.text)
        return f"[{plain(part.text)}]({quote(part.address, safe=':/#?=&.')})"
    # A blank at the end of a part keeps it apart from the next one.
    before, after = (" " * each for each in (part[:1] == " ", part[-1:] == " "))
    return f"{before}{plain(part)}{after}"


def cell_link(cell: CellId, page: str) -> str:
    """A cell's id, leading to it on the page if there is one."""
    shown = code(cell)
    return f"[{shown}]({page}#cell={quote(cell, safe=':@,/[]')})" if page else shown


def cell_links(cells: Sequence[CellId], page: str, most: int = 1) -> str:
    """The first cells, and how many more there are."""
    shown = ", ".join(cell_link(cell, page) for cell in cells[:most])
    rest = len(cells) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def markdown_table(table: Table, page: str = "") -> str:
    """A table, or a list where that would be wider than what GitHub shows; empty without rows."""
    if not table.rows:
        return ""
    return _listed(table, page) if _width(table) > _COLUMN else _drawn(table, page)


def _drawn(table: Table, page: str) -> str:
    """Without padding."""

    def row(cells: Sequence[Text]) -> str:
        return f"| {' | '.join(markdown_text(cell, page) for cell in cells)} |"

    headers = row([_header(each) for each in table.headers])
    return "\n".join([headers, "|" + "---|" * len(table.headers), *map(row, table.rows)])


def _width(table: Table) -> float:
    """How wide it is at least, in pixels: a cell breaks between words and after hyphens."""
    columns = zip(*([table.headers, *table.rows]), strict=True)
    return sum(max(map(_longest_word, column), default=0) + _EDGES for column in columns)


def _longest_word(text: Text) -> float:
    parts = text if isinstance(text, tuple) else (text,)
    return max((_wide(word, part) for part in parts for word in _words(part)), default=0)


def _words(part: Part) -> list[str]:
    return _WORD.findall(plain_text(part))


def _wide(word: str, part: Part) -> float:
    if isinstance(part, Code | Seen):
        return _CODE * len(word) + _CODE_EDGES
    return sum(_NARROW if each in _THIN else _PROSE for each in word)


def _listed(table: Table, page: str) -> str:
    """An item a row; builds that say the same share a line below it."""
    builds = [n for n, header in enumerate(table.headers) if isinstance(header, BuildId)]
    first, *others = [n for n in range(len(table.headers)) if n not in builds]
    lines = []
    for row in table.rows:
        told = [
            f"{markdown_text(table.headers[n])}: {markdown_text(row[n], page)}"
            for n in others
            if plain_text(row[n])
        ]
        lines.append(f"- {'; '.join([markdown_text(row[first], page), *told])}")
        said: dict[Text, list[str]] = {}
        for n in builds:
            if row[n] != "":
                said.setdefault(row[n], []).append(plain_text(_header(table.headers[n])))
        lines += [
            f"  - {plain(', '.join(those))}: {markdown_text(text, page)}"
            for text, those in said.items()
        ]
    return "\n".join(lines)


def markdown_tables(table: Table, page: str = "") -> str:
    """A table, or one for each device and Python where its columns are builds of several.

    A column that says nothing in any row is named below instead, so that tables stay narrow.
    """
    lines: dict[tuple[str, str], list[int]] = {}
    for number, header in enumerate(table.headers):
        if isinstance(header, BuildId):
            lines.setdefault(header.line, []).append(number)
    if not lines:
        return markdown_table(table, page)
    fixed = [n for n, header in enumerate(table.headers) if not isinstance(header, BuildId)]
    shown = []
    for line, columns in lines.items():
        caption = f"**{line_name(*line)}**" if len(lines) > 1 else ""
        shown += [caption, *_of_line(table, fixed, columns, page)]
    return "\n\n".join(filter(None, shown))


def line_name(device: str, python: str) -> str:
    """Builds of one device and Python, in a heading."""
    name = DEVICES.get(device, device)
    return f"{name}, Python {python}" if python else name


def _of_line(
    table: Table, fixed: Sequence[int], columns: Sequence[int], page: str
) -> Iterable[str]:
    known = [n for n in columns if any(row[n] not in _SILENT for row in table.rows)]
    silent = [n for n in columns if n not in known]
    if known:
        kept = [n for n in range(len(table.headers)) if n in fixed or n in known]
        rows = [row for row in table.rows if any(row[n] not in ("",) for n in known)]
        yield markdown_table(
            Table(
                headers=[table.headers[n] for n in kept],
                rows=[[row[n] for n in kept] for row in rows],
            ),
            page,
        )
    if silent:
        names = ", ".join(plain_text(_header(table.headers[n])) for n in silent)
        yield f"{NOT_KNOWN} not known: {plain(names)}."


def _header(header: Text) -> Text:
    return header.name_and_python if isinstance(header, BuildId) else header


def markdown_section(section: Section, page: str = "") -> str:
    """A heading that unfolds to how to read what follows, and the tables; empty where these are."""
    tables = [shown for table in section.tables if (shown := markdown_tables(table, page))]
    if not tables:
        return ""
    notes = (markdown_text(note, page) for note in section.notes)
    return folded(section.title, "\n\n".join([section.intro, *tables, *notes]))


def folded(title: str, markdown: str) -> str:
    """What GitHub shows as one line until somebody clicks on it; ``title`` is of this project."""
    shown = escape(" ".join(visible(title).split()))
    return f"<details><summary>{shown}</summary>\n\n{markdown}\n\n</details>"

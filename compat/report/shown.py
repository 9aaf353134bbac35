"""The parts of a report as markdown: every text in them is shown as it is, whatever it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from compat.document.escape import code, plain, visible
from compat.document.parts import Code, Link, Part, Section, Seen, Strong, Table, Text
from compat.runs.ids import BuildId, CellId
from compat.topics.words import NOT_KNOWN

DEVICES = {"cpu": "CPU", "cuda": "GPU"}
# What a cell of a table says where nothing is known or was asked.
_SILENT = frozenset({"", NOT_KNOWN})


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
    return f"[{shown}]({page}#cell={quote(cell, safe=':@,/')})" if page else shown


def cell_links(cells: Sequence[CellId], page: str, most: int = 1) -> str:
    """The first cells, and how many more there are."""
    shown = ", ".join(cell_link(cell, page) for cell in cells[:most])
    rest = len(cells) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def markdown_table(table: Table, page: str = "") -> str:
    """A table without padding; an empty text where it has no rows."""
    if not table.rows:
        return ""

    def row(cells: Sequence[Text]) -> str:
        return f"| {' | '.join(markdown_text(cell, page) for cell in cells)} |"

    return "\n".join([row(table.headers), "|" + "---|" * len(table.headers), *map(row, table.rows)])


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
                headers=[_header(table.headers[n]) for n in kept],
                rows=[[row[n] for n in kept] for row in rows],
            ),
            page,
        )
    if silent:
        names = ", ".join(str(_header(table.headers[n])) for n in silent)
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


def markdown_sections(sections: Iterable[Section], page: str = "") -> str:
    return "\n\n".join(filter(None, (markdown_section(each, page) for each in sections)))

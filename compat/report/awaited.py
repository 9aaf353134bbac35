"""The fixes that somebody waits for, in a table and in lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from compat.document.escape import code, plain
from compat.document.parts import Code, Link, Section, Table, Text
from compat.findings.awaits import Awaited
from compat.report.words import ending_text


def show_awaited(awaited: Sequence[Awaited]) -> Iterable[Section]:
    """A row for each entry of ``awaits.toml``."""
    rows: list[list[Text]] = [
        [
            Code(each.awaits.check),
            each.standing.value,
            each.column.label if each.column else "",
            ending_text(each.said) if each.said else "",
            Code(each.awaits.remove),
            (f"{each.awaits.reason} ", Link("Link", each.awaits.issue)),
        ]
        for each in awaited
    ]
    yield Section(
        title="Fixes awaited",
        intro="What can go from the source as soon as a check passes: see `awaits.toml`.",
        tables=[Table(headers=["check", "", "on", "it says", "what can go", "awaited"], rows=rows)],
    )


def awaited_lines(awaited: Sequence[Awaited]) -> Iterator[str]:
    """A line for each fix that has just come."""
    for each in awaited:
        if each.text:
            yield f"{each.awaits.check}: {each.text}; {each.awaits.issue}"


def awaited_text(each: Awaited) -> str:
    """A fix that has just come, as markdown."""
    return f"{code(each.awaits.check)}: {plain(each.text)}. Awaited: {each.awaits.issue}\n"

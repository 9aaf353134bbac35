"""Sentences, tables and charts. A text in them is shown as it is, whatever it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from compat.runs.ids import CellId


@dataclass(frozen=True)
class Code:
    """A text that people copy: a name, an id, a command."""

    text: str


@dataclass(frozen=True)
class Strong:
    """A text that stands out."""

    text: str


@dataclass(frozen=True)
class Link:
    """A text that leads somewhere; only an address that begins with https:// does."""

    text: str
    address: str


@dataclass(frozen=True)
class Seen:
    """A cell: shown by its id, which leads to the cell on the page."""

    cell: CellId

    @property
    def text(self) -> str:
        return self.cell


# A build's id as a header says that the column is about that build, and is shown as its label.
Part: TypeAlias = str | Code | Strong | Link | Seen
# One text or several, shown one after the other.
Text: TypeAlias = Part | tuple[Part, ...]


def plain_text(text: Text) -> str:
    """Without what makes it stand out."""
    parts = text if isinstance(text, tuple) else (text,)
    return "".join(part if isinstance(part, str) else part.text for part in parts)


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A finding in words, and the cells that say so."""

    title: str
    text: str
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of as many texts as there are headers; without rows it is not shown."""

    headers: Sequence[Text]
    rows: Sequence[Sequence[Text]]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report with a heading.

    Attributes:
        intro: Markdown of this project's own, never a text from a run.
        tables: A section all of whose tables are empty is not shown.
        notes: Lines below the tables.
    """

    title: str
    intro: str
    tables: Sequence[Table]
    notes: Sequence[Text] = ()


class Drawing(Enum):
    """How a chart is drawn."""

    BARS = "bars"
    LINES = "lines, on a logarithmic scale"


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A value, and how far its measurements ranged."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing and its numbers; without labels it is not shown.

    Attributes:
        text: How to read it.
        labels: Along the axis.
        series: By name, a value for each label; None where there is none.
        table: The same numbers.
    """

    title: str
    text: str
    drawing: Drawing
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | Spread | None]]
    unit: str
    table: Table

"""What makes a file of a cell, and what all such files are made with."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compat.runs.model import Build, Cell

_WIDTH = 96


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Makes files of the cells of one probe.

    Attributes:
        shows: Whether a cell says that something is wrong which a file of torch alone shows.
        write: The file, for such a cell.
    """

    shows: Callable[[Cell], bool]
    write: Callable[[Cell, Build], str]


def rendered(template: str, cell: Cell, build: Build, **more: Any) -> str:
    """A template of this folder, with what each file says of its cell."""
    # Only whoever makes a file needs it: that one can be made is said by ``compat explain``.
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("compat.report", "repro"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (Python, which nobody renders)
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(f"{template}.py.jinja").render(
        release=build.release,
        device=build.device.kind,
        **more,
    )


def prose(cell: Cell, why: str) -> str:
    """What a cell says, by one line of anybody's: for a docstring, which it cannot end."""
    why = why.partition("\n")[0].replace("\\", "/").replace('"', "'")
    return "\n".join(textwrap.wrap(f"{cell.id}: {why or 'it did not end well'}", _WIDTH))


def fields_of(cell: Cell) -> dict[str, Any]:
    """Of a cell's record; none where it left none."""
    return {name: value for each in (cell.record or {}).values() for name, value in each.items()}

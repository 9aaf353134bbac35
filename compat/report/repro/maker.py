"""What makes a file of a cell, and what all such files are made with."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from packaging.version import InvalidVersion, Version

from compat.document.escape import spelled
from compat.report.words import shortened
from compat.runs.decode import DamagedError, decode
from compat.runs.ids import BUILTIN
from compat.runs.model import Build, Cell
from compat.subjects.spec import SubjectSpec, parse_subject, taken_apart

if TYPE_CHECKING:
    import jinja2

R = TypeVar("R")

_WIDTH = 96
# Of a cell, in its file.
_LONGEST = 1000

# What the templates know to write.
PATHS = ("eager", "compile_fx", "standalone", "donated", "aot")
BATCHES = ("static", "dynamic")


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Makes files of the cells of one probe.

    Attributes:
        parameters: By name: the values of which it knows what they mean. Others may be any text,
            and none of it becomes a part of a program.
        shows: Whether a cell with such parameters says that something is wrong, and that a file of
            its own shows it.
        write: The file, for such a cell.
        project: Of which subject's cells; its release is to lie beside the build.
    """

    parameters: Callable[[], Mapping[str, Collection[str]]]
    shows: Callable[[Cell], bool]
    write: Callable[[Cell, Build], str]
    project: str = BUILTIN

    def makes(self, cell: Cell) -> bool:
        """Whether it can make a file of a cell of its probe."""
        known = self.parameters()
        return (
            self._is_of_a_release(cell.subject)
            and cell.params.keys() == known.keys()
            and all(value in known[name] for name, value in cell.params.items())
            and self.shows(cell)
        )

    def _is_of_a_release(self, subject: str) -> bool:
        """Whether a subject is the one that it knows, in a release that anybody can have."""
        project, version = taken_apart(subject)
        try:
            return project == self.project and bool(subject == BUILTIN or Version(version))
        except InvalidVersion:
            return False


def ended_badly(cell: Cell) -> bool:
    return cell.outcome.bad


def beside_of(cell: Cell) -> SubjectSpec | None:
    """The release that a cell's file needs beside PyTorch."""
    if cell.subject == BUILTIN:
        return None
    return parse_subject("==".join(taken_apart(cell.subject)))


def rendered(template: str, cell: Cell, build: Build, **more: Any) -> str:
    """A template of this folder, with what each file says of its cell."""
    needs = str(beside_of(cell) or "")
    return (
        _templates()
        .get_template(f"{template}.py.jinja")
        .render(release=build.release, device=cell.build.device, needs=needs, **more)
    )


@cache
def _templates() -> jinja2.Environment:
    # Only whoever makes a file needs it: that one can be made is said by ``compat explain``.
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("compat.report", "repro"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (Python, which nobody renders)
        undefined=jinja2.StrictUndefined,
    )


def prose(cell: Cell, why: str) -> str:
    """What a cell says, by one line of anybody's: for a docstring, which it cannot end.

    Nor can what the cell is called: its build may be a folder of any name.
    """
    line = why.partition("\n")[0] or "it did not end well"
    shown = spelled(shortened(f"{cell.id}: {line}", _LONGEST)).replace("\\", "/").replace('"', "'")
    return "\n".join(textwrap.wrap(shown, _WIDTH))


def fields_of(cell: Cell) -> dict[str, Any]:
    """Of a cell's record; none where it left none."""
    return {name: value for each in (cell.record or {}).values() for name, value in each.items()}


def record_of(cell: Cell, kind: type[R]) -> R | None:
    """What its probe recorded; None where that is nothing, or does not fit."""
    try:
        return decode((cell.record or {}).get(kind.__name__), kind)
    except DamagedError:
        return None

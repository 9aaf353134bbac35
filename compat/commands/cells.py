"""``--cells FILE``: which builds, subjects and checks the cells of a file ask for."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from compat.builds.resolve import Resolution
from compat.builds.spec import parse_spec
from compat.errors import UsageError
from compat.probes.names import ACROSS, check_selection, with_needs
from compat.running.host import default_device
from compat.runs.ids import BUILTIN, BuildId, CellId, InvalidIdError
from compat.subjects.spec import PROJECTS, TORCH, parse_subject, taken_apart

# What a check about another build's artifacts ends with: that build's name, and its Python.
_SAVED_BY = re.compile(r"-(?P<build>\d+\.\d[^-]*(?:-py3\.\d+)?)$")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Cells of one device.

    Attributes:
        others: The builds that some of them need for what these save.
    """

    device: str
    cells: tuple[CellId, ...]
    others: frozenset[BuildId]

    @property
    def checks(self) -> tuple[str, ...]:
        """All of their checks, and what these build upon."""
        return with_needs(list(dict.fromkeys(cell.check for cell in self.cells)))

    def among(self, resolutions: Sequence[Resolution]) -> list[Resolution]:
        """The builds that have cells, or save something for those.

        Raises:
            UsageError: None of them has a cell.
        """
        builds = {cell.build for cell in self.cells}
        if not builds & {each.id(self.device) for each in resolutions}:
            raise UsageError(
                f"--cells: expected cells of the builds that --builds names, not of "
                f"{', '.join(sorted(builds))}"
            )
        return [each for each in resolutions if each.id(self.device) in builds | self.others]


def wanted_cells(parsed: argparse.Namespace) -> Wanted:
    """What the file asks for; sets the builds, Pythons and subjects that nobody typed.

    Raises:
        UsageError: The file cannot be read, a line is no cell, or nothing is left of it.
    """
    if parsed.probes:
        raise UsageError("--cells: expected no --probes beside it")
    cells = read_cells(parsed.cells)
    device = parsed.device or _device(cells)
    subjects = [parse_subject(text) for text in parsed.subject]
    ids = {spec.id() for spec in subjects}
    cells = [
        cell for cell in cells if cell.build.device == device and (not ids or cell.subject in ids)
    ]
    if not cells:
        raise UsageError(f"--cells {parsed.cells}: no cell of it is on {device}, or of --subject")
    check_selection([cell.check for cell in cells])
    others = frozenset(_others(cells))
    builds = dict.fromkeys([*(cell.build for cell in cells), *sorted(others)])
    if not parsed.builds:
        parsed.builds = list(dict.fromkeys(map(_spec, builds)))
        parsed.python = list(dict.fromkeys(build.python or parsed.python[0] for build in builds))
    if not subjects:
        parsed.subject = list(dict.fromkeys(_subject(cell.subject) for cell in cells))
    return Wanted(device=device, cells=tuple(cells), others=others)


def read_cells(path: Path) -> list[CellId]:
    """The cells of a file, one a line, each once; empty lines are passed over.

    Raises:
        UsageError: It cannot be read, or a line is no cell.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--cells {path}: cannot be read: {error}") from None
    found: dict[CellId, None] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found[CellId(line.strip())] = None
            except InvalidIdError as error:
                raise UsageError(f"{path}, line {number}: {error}") from None
    if not found:
        raise UsageError(f"--cells {path}: nothing is to be run: it has no cells")
    return list(found)


def _device(cells: Sequence[CellId]) -> str:
    """The one device of all cells; this machine's own where they are of several."""
    devices = {cell.build.device for cell in cells}
    return devices.pop() if len(devices) == 1 else default_device()


def _others(cells: Sequence[CellId]) -> list[BuildId]:
    """The builds that saved what a cell is about."""
    found = []
    for cell in cells:
        saved_by = _SAVED_BY.search(cell.check.arguments) if cell.check.probe == ACROSS else None
        if saved_by is not None:
            name, _, python = saved_by["build"].partition("-py")
            found.append(BuildId.of(name, cell.build.device, python))
    return found


def _spec(build: BuildId) -> str:
    """What people type for just that build.

    Raises:
        UsageError: It lies in a folder that its name does not tell.
    """
    if build.name.startswith("local-"):
        raise UsageError(
            f"--cells: {build} was an interpreter that was there; name it with --builds python:PATH"
        )
    try:
        return parse_spec(f"=={build.name}").text
    except UsageError:
        return parse_spec(build.name).text


def _subject(subject: str) -> str:
    """What people type for just that subject.

    Raises:
        UsageError: It lies in a folder that its name does not tell.
    """
    if subject in {BUILTIN, TORCH, *PROJECTS}:
        return subject
    project, version = taken_apart(subject)
    if project in PROJECTS:
        with suppress(UsageError):
            return str(parse_subject(f"{project}=={version}"))
    raise UsageError(f"--cells: {subject} lies in a folder of some machine; name it with --subject")

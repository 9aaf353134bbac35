"""The one command that repeats what was seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from shlex import quote

from compat.runs.history import WHOLE
from compat.runs.ids import BUILTIN, SUITE, BuildId, CellId
from compat.runs.model import SAVED_BY, Build, Cell, Run

# As PyTorch's own wheels say it; what was built by hand says a commit.
_VARIANT = re.compile(r"cpu|cu\d+|rocm[\d.]+|xpu")


def repeat_command(cell: Cell, run: Run) -> str:
    """The command that repeats one cell of a run."""
    return _repeat(cell, {build.id: build for build in run.builds}, _subjects(run))


def whole_command(run: Run, build: BuildId, subject: str) -> str:
    """The command that probes a build for a subject, or runs a user's command, as a whole."""
    found = [each for each in run.builds if each.id == build]
    requested = _subjects(run).get(subject, "")
    if subject.startswith(SUITE):
        return _run(found, build.device, requested)
    return _matrix(found, build.device, requested)


class RepeatCommands(Mapping[CellId, str]):
    """The command for each cell, and for each build, and each subject on it, as a whole.

    Each is put together when it is asked for: most readers ask for a few.
    """

    def __init__(self, run: Run) -> None:
        self._builds = {build.id: build for build in run.builds}
        self._subjects = _subjects(run)
        self._cells = {cell.id: cell for cell in run.cells}
        pairs = [*((BUILTIN, build.id) for build in run.builds)]
        pairs += [(pair.subject, pair.build) for pair in run.pairs]
        self._whole = {
            CellId.of(WHOLE, build, subject): (subject, build) for subject, build in pairs
        }

    def __getitem__(self, name: CellId) -> str:
        if cell := self._cells.get(name):
            return _repeat(cell, self._builds, self._subjects)
        subject, build = self._whole[name]
        requested = self._subjects.get(subject, "")
        if subject.startswith(SUITE):
            return _run([self._builds[build]], build.device, requested)
        return f"{_matrix([self._builds[build]], build.device, requested)} --fresh"

    def __iter__(self) -> Iterator[CellId]:
        return iter(self._whole | self._cells)

    def __len__(self) -> int:
        return len(self._whole | self._cells)


def _subjects(run: Run) -> Mapping[str, str]:
    """By id: what names just that subject; not the folder that it lay in where it ran."""
    return {
        each.id: each.requested if each.id.startswith(SUITE) else _elsewhere(each.requested)
        for each in run.subjects
    }


def _elsewhere(requested: str) -> str:
    name, colon, path = requested.partition(":")
    return f"{name}:/path/to/{PurePosixPath(path).name}" if colon else requested


def _repeat(cell: Cell, builds: Mapping[BuildId, Build], subjects: Mapping[str, str]) -> str:
    needed = [cell.build]
    if saved_by := cell.params.get(SAVED_BY):
        needed += [
            each
            for each in builds
            if (each.name_and_python, each.device) == (saved_by, cell.build.device)
        ]
    found = (builds[each] for each in needed if each in builds)
    requested = subjects.get(cell.subject, "")
    if cell.subject.startswith(SUITE):
        return _run(found, cell.build.device, requested, f" --probes {quote(cell.check)}")
    matrix = _matrix(found, cell.build.device, requested)
    return f"{matrix} --depth full --fresh --probes {quote(cell.check)}"


def _run(builds: Iterable[Build], device: str, requested: str, more: str = "") -> str:
    """Of a user's command; what is requested is what stands behind the builds."""
    specs = " ".join(quote(spec_of(build)) for build in builds)
    return f"compat run --builds {specs} --device {device} --alone --fresh{more} {requested}"


def _matrix(builds: Iterable[Build], device: str, subject: str) -> str:
    builds = sorted(builds, key=lambda build: build.id)
    specs = dict.fromkeys(map(spec_of, builds))
    pythons = dict.fromkeys(build.id.python for build in builds if build.id.python)
    under = f" --python {' '.join(pythons)}" if pythons else ""
    whose = f" --subject {quote(subject)}" if subject else ""
    return (
        f"nox -s matrix -- --builds {' '.join(map(quote, specs))}{under} --device {device}{whose}"
    )


def spec_of(build: Build) -> str:
    """What names the very same build again; as it was asked for, where none was found."""
    if build.channel == "local":
        # The folder is of the machine that ran; what lay in it is what can be had elsewhere.
        return f"=={build.release}" if _is_a_release(build) else f"python:/path/to/{build.id.name}"
    if not build.channel:
        return build.requested
    return f"=={build.id.name}"


def can_be_had(build: Build) -> bool:
    """Whether what :func:`spec_of` says of it names a build elsewhere, too."""
    return build.channel not in {"", "local"} or _is_a_release(build)


def _is_a_release(build: Build) -> bool:
    """Whether an interpreter that was there holds a release, by the variant in its version."""
    release = build.release
    local = build.version.partition("+")[2]
    return (
        release is not None
        and not release.is_prerelease
        and (not local or _VARIANT.fullmatch(local) is not None)
    )

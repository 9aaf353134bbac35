"""What the user of a run may choose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from compat.probes.names import SAVED, with_needs
from compat.runs.ids import BUILTIN, BuildId, CellId
from compat.runs.model import Build, Cell
from compat.subjects.spec import BUILTIN_ALONE, SubjectSpec
from compat.subjects.suite import Suite


def nothing_is_foreseen(_: Cell, __: Build) -> bool:
    """Every cell that ends badly is tried again."""
    return False


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to probe.

    Attributes:
        device: ``cpu`` or ``cuda``.
        probes: Parts of probe ids; all probes if there are none.
        cells: Only these cells; all that ``probes`` choose if there are none.
        depth: ``default`` or ``full``.
        jobs: Probes side by side, over all builds.
        timeout_s: What a probe may take, and a phase of a worker: see
            :class:`compat.worker.patience.Bounds`.
        memory_gb: Memory that a probe may use, with all its processes.
        fresh: Whether to see everything again, also what earlier runs saw.
        home: Where environments, subjects and runs are kept.
        subjects: Whose interfaces are run.
        suites: Commands of a user's, which are run as well.
        foreseen: Whether a cell ended badly as expected: it is not tried again then.
    """

    device: str
    probes: Sequence[str]
    depth: str
    jobs: int
    timeout_s: float
    memory_gb: float
    fresh: bool
    home: Path
    subjects: Sequence[SubjectSpec] = (BUILTIN_ALONE,)
    suites: Sequence[Suite] = ()
    cells: Collection[CellId] = ()
    foreseen: Callable[[Cell, Build], bool] = nothing_is_foreseen

    def select(self, build: BuildId, subject: str) -> tuple[str, ...] | None:
        """What chooses among the probes of a subject on a build; None where none is asked for.

        A build without a cell is there for what it saves for the other builds.
        """
        if not self.cells:
            return tuple(self.probes)
        if all(each.build != build for each in self.cells):
            return (SAVED,) if subject == BUILTIN else None
        checks = [
            each.check for each in self.cells if (each.build, each.subject) == (build, subject)
        ]
        return with_needs(checks) or None

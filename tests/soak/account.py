"""What a run left, held against what it must and what it may leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from compat.runs.contents import Contents, Reported
from compat.runs.ids import CheckId
from compat.runs.model import Outcome
from compat.runs.store import RunFolder, load
from tests.soak.kills import GROUP, INT, NOX, STOP, Kill, wait_until_gone
from tests.soak.place import Place, contents

# How long what was killed may take to be gone, on a busy machine.
GONE_S = 30.0
_ENDING_S = 2.0
# All that a run may leave, below .compat, and how many of each.
NAMED: Mapping[str, int] = {
    "environments": 1,
    "runs": 1,
    "source": 1,
    "subjects": 1,
    "nightlies.json": 1,
    "nightlies.json.lock": 1,
    "running.lock": 1,
    "reports.lock": 1,
}
PARTIAL = ".partial"
BESIDE = frozenset({".jsonl", ".skip", ".others", ".log"})
# Of a worker that was killed, until the next one begins.
MOST_SCRATCH = 1


@dataclass
class Account:
    """What is known of all runs so far.

    Attributes:
        known: By check: what must be taken over, and from which run.
        run: Cells that were run,
        reused: and cells that were taken over.
        disk: Bytes below .compat and reports, after each run.
        partial: Files that were not written to their end, after the last run.
    """

    place: Place
    checks: frozenset[CheckId] = frozenset()
    known: dict[CheckId, str] = field(default_factory=dict)
    run: int = 0
    reused: int = 0
    disk: list[int] = field(default_factory=list)
    partial: set[Path] = field(default_factory=set)

    def forget(self, probe: str) -> None:
        """A probe was edited."""
        self.known = {c: run for c, run in self.known.items() if not c.startswith(f"{probe}[")}

    def problems(self, status: int, kill: Kill | None, earlier: Sequence[RunFolder]) -> list[str]:
        """All that is wrong after a run."""
        left = wait_until_gone(self.place.checkout, GONE_S)
        found = [f"left running: {' '.join(each.words)}" for each in left.values()]
        found += self._of_locks()
        found += self._of_files()
        known_folders = {each.path for each in earlier}
        new = [each for each in self.place.runs if each.path not in known_folders]
        if len(new) > 1:
            found.append(f"{len(new)} runs in the place of one")
        seen = contents(new[-1]) if new else Contents()
        allowed = statuses(kill)
        if status not in allowed:
            found.append(f"ended with {status}, expected {' or '.join(map(str, sorted(allowed)))}")
        if new:
            found += self._of_cells(seen, new[-1].path.name, status)
        return found

    def _of_locks(self) -> Iterator[str]:
        yield from (f"held: {path.name}" for path in self.place.home.rglob("*.lock") if held(path))

    def _of_files(self) -> Iterator[str]:
        home = self.place.home
        here = Counter(path.name for path in home.iterdir())
        for name in here.keys() - NAMED.keys():
            yield f"left in .compat: {name}"
        for path in (home / "runs").glob("*/*"):
            if path.name != "header.json" and path.suffix not in {*BESIDE, PARTIAL}:
                yield f"left in a run: {path.name}"
        scratch = list((home / "environments").glob("*-scratch/tmp/compat-*"))
        if len(scratch) > MOST_SCRATCH:
            yield f"{len(scratch)} folders of workers that are gone"
        # Whoever is killed while it writes leaves one, which the next run removes.
        found = self.place.checkout.rglob(f"*{PARTIAL}")
        partial = {path for path in found if ".nox" not in path.parts}
        yield from (f"left: {path.name}" for path in partial & self.partial)
        self.partial = partial
        self.disk.append(size_of(home) + size_of(self.place.checkout / "reports"))

    def _of_cells(self, seen: Contents, run: str, status: int) -> Iterator[str]:
        if seen.damaged:
            yield f"damaged lines: {seen.damaged}"
        if not self.checks:
            self.checks = frozenset(seen.plans)
        for check in seen.plans.keys() ^ self.checks if seen.plans else ():
            yield f"planned now and not before, or the other way: {check}"
        for check, cell in seen.cells.items():
            if not cell.seen_in and check in self.known:
                yield f"lost: {check}, which {self.known[check]} saw, was run again"
        if status in {0, 1}:
            yield from self._of_whole(seen, run)
        for check, cell in seen.cells.items():
            self.run += not cell.seen_in
            self.reused += bool(cell.seen_in)
            if _is_to_be_kept(cell):
                self.known[check] = cell.seen_in or run

    def _of_whole(self, seen: Contents, run: str) -> Iterator[str]:
        """Of a run that came to its end: each cell once, in the stream and in what is published."""
        for check in self.checks - seen.cells.keys():
            yield f"lost: {check}"
        for check in seen.cells.keys() - self.checks:
            yield f"from nowhere: {check}"
        bad = {check for check, cell in seen.cells.items() if cell.outcome is not Outcome.PASS}
        if bad:
            yield f"did not pass in the end: {', '.join(sorted(bad))}"
        published = load(self.place.checkout / "reports" / "latest" / "run.json")
        counted = Counter(cell.check for cell in published.cells)
        for check, times in counted.items():
            if times > 1:
                yield f"doubled: {check}"
        if counted.keys() != seen.cells.keys():
            yield "what is published is not what was seen"
        fresh = {check for check, cell in seen.cells.items() if not cell.seen_in}
        if fresh != {cell.check for cell in published.cells if cell.seen_in == run}:
            yield "what is published says of another run that it saw a cell"


def _is_to_be_kept(cell: Reported) -> bool:
    return cell.outcome is Outcome.PASS and not cell.flaky


def statuses(kill: Kill | None) -> set[int]:
    """What nox may end with."""
    if kill is None or kill.number is STOP:
        return {0}
    if not kill.is_outside:
        # What was killed once is tried again; that a cell passed then only, the report says.
        return {0}
    # It may have been done already.
    done = {0}
    if kill.number is INT:
        # Before it can say so itself, Python dies of it, and nox makes 3 of what it ran.
        return done | {130, -INT if kill.target in {NOX, GROUP} else 3}
    if kill.target in {NOX, GROUP}:
        return done | {-kill.number}
    return done | {3}


def held(lock: Path) -> bool:
    """Whether somebody still has a lock, a moment later: so long a killed process may be ending."""
    try:
        with FileLock(lock, timeout=_ENDING_S):
            return False
    except Timeout:
        return True


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())

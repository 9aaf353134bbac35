"""What one execution did itself, what it took over from earlier ones, and where its time went."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from tabulate import tabulate

from compat.runs.contents import Contents, read_contents
from compat.runs.store import RunFolder
from compat.runs.stream import Stream


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One build's part. Seconds; those of cells are sums, also where cells ran side by side.

    Attributes:
        reused: Cells by the execution that saw them.
        seen: Cells that were run.
        phases: What came before the cells, and the probing as a whole.
        compiling: Of the cells that were run: in Dynamo and Inductor.
        running: Of these cells: all the rest.
    """

    build: str
    reused: Counter[str]
    seen: int
    phases: Mapping[str, float]
    compiling: float
    running: float


PHASES = ("install", "import", "warm up", "import subject", "probe")


def timings(folder: RunFolder) -> list[Timing]:
    """Of every build that came to have cells."""
    found = (_timing(stream) for stream in folder.streams())
    return [timing for timing in found if timing.seen or timing.reused]


def _timing(stream: Stream) -> Timing:
    contents = read_contents(stream)
    phases: dict[str, float] = defaultdict(float)
    for phase in contents.phases:
        phases[phase.name] += phase.seconds
    for name, seconds in contents.end.seconds.items() if contents.end else ():
        phases[name] += seconds
    # What is known may be more than what was asked for this time.
    cells = [cell for check, cell in contents.cells.items() if check in contents.plans]
    own = [cell for cell in cells if not cell.seen_in]
    compiling = sum(cell.compile_s for cell in own)
    return Timing(
        build=_label(contents),
        reused=Counter(cell.seen_in for cell in cells if cell.seen_in),
        seen=len(own),
        phases=phases,
        compiling=compiling,
        running=sum(cell.duration_s for cell in own) - compiling,
    )


def _label(contents: Contents) -> str:
    build = contents.build.label if contents.build else ""
    return f"{contents.subject.id} on {build}" if contents.subject else build


def print_timing(folder: RunFolder, console: Console) -> None:
    """A table of builds, and how many cells are from earlier executions."""

    def say(text: str = "") -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    builds = timings(folder)
    say()
    if any(build.seen for build in builds):
        say(timing_table(builds))
        say()
    reused = sum((build.reused for build in builds), Counter[str]())
    say(f"{sum(build.seen for build in builds)} cells run, {reused.total()} known already.")
    for source, number in sorted(reused.items()):
        say(f"  {number} seen in {source}")


def timing_table(builds: list[Timing]) -> str:
    """Seconds by build: the phases, and what the cells took."""
    rows = [
        [
            build.build,
            build.seen,
            *(f"{build.phases.get(phase, 0):.0f}" for phase in PHASES),
            f"{build.compiling:.0f}",
            f"{build.running:.0f}",
        ]
        for build in builds
    ]
    headers = ["build", "cells run", *PHASES, "cells: compiling", "cells: the rest"]
    return tabulate(rows, headers=headers, tablefmt="github")

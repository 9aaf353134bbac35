"""Compares this runner with the plain way: a fresh process and fresh caches for each probe."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from tabulate import tabulate

import compat
from compat.bench.parts import parts, parts_text
from compat.builds.environment import Environment, install
from compat.builds.resolve import Resolution
from compat.errors import UsageError
from compat.findings.expectations import NONE
from compat.findings.results import results_of
from compat.report.markdown import render
from compat.report.timing import Timing, timing_table, timings
from compat.running.launcher import worker_variables
from compat.running.pipeline import Progress, probe_builds
from compat.running.settings import Settings
from compat.runs.contents import read_contents
from compat.runs.history import EMPTY
from compat.runs.model import Outcome
from compat.runs.store import RunFolder, merge

# A dozen cells, of every kind of work that probes do.
PROBES = (
    "artifacts.reload[binary]",
    "donation.copies",
    "gates.shared_fake_mode[monkeypatch]",
    "parity.outputs[mlp-float32-static",
    "tracing_context.needed",
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Seconds that the same cells of one build took.

    Attributes:
        cells: How many.
        plain_s: One fresh process and fresh caches a probe, one after the other.
        first_s: This runner, with everything to be made: environment, bytecode, headers.
        later_s: This runner, once these are there.
        report_s: Merging, findings and tables.
        first: Where ``first_s`` went.
        later: Where ``later_s`` went,
        parts: and that by part, down into the compilations; cells side by side are added up.
    """

    cells: int
    plain_s: float
    first_s: float
    later_s: float
    report_s: float
    first: Timing
    later: Timing
    parts: dict[str, float]


def compare(resolution: Resolution, settings: Settings, progress: Progress) -> Comparison:
    """Run the cells of one build three times, below a folder of their own.

    Raises:
        UsageError: The build could not be had, or a cell ended badly: there is nothing to compare.
    """
    name = resolution.id(settings.device).name_and_python
    if resolution.wheel is None:
        raise UsageError(f"{name}: {resolution.problem or 'expected a wheel'}")
    home = settings.home / "bench"
    shutil.rmtree(home, ignore_errors=True)
    settings = replace(settings, home=home, fresh=True)
    first_s, first = _seconds(resolution, settings, progress)
    environment = install(resolution.wheel, home / "environments")
    nodes = _nodes(first)
    progress.phase(name, f"{len(nodes)} probes, a process each")
    began = perf_counter()
    for number, node in enumerate(nodes, start=1):
        _run_plainly(node, environment, settings)
        progress.cells(f"{name} plainly", number, len(nodes))
    plain_s = perf_counter() - began
    later_s, later = _seconds(resolution, settings, progress)
    began = perf_counter()
    render(results_of(merge([later]), EMPTY, NONE))
    report_s = perf_counter() - began
    (first_timing,), (later_timing,) = timings(first), timings(later)
    of_later = parts(later, settings.jobs)
    shutil.rmtree(home)
    return Comparison(
        cells=len(nodes),
        plain_s=plain_s,
        first_s=first_s,
        later_s=later_s,
        report_s=report_s,
        first=first_timing,
        later=later_timing,
        parts=of_later,
    )


def _seconds(
    resolution: Resolution, settings: Settings, progress: Progress
) -> tuple[float, RunFolder]:
    began = perf_counter()
    folder = probe_builds([resolution], settings, settings.home / "runs", progress)
    seconds = perf_counter() - began
    bad = [
        cell.id
        for cell in merge([folder]).cells
        if cell.outcome not in {Outcome.PASS, Outcome.UNSUPPORTED}
    ]
    if bad:
        raise UsageError(f"expected cells that pass, to compare their times; not so: {bad[0]}")
    return seconds, folder


def _nodes(folder: RunFolder) -> Sequence[str]:
    """What pytest calls the cells of a run."""
    return [
        planned.node
        for stream in folder.streams()
        for planned in read_contents(stream).plans.values()
    ]


def _run_plainly(node: str, environment: Environment, settings: Settings) -> None:
    """Run one probe as anybody would: ``pytest`` in a new process, with nothing cached."""
    probes = Path(compat.__file__).with_name("probes")
    with tempfile.TemporaryDirectory(dir=environment.scratch) as temporary:
        subprocess.run(
            [
                *(str(environment.python), "-m", "pytest", str(probes / node), "-q"),
                *("-p", "no:cacheprovider", f"--rootdir={probes}", f"--device={settings.device}"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=temporary,
            env={
                **worker_variables(environment, settings.home),
                "TMPDIR": temporary,
                "TORCHINDUCTOR_CACHE_DIR": f"{temporary}/inductor",
                "CUDA_VISIBLE_DEVICES": "" if settings.device == "cpu" else "0",
            },
        )


def comparison_text(comparison: Comparison) -> str:
    """The ratios, and where the time of this runner goes, as tables."""
    ways = [
        ("a fresh process and fresh caches a probe, one after the other", comparison.plain_s),
        ("this runner, the first time on a build", comparison.first_s),
        ("this runner, any later time", comparison.later_s),
    ]
    rows = [
        [way, f"{seconds:.0f}", f"{seconds / comparison.cells:.1f}", f"{ratio:.1f}×"]
        for way, seconds in ways
        for ratio in [comparison.plain_s / seconds]
    ]
    headers = [f"{comparison.cells} cells", "seconds", "a cell", "as fast"]
    ratios = tabulate(rows, headers=headers, tablefmt="github")
    first, later = (
        replace(timing, build=name)
        for timing, name in ((comparison.first, "first"), (comparison.later, "later"))
    )
    phases = timing_table([first, later])
    within = parts_text(comparison.parts)
    return f"\n{ratios}\n\n{phases}\n\n{within}\n\nReport: {comparison.report_s:.2f} s"

"""``compat probe`` and ``compat bench``: run the probes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from compat.builds.resolve import Resolution
from compat.commands.builds import resolved
from compat.commands.cells import wanted_cells
from compat.commands.places import RUNS, home_for_builds
from compat.commands.subjects import chosen_subjects
from compat.errors import UsageError
from compat.findings.expectations import load_expectations
from compat.probes.names import check_selection, with_needs
from compat.report.timing import print_timing
from compat.running.host import compiler, default_device, default_jobs
from compat.running.limits import DEFAULT_MEMORY_GB, DEFAULT_TIMEOUT_S
from compat.running.pipeline import probe_builds
from compat.running.progress import LiveProgress
from compat.running.settings import Settings
from compat.runs.model import FULL
from compat.runs.store import RunFolder


def probe(parsed: argparse.Namespace) -> int:
    probe_as_parsed(parsed)
    return 0


def probe_as_parsed(parsed: argparse.Namespace) -> RunFolder:
    """Probe what the command line says; the folder with what was seen."""
    check_selection(parsed.probes)
    compiler()
    wanted = wanted_cells(parsed) if parsed.cells is not None else None
    device = wanted.device if wanted else parsed.device or default_device()
    resolutions = resolved(parsed, device)
    if wanted:
        resolutions = wanted.among(resolutions)
    return probe_all(
        resolutions,
        Settings(
            device=device,
            probes=wanted.checks if wanted else with_needs(parsed.probes),
            cells=wanted.cells if wanted else (),
            depth=FULL if wanted else parsed.depth,
            jobs=parsed.jobs or default_jobs(device),
            timeout_s=parsed.timeout,
            memory_gb=parsed.memory,
            fresh=parsed.fresh,
            home=home_for_builds(),
            subjects=chosen_subjects(parsed.subject),
            foreseen=load_expectations().foresees,
        ),
        RUNS.absolute(),
    )


def probe_all(resolutions: Sequence[Resolution], settings: Settings, runs: Path) -> RunFolder:
    """Probe builds, leave what was seen in a folder below ``runs``, and say where time went."""
    console = Console()
    with LiveProgress(console) as progress:
        folder = probe_builds(resolutions, settings, runs, progress)
    print_timing(folder, console)
    return folder


def bench(parsed: argparse.Namespace) -> int:
    # Here, so that a machine that only probes needs nothing of what makes reports.
    from compat.bench.compare import PROBES, compare, comparison_text
    from compat.bench.side_by_side import side_by_side, side_by_side_text

    check_selection(parsed.probes)
    compiler()
    device = parsed.device or default_device()
    resolutions = resolved(parsed, device)
    if len(resolutions) != 1:
        raise UsageError(f"--builds: expected one build to compare on, not {len(resolutions)}")
    settings = Settings(
        device=device,
        probes=parsed.probes or PROBES,
        depth=FULL,
        jobs=default_jobs(device),
        timeout_s=DEFAULT_TIMEOUT_S,
        memory_gb=DEFAULT_MEMORY_GB,
        fresh=True,
        home=home_for_builds(),
    )
    console = Console()
    with LiveProgress(console) as progress:
        if parsed.side_by_side:
            said = side_by_side_text(side_by_side(resolutions[0], settings, progress))
        else:
            said = comparison_text(compare(resolutions[0], settings, progress))
    console.print(said, markup=False, highlight=False, soft_wrap=True)
    return 0

"""``compat plan``, ``compat job`` and ``compat remember``: the matrix on many machines."""

from __future__ import annotations

import argparse
import os

from compat.commands.builds import resolved
from compat.commands.github import GPU_RUNNER, OUTPUT, VARIABLES, append
from compat.commands.places import HOME, PLAN, PUBLISHED_RUNS, RUNS
from compat.commands.probe import probe_all
from compat.errors import UsageError
from compat.host import compiler, default_jobs
from compat.plan import SEEN, github_outputs, load_job, make_plan
from compat.probes.names import DEPTHS
from compat.runs.memory import collect, prune, publish
from compat.runs.store import RunFolder
from compat.settings import DEFAULT_MEMORY_GB, DEFAULT_TIMEOUT_S, Settings


def plan(parsed: argparse.Namespace) -> int:
    if parsed.github:
        _read_plan_variables(parsed)
    gpu_runner = os.environ.get(GPU_RUNNER, "")
    jobs = make_plan(
        {
            device: resolved(parsed, device) if device == "cpu" or gpu_runner else []
            for device in ([parsed.device] if parsed.device else ["cpu", "cuda"])
        },
        parsed.depth,
        gpu_runner,
        RunFolder.all(PUBLISHED_RUNS, RUNS),
        PLAN,
    )
    for each in jobs:
        print(f"{each.id} on {each.runner}, {each.minutes} min at most")
    if parsed.github:
        append(OUTPUT, github_outputs(jobs))
    return 0


def _read_plan_variables(parsed: argparse.Namespace) -> None:
    builds, device, depth = (os.environ.get(name, "") for name in VARIABLES)
    if device not in {"", "both", "cpu", "cuda"}:
        raise UsageError(f"{VARIABLES[1]}: expected cpu, cuda or both, not {device!r}")
    if depth not in {"", *DEPTHS}:
        raise UsageError(f"{VARIABLES[2]}: expected {' or '.join(DEPTHS)}, not {depth!r}")
    parsed.builds = builds.split() or parsed.builds
    if device in {"cpu", "cuda"}:
        parsed.device = device
    parsed.depth = depth or parsed.depth


def job(parsed: argparse.Namespace) -> int:
    planned = load_job(PLAN, parsed.job)
    compiler()
    return probe_all(
        [planned.build],
        Settings(
            device=planned.device,
            probes=(),
            depth=planned.depth,
            jobs=default_jobs(planned.device),
            timeout_s=DEFAULT_TIMEOUT_S,
            memory_gb=DEFAULT_MEMORY_GB,
            fresh=False,
            home=HOME.absolute(),
        ),
        PLAN.absolute() / SEEN,
    )


def remember(parsed: argparse.Namespace) -> int:
    collect(PLAN / SEEN, RUNS)
    prune(RUNS)
    prune(PUBLISHED_RUNS)
    publish(RunFolder.all(PUBLISHED_RUNS, RUNS), PUBLISHED_RUNS)
    return 0

"""``compat plan``, ``compat job`` and ``compat remember``: the matrix on many machines."""

from __future__ import annotations

import argparse
import os

from compat.commands.builds import resolved
from compat.commands.places import HOME, PLAN, PUBLISHED_PLAN, PUBLISHED_RUNS, RUNS
from compat.commands.probe import probe_all
from compat.nightly.actions import GPU_RUNNER, OUTPUT, append, chosen, why_unpublished
from compat.nightly.plan import SEEN, github_outputs, load_job, make_plan
from compat.running.host import compiler, default_jobs
from compat.running.settings import DEFAULT_MEMORY_GB, DEFAULT_TIMEOUT_S, Settings
from compat.runs.retention import collect, prune, publish
from compat.runs.store import RunFolder


def plan(parsed: argparse.Namespace) -> int:
    if parsed.github:
        said = chosen(os.environ)
        parsed.builds = said.builds or parsed.builds
        parsed.device = said.device or parsed.device
        parsed.depth = said.depth or parsed.depth
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
        unpublished = why_unpublished(os.environ)
        print(f"not published: {unpublished}" if unpublished else "published")
        append(OUTPUT, github_outputs(jobs, not unpublished))
    return 0


def job(parsed: argparse.Namespace) -> int:
    planned = load_job(PLAN, parsed.job)
    compiler()
    # Where the cache is gone, what was published is known all the same.
    collect(PUBLISHED_RUNS, RUNS)
    probe_all(
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
    return 0


def remember(parsed: argparse.Namespace) -> int:
    collect(PLAN / SEEN, RUNS)
    prune(RUNS)
    prune(PUBLISHED_RUNS)
    publish(RunFolder.all(PUBLISHED_RUNS, RUNS), PUBLISHED_RUNS)
    planned = RunFolder.latest(PLAN)
    if planned is not None:
        PUBLISHED_PLAN.write_text(f"{planned.source.id}\n", encoding="utf-8")
    return 0

"""``compat plan``, ``job``, ``remember`` and ``publish``: the matrix on many machines."""

from __future__ import annotations

import argparse
import os
from datetime import datetime, timezone

from compat.builds.memory import NightlyMemory
from compat.commands.builds import resolved
from compat.commands.places import (
    HANDED_OVER,
    NIGHTLIES,
    PLAN,
    PLANNED_NIGHTLIES,
    PUBLISHED_NIGHTLIES,
    PUBLISHED_PLAN,
    PUBLISHED_RUNS,
    REPORTS,
    RUNS,
    home_for_builds,
    remembered_nightlies,
    writing_reports,
)
from compat.commands.probe import probe_all
from compat.commands.subjects import scheduled_subjects
from compat.findings.expectations import load_expectations
from compat.nightly import publish as publishing
from compat.nightly.actions import GPU_RUNNER, OUTPUT, append, chosen, why_unpublished
from compat.nightly.handover import digest_of
from compat.nightly.plan import (
    SEEN,
    check_plan,
    github_outputs,
    load_job,
    make_plan,
    plan_folder,
    received_from_jobs,
)
from compat.nightly.received import sent_by
from compat.running.host import compiler, default_jobs
from compat.running.limits import DEFAULT_MEMORY_GB, DEFAULT_TIMEOUT_S
from compat.running.settings import Settings
from compat.runs.durable import write_text
from compat.runs.model import hashes_of
from compat.runs.retention import collect, keep_newest, prune
from compat.runs.store import RunFolder, merge


def plan(parsed: argparse.Namespace) -> int:
    if parsed.github:
        said = chosen(os.environ)
        parsed.builds = said.builds or parsed.builds
        parsed.subject = said.subjects or parsed.subject
        parsed.device = said.device or parsed.device
        parsed.depth = said.depth or parsed.depth
    gpu_runner = os.environ.get(GPU_RUNNER, "")
    jobs = make_plan(
        {
            device: resolved(parsed, device) if device == "cpu" or gpu_runner else []
            for device in ([parsed.device] if parsed.device else ["cpu", "cuda"])
        },
        scheduled_subjects(parsed.subject),
        parsed.depth,
        gpu_runner,
        RunFolder.all(PUBLISHED_RUNS, RUNS),
        PLAN,
    )
    # Part of the plan, whose digest nobody else can give: the report keeps what was listed here.
    NightlyMemory(PLANNED_NIGHTLIES).add(remembered_nightlies().all())
    for each in jobs:
        print(f"{each.id} on {each.runner}, {each.minutes} min at most")
    if parsed.github:
        unpublished = why_unpublished(os.environ)
        print(f"not published: {unpublished}" if unpublished else "published")
        append(OUTPUT, github_outputs(PLAN, jobs, not unpublished))
    return 0


def job(parsed: argparse.Namespace) -> int:
    check_plan(PLAN, os.environ)
    planned = load_job(PLAN, parsed.job)
    compiler()
    # Where the cache is gone, what was published is known all the same.
    collect(RunFolder.all(PUBLISHED_RUNS), RUNS)
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
            home=home_for_builds(),
            subjects=planned.subjects,
            foreseen=load_expectations().foresees,
        ),
        PLAN.absolute() / SEEN / sent_by(planned.id),
    )
    return 0


def remember(parsed: argparse.Namespace) -> int:
    with writing_reports():
        if RunFolder.latest(PLAN) is not None:
            check_plan(PLAN, os.environ)
            received = received_from_jobs(PLAN, RunFolder.all(PUBLISHED_RUNS, RUNS))
            collect(received.folders, RUNS)
            write_text(PUBLISHED_PLAN, f"{plan_folder(PLAN).source.id}\n")
        prune(RUNS)
        prune(PUBLISHED_RUNS)
        keep_newest(RunFolder.all(PUBLISHED_RUNS, RUNS), PUBLISHED_RUNS)
        published = NightlyMemory(PUBLISHED_NIGHTLIES, NIGHTLIES, PLANNED_NIGHTLIES)
        if known := published.all():
            published.add(known)
            published.learn(hashes_of(merge(RunFolder.all(PUBLISHED_RUNS))))
        if parsed.github:
            append(OUTPUT, f"reports={digest_of(REPORTS)}\n")
    return 0


def publish(parsed: argparse.Namespace) -> int:
    with writing_reports():
        print(publishing.publish(HANDED_OVER, REPORTS, os.environ, datetime.now(timezone.utc)))
    return 0

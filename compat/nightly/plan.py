"""What runs where: one job for each build and device of which not all is known.

A plan is a run, too: it holds every planned build, as known, as not to be had, or as not run yet.
What is accepted from the jobs is merged over it, so that a job that leaves nothing is a build that
was not run.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from packaging.version import Version

from compat.builds.environment import InstallError
from compat.builds.index import IndexedWheel
from compat.builds.resolve import Resolution
from compat.builds.spec import parse_spec
from compat.errors import UsageError
from compat.nightly.handover import PLAN_DIGEST, check_digest, digest_of
from compat.nightly.received import Received, Task, receive, sources_in
from compat.probes.sources import plan_source, probe_sources, subject_source
from compat.running.host import describe_harness, describe_host
from compat.running.pipeline import described
from compat.runs.contents import End, Key
from compat.runs.decode import DamagedError, read_json
from compat.runs.ids import DEVICES, BuildId
from compat.runs.model import DEFAULT, DEPTHS, FULL, Build, Device, Run, Status, to_json
from compat.runs.reuse import look_up_wheel
from compat.runs.store import RunFolder, merge, write_json
from compat.subjects.files import listed
from compat.subjects.spec import BUILTIN_ALONE, Kind, SubjectSpec, parse_subject

CPU_RUNNER = "ubuntu-24.04"
# Several times what a build takes on two cores.
MINUTES = {DEFAULT: 60, FULL: 150}

NO_RUNNER = "no GPU runner configured"
NOTHING_LEFT = "its job left nothing: it got no runner, or the runner was lost"

# Where the jobs leave their runs, below the plan's own folder, and which of these are accepted.
SEEN = "seen"
ACCEPTED = "accepted"

_JOBS = "jobs.json"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One build to be probed on one device.

    Attributes:
        runner: The label of the machines that may take it.
        minutes: What it may take.
        cache: What its leavings go by: another try of the very same job goes on with them.
        subjects: Whose interfaces are run.
    """

    build: Resolution
    device: str
    depth: str
    runner: str
    minutes: int
    cache: str
    subjects: tuple[SubjectSpec, ...]

    @property
    def id(self) -> BuildId:
        return self.build.id(self.device)


def make_plan(
    builds: Mapping[str, Sequence[Resolution]],
    subjects: Sequence[SubjectSpec],
    depth: str,
    gpu_runner: str,
    earlier: Sequence[RunFolder],
    home: Path,
) -> list[Job]:
    """Plan ``builds``, by device, and leave the plan below ``home`` in the place of any other.

    Args:
        builds: What specs resolved to, by device.
        subjects: Whose interfaces are run in each.
        depth: ``default`` or ``full``.
        gpu_runner: The label of machines with a GPU; empty if there are none.
        earlier: Runs whose cells need not be seen again, oldest first.
        home: Where the plan is kept.

    Raises:
        UsageError: A build is an interpreter on this machine.
    """
    shutil.rmtree(home, ignore_errors=True)
    folder = RunFolder.create(home, describe_harness(), describe_host())
    runners = {"cpu": CPU_RUNNER, "cuda": gpu_runner}
    # The environment is the one that each wheel was seen in.
    key = Key(environment="", plan=plan_source(), probes=probe_sources(), depth=depth, select=())
    keys = {spec.id(): replace(key, subject=_source(spec)) for spec in subjects}
    jobs = []
    for device, resolutions in builds.items():
        if not runners[device]:
            _leave_out(folder, _all_builds(device), NO_RUNNER)
            continue
        for resolution in resolutions:
            if resolution.python is not None:
                raise UsageError(
                    f"{resolution.specs[0]}: expected a build that any machine can install"
                )
            build = described(resolution, device)
            if resolution.problem:
                _leave_out(folder, build, resolution.problem)
            elif _may_be_another(resolution) or not _is_known(folder, build, earlier, keys):
                _leave_out(folder, build, NOTHING_LEFT)
                jobs.append(
                    Job(
                        build=resolution,
                        device=device,
                        depth=depth,
                        runner=runners[device],
                        minutes=MINUTES[depth],
                        cache=_cache(build, keys),
                        subjects=tuple(subjects),
                    )
                )
    write_json(home / _JOBS, [_to_json(job) for job in jobs])
    return jobs


def load_job(home: Path, name: str) -> Job:
    """The job called ``name`` of the plan below ``home``.

    Raises:
        UsageError: There is no plan, or no such job in it.
    """
    jobs: dict[str, Job] = {job.id: job for job in _load_jobs(home)}
    if name not in jobs:
        raise UsageError(f"no job {name!r} in the plan; there are {', '.join(jobs) or 'none'}")
    return jobs[name]


def _load_jobs(home: Path) -> list[Job]:
    path = home / _JOBS
    if not path.exists():
        raise UsageError(f"no plan below {home}: run compat plan first")
    return [_from_json(path, written) for written in read_json(path, list[_Written])]


def check_plan(home: Path, variables: Mapping[str, str]) -> None:
    """Hold the plan below ``home`` to the digest that the job that planned gave.

    Raises:
        RefusedError: It is another one.
    """
    check_digest(home, variables, PLAN_DIGEST, but=(SEEN, ACCEPTED))


def plan_folder(home: Path) -> RunFolder:
    """The plan below ``home`` as a run.

    Raises:
        UsageError: There is no plan.
    """
    plan = RunFolder.latest(home)
    if plan is None:
        raise UsageError(f"no plan below {home}: run compat plan first")
    return plan


def received_from_jobs(home: Path, earlier: Iterable[RunFolder]) -> Received:
    """What the jobs of the plan below ``home`` left, as far as it is accepted.

    Args:
        home: Where the plan is kept.
        earlier: Runs from which a job may have taken cells over.

    Raises:
        UsageError: There is no plan.
    """
    plan = plan_folder(home)
    known = sources_in(earlier)
    tasks = []
    for job in _load_jobs(home):
        build = described(job.build, job.device)
        streams = {
            plan.stream(build.id, spec.id()).path.name: None if spec == BUILTIN_ALONE else spec
            for spec in job.subjects
        }
        tasks.append(Task(job=job.id, build=build, streams=streams, plan=plan.source, known=known))
    return receive(home / SEEN, tasks, home / ACCEPTED, datetime.now(timezone.utc))


def planned_run(home: Path, accepted: Iterable[RunFolder]) -> Run:
    """The plan below ``home`` and what was accepted from its jobs, as one run.

    The plan is one of its sources also where it saw nothing: a night in which all was known has
    been all the same.

    Raises:
        UsageError: There is no plan.
    """
    plan = plan_folder(home)
    run = merge([plan, *accepted])
    sources = {source.id: source for source in (*run.sources, plan.source)}
    return replace(run, sources=tuple(sources[each] for each in sorted(sources)))


def github_outputs(home: Path, jobs: Sequence[Job], published: bool) -> str:
    """The plan below ``home`` as outputs of a workflow's step.

    ``commit`` is what its jobs are to check out: that which made the plan. ``plan`` is its digest.
    """
    names = ("id", "runner", "minutes", "cache")
    rows = [{name: getattr(job, name) for name in names} for job in jobs]
    commit = describe_harness().commit.rstrip("+")
    digest = digest_of(home, but=(SEEN, ACCEPTED))
    return (
        f"jobs={json.dumps(rows)}\ncommit={commit}\nplan={digest}\n"
        f"published={json.dumps(published)}\n"
    )


def _source(spec: SubjectSpec) -> str:
    """A digest of a subject, as :class:`compat.runs.contents.Key` has it."""
    if spec == BUILTIN_ALONE:
        return ""
    files = ""
    # Without an index nothing is known of it.
    with suppress(InstallError):
        files = listed(spec).sha256 if spec.kind is Kind.EXACT else ""
    return subject_source(spec.name, files)


def _cache(build: Build, keys: Mapping[str, Key]) -> str:
    """A name for what a job leaves, the same for as long as it has the same to do."""
    written = {subject: to_json(key) for subject, key in keys.items()}
    inputs = json.dumps([to_json(build), written], sort_keys=True)
    return f"compat-job-{hashlib.sha256(inputs.encode()).hexdigest()[:16]}"


def _may_be_another(resolution: Resolution) -> bool:
    return resolution.wheel is not None and resolution.wheel.may_be_replaced


def _is_known(
    folder: RunFolder, build: Build, earlier: Sequence[RunFolder], keys: Mapping[str, Key]
) -> bool:
    """Whether all of a build is known, of every subject; if so, that is left in the plan."""
    found = {subject: look_up_wheel(earlier, build, key, subject) for subject, key in keys.items()}
    if not all(known.complete for _, known in found.values()):
        return False
    for subject, (seen, known) in found.items():
        stream = folder.stream(seen.id, subject)
        stream.append("build", to_json(seen))
        if known.subject is not None:
            stream.append("subject", to_json(known.subject))
        known.write(stream)
        stream.append("end", to_json(End(status=Status.OK, reason="")))
    return True


def _leave_out(folder: RunFolder, build: Build, reason: str) -> None:
    stream = folder.stream(build.id)
    stream.append("build", to_json(build))
    stream.append("end", to_json(End(status=Status.UNAVAILABLE, reason=reason)))


def _all_builds(device: str) -> Build:
    """Stands for every build on a device that nothing runs on."""
    name = "all-builds"
    return Build(
        id=BuildId.of(name, device),
        aliases=(name,),
        requested=name,
        channel="",
        device=Device(kind=device),
    )


@dataclass(frozen=True, kw_only=True)
class _Wheel:
    """An :class:`IndexedWheel` as it stands in ``jobs.json``."""

    version: str
    channel: str
    filename: str
    url: str
    sha256: str
    index: str | None
    python: str
    seen_sha256: str = ""
    is_listed: bool = True


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A job as it stands in ``jobs.json``."""

    specs: tuple[str, ...]
    wheel: _Wheel
    note: str
    device: str
    depth: str
    runner: str
    minutes: int
    cache: str
    subjects: tuple[str, ...]


def _to_json(job: Job) -> dict[str, Any]:
    wheel = job.build.wheel
    return {
        "specs": [str(spec) for spec in job.build.specs],
        "wheel": wheel and {**asdict(wheel), "version": str(wheel.version)},
        "note": job.build.note,
        "device": job.device,
        "depth": job.depth,
        "runner": job.runner,
        "minutes": job.minutes,
        "cache": job.cache,
        "subjects": [str(spec) for spec in job.subjects],
    }


def _from_json(path: Path, written: _Written) -> Job:
    wheel = written.wheel
    try:
        version = Version(wheel.version)
    except ValueError:
        raise DamagedError(f"{path}: expected a version, not {wheel.version[:40]!r}") from None
    if written.device not in DEVICES or written.depth not in DEPTHS:
        raise DamagedError(f"{path}: expected a device and a depth that are known")
    return Job(
        build=Resolution(
            specs=tuple(map(parse_spec, written.specs)),
            wheel=IndexedWheel(**{**vars(wheel), "version": version}),
            note=written.note,
        ),
        device=written.device,
        depth=written.depth,
        runner=written.runner,
        minutes=written.minutes,
        cache=written.cache,
        subjects=tuple(map(parse_subject, written.subjects)),
    )

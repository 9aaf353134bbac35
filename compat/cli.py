"""The command ``compat``: list builds, probe them, report."""

from __future__ import annotations

import argparse
import errno
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.markup import escape
from rich.table import Table

import compat
from compat.bench import PROBES, compare, comparison_text
from compat.bisect import Laboratory, bisect, bisection_text
from compat.builds.config import DEFAULT_FILE, load_builds
from compat.builds.index import OWN_PYTHON, IndexedWheel, Indexes, IndexUnavailableError
from compat.builds.resolve import Resolution, between, resolve
from compat.builds.spec import EXPECTED, parse_spec
from compat.errors import UsageError
from compat.findings.derive import derive
from compat.findings.model import Findings
from compat.host import compiler, default_device, default_jobs
from compat.plan import SEEN, github_outputs, load_job, make_plan, planned_runs
from compat.probes.names import DEFAULT, DEPTHS, FULL, check_selection, probes, with_needs
from compat.progress import LiveProgress
from compat.report.markdown import render
from compat.report.summary import print_summary
from compat.report.timing import print_timing
from compat.runner import probe_builds
from compat.runs.memory import KEPT_DAYS, collect, prune, publish
from compat.runs.model import Status, to_json
from compat.runs.store import RunFolder, merge, save, write_json
from compat.settings import DEFAULT_MEMORY_GB, DEFAULT_TIMEOUT_S, Settings

HOME = Path(".compat")
RUNS = HOME / "runs"
PLAN = HOME / "plan"
REPORTS = Path("reports")
PUBLISHED_RUNS = REPORTS / "data" / "runs"

# What a workflow sets, and the files that GitHub gives a step to write into.
PLAN_VARIABLES = ("COMPAT_BUILDS", "COMPAT_DEVICE", "COMPAT_DEPTH")
GPU_RUNNER = "COMPAT_GPU_RUNNER"
GITHUB_OUTPUT = "GITHUB_OUTPUT"
GITHUB_SUMMARY = "GITHUB_STEP_SUMMARY"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0: nothing unexpected, 1: something unexpected was seen, 2: bad usage."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    try:
        status: int = parsed.command(parsed)
    except UsageError as error:
        print(f"compat: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        print(
            f"compat: {error.filename or 'the disk'}: no space left on device; what was seen so "
            f"far is kept, make room and run the command again",
            file=sys.stderr,
        )
        return 1
    return status


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"compat: {message}", file=sys.stderr)
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(prog="compat", description=compat.__doc__)
    parser.add_argument("--version", action="version", version=compat.__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    selection = _OneLineParser(add_help=False)
    selection.add_argument("--builds", nargs="+", metavar="SPEC", help=EXPECTED)
    selection.add_argument(
        "--builds-file", type=Path, default=DEFAULT_FILE, help="default: the project's builds.toml"
    )
    selection.add_argument(
        "--device",
        choices=["cpu", "cuda"],
        help="default: cuda where there is an NVIDIA GPU, else cpu",
    )

    selection.add_argument(
        "--python",
        nargs="+",
        type=_python,
        default=[OWN_PYTHON],
        metavar="VERSION",
        help=f"the Pythons to run each build under, such as 3.10; default: {OWN_PYTHON}",
    )

    builds = commands.add_parser(
        "builds", parents=[selection], help="list what the specs resolve to; installs nothing"
    )
    builds.add_argument("--json", action="store_true", help="for machines")
    builds.set_defaults(command=_builds)

    listing = commands.add_parser("probes", help="list what is asked of each build")
    listing.set_defaults(command=_probes)

    probe = commands.add_parser(
        "probe", parents=[selection], help="install builds and run the probes in each"
    )
    probe.add_argument(
        "--probes",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="only probes whose id has this in it",
    )
    probe.add_argument(
        "--depth", choices=DEPTHS, default=DEFAULT, help="full: also what is slow or rarely asked"
    )
    probe.add_argument(
        "--jobs",
        type=_positive,
        metavar="N",
        help="probes side by side; default: the number of cores, and 1 on a GPU",
    )
    probe.add_argument(
        "--timeout",
        type=_positive,
        default=DEFAULT_TIMEOUT_S,
        metavar="SECONDS",
        help=f"what a probe may take, or the import of torch; default: {DEFAULT_TIMEOUT_S}",
    )
    probe.add_argument(
        "--memory",
        type=_positive,
        default=DEFAULT_MEMORY_GB,
        metavar="GB",
        help=f"what a probe may use, with all its processes; default: {DEFAULT_MEMORY_GB}",
    )
    probe.add_argument(
        "--fresh", action="store_true", help="see everything again, also what earlier runs saw"
    )
    probe.set_defaults(command=_probe)

    plan = commands.add_parser(
        "plan",
        parents=[selection],
        help="say which builds are to be probed where, on both devices unless one is named; builds "
        "of which all is known are left out",
    )
    plan.add_argument("--depth", choices=DEPTHS, default=DEFAULT)
    plan.add_argument(
        "--github",
        action="store_true",
        help=f"take {', '.join(PLAN_VARIABLES)} from the environment, where they are set, and "
        f"leave the jobs as outputs of a workflow's step",
    )
    plan.set_defaults(command=_plan)

    job = commands.add_parser("job", help="probe what a job of the plan says")
    job.add_argument("job", metavar="JOB", help="such as 2.15.0-cpu")
    job.set_defaults(command=_job)

    bench = commands.add_parser(
        "bench", parents=[selection], help="compare this runner with a process for each probe"
    )
    bench.add_argument("--probes", nargs="+", default=PROBES, metavar="TEXT")
    bench.set_defaults(command=_bench)

    report = commands.add_parser("report", help="make the tables from what was seen")
    report.add_argument(
        "runs",
        nargs="*",
        type=Path,
        metavar="RUN",
        help="run folders to merge; default: the newest",
    )
    report.add_argument(
        "--planned", action="store_true", help="merge the plan and all that was seen since"
    )
    report.add_argument(
        "--github", action="store_true", help="leave it as the summary of a workflow's step, too"
    )
    report.set_defaults(command=_report)

    bisection = commands.add_parser(
        "bisect", help="find the build from which on a check answers otherwise"
    )
    bisection.add_argument(
        "--probe", required=True, metavar="ID", help="one check: donation.copies[donated]"
    )
    bisection.add_argument("--good", required=True, metavar="SPEC", help="the older build")
    bisection.add_argument("--bad", required=True, metavar="SPEC", help="the newer build")
    bisection.add_argument("--builds-file", type=Path, default=DEFAULT_FILE)
    bisection.add_argument("--device", choices=["cpu", "cuda"])
    bisection.set_defaults(command=_bisect)

    remember = commands.add_parser(
        "remember",
        help=f"forget runs of more than {KEPT_DAYS} days ago and put the newest of each build "
        f"where a fresh clone finds it, {PUBLISHED_RUNS}",
    )
    remember.set_defaults(command=_remember)
    return parser


def _python(text: str) -> str:
    if not re.fullmatch(r"3\.\d+", text):
        raise argparse.ArgumentTypeError(f"expected a version such as 3.10, not {text!r}")
    return text


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, not {text!r}")
    return int(text)


def _resolved(parsed: argparse.Namespace, device: str) -> list[Resolution]:
    file = load_builds(parsed.builds_file)
    specs = [parse_spec(text) for text in parsed.builds] if parsed.builds else file.specs
    found = [
        resolution
        for python in dict.fromkeys(parsed.python)
        for resolution in resolve(
            specs, Indexes(file.pytorch_index, file.timeout_s, python), device
        )
    ]
    # An interpreter that is there already, or a build that is not, is one whatever the Python.
    return list({resolution.id: resolution for resolution in found}.values())


def _builds(parsed: argparse.Namespace) -> int:
    resolutions = _resolved(parsed, parsed.device or default_device())
    if parsed.json:
        print(json.dumps([_resolution_json(each) for each in resolutions], indent=1))
        return 0
    table = Table()
    for header in ("build", "asked for as", "from", "wheel or interpreter", "note"):
        # Folded where it is too long: a wheel's name is there to be copied.
        table.add_column(header, overflow="fold")
    for each in resolutions:
        where = each.wheel.filename if each.wheel else str(each.python or "")
        note = each.problem or each.note
        names = ", ".join(map(str, each.specs))
        table.add_row(*map(escape, (each.id, names, each.channel, where, note)))
    Console().print(table)
    return 0


def _resolution_json(resolution: Resolution) -> dict[str, Any]:
    wheel = resolution.wheel
    return {
        "id": resolution.id,
        "specs": [str(spec) for spec in resolution.specs],
        "channel": wheel.channel if wheel else None,
        "version": str(wheel.version) if wheel else None,
        "filename": wheel.filename if wheel else None,
        "sha256": wheel.sha256 if wheel else None,
        "python": str(resolution.python) if resolution.python else None,
        "note": resolution.note,
        "problem": resolution.problem,
    }


def _probes(parsed: argparse.Namespace) -> int:
    table = Table()
    for header in ("probe", "depth", "what it asks"):
        table.add_column(header, overflow="fold")
    for each in probes():
        table.add_row(*map(escape, (each.name, each.depth, each.question)))
    Console().print(table)
    return 0


def _probe(parsed: argparse.Namespace) -> int:
    check_selection(parsed.probes)
    compiler()
    device = parsed.device or default_device()
    return _probe_all(
        _resolved(parsed, device),
        Settings(
            device=device,
            probes=with_needs(parsed.probes),
            depth=parsed.depth,
            jobs=parsed.jobs or default_jobs(device),
            timeout_s=parsed.timeout,
            memory_gb=parsed.memory,
            fresh=parsed.fresh,
            home=HOME.absolute(),
        ),
        RUNS.absolute(),
    )


def _probe_all(resolutions: Sequence[Resolution], settings: Settings, runs: Path) -> int:
    console = Console()
    with LiveProgress(console) as progress:
        folder = probe_builds(resolutions, settings, runs, progress)
    print_timing(folder, console)
    return 0


def _plan(parsed: argparse.Namespace) -> int:
    if parsed.github:
        _read_plan_variables(parsed)
    gpu_runner = os.environ.get(GPU_RUNNER, "")
    jobs = make_plan(
        {
            device: _resolved(parsed, device) if device == "cpu" or gpu_runner else []
            for device in ([parsed.device] if parsed.device else ["cpu", "cuda"])
        },
        parsed.depth,
        gpu_runner,
        RunFolder.all(PUBLISHED_RUNS, RUNS),
        PLAN,
    )
    for job in jobs:
        print(f"{job.id} on {job.runner}, {job.minutes} min at most")
    if parsed.github:
        _append(GITHUB_OUTPUT, github_outputs(jobs))
    return 0


def _read_plan_variables(parsed: argparse.Namespace) -> None:
    builds, device, depth = (os.environ.get(name, "") for name in PLAN_VARIABLES)
    if device not in {"", "both", "cpu", "cuda"}:
        raise UsageError(f"{PLAN_VARIABLES[1]}: expected cpu, cuda or both, not {device!r}")
    if depth not in {"", *DEPTHS}:
        raise UsageError(f"{PLAN_VARIABLES[2]}: expected {' or '.join(DEPTHS)}, not {depth!r}")
    parsed.builds = builds.split() or parsed.builds
    if device in {"cpu", "cuda"}:
        parsed.device = device
    parsed.depth = depth or parsed.depth


def _append(variable: str, text: str) -> None:
    """Add ``text`` to the file that GitHub names in an environment variable."""
    if variable not in os.environ:
        raise UsageError(f"--github: expected a file named by {variable}")
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        file.write(text)


def _job(parsed: argparse.Namespace) -> int:
    job = load_job(PLAN, parsed.job)
    compiler()
    return _probe_all(
        [job.build],
        Settings(
            device=job.device,
            probes=(),
            depth=job.depth,
            jobs=default_jobs(job.device),
            timeout_s=DEFAULT_TIMEOUT_S,
            memory_gb=DEFAULT_MEMORY_GB,
            fresh=False,
            home=HOME.absolute(),
        ),
        PLAN.absolute() / SEEN,
    )


def _bisect(parsed: argparse.Namespace) -> int:
    compiler()
    device = parsed.device or default_device()
    file = load_builds(parsed.builds_file)
    indexes = Indexes(file.pytorch_index, file.timeout_s)
    good, bad = (_one_wheel(spec, indexes, device) for spec in (parsed.good, parsed.bad))
    if not good.version < bad.version:
        raise UsageError(f"--good {good.version}: expected an older build than --bad {bad.version}")
    try:
        wheels = between(good, bad, indexes, device)
    except IndexUnavailableError as error:
        raise UsageError(f"the index that lists the builds is not reachable: {error}") from None
    settings = Settings(
        device=device,
        probes=(),
        depth=FULL,
        jobs=default_jobs(device),
        timeout_s=DEFAULT_TIMEOUT_S,
        memory_gb=DEFAULT_MEMORY_GB,
        fresh=True,
        home=HOME.absolute() / "bisect",
    )
    with LiveProgress(Console()) as progress:
        laboratory = Laboratory(parsed.probe, settings, progress)
        try:
            found = bisect(wheels, laboratory)
        finally:
            laboratory.close()
    text = bisection_text(found, parsed.probe, device)
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "bisect.md").write_text(text, encoding="utf-8")
    print(f"\n{text}")
    return 0 if found.certain else 1


def _one_wheel(spec: str, indexes: Indexes, device: str) -> IndexedWheel:
    (found,) = resolve([parse_spec(spec)], indexes, device)
    if found.wheel is None:
        raise UsageError(f"{spec}: {found.problem or 'expected a build that an index lists'}")
    return found.wheel


def _remember(parsed: argparse.Namespace) -> int:
    collect(PLAN / SEEN, RUNS)
    prune(RUNS)
    prune(PUBLISHED_RUNS)
    publish(RunFolder.all(PUBLISHED_RUNS, RUNS), PUBLISHED_RUNS)
    return 0


def _bench(parsed: argparse.Namespace) -> int:
    check_selection(parsed.probes)
    compiler()
    device = parsed.device or default_device()
    resolutions = _resolved(parsed, device)
    if len(resolutions) != 1:
        raise UsageError(f"--builds: expected one build to compare on, not {len(resolutions)}")
    settings = Settings(
        device=device,
        probes=parsed.probes,
        depth=FULL,
        jobs=default_jobs(device),
        timeout_s=DEFAULT_TIMEOUT_S,
        memory_gb=DEFAULT_MEMORY_GB,
        fresh=True,
        home=HOME.absolute(),
    )
    console = Console()
    with LiveProgress(console) as progress:
        comparison = compare(resolutions[0], settings, progress)
    console.print(comparison_text(comparison), markup=False, highlight=False, soft_wrap=True)
    return 0


def _report(parsed: argparse.Namespace) -> int:
    folders = [RunFolder(path) for path in parsed.runs]
    for folder in folders:
        if not (folder.path / "header.json").exists():
            raise UsageError(f"{folder.path}: expected the folder of a run, such as .compat/runs/…")
    if parsed.planned:
        folders += planned_runs(PLAN)
    if not folders:
        latest = RunFolder.latest(RUNS)
        if latest is None:
            raise UsageError(f"no run below {RUNS}: run nox -s matrix first")
        folders = [latest]
    run = merge(folders)
    if not run.cells and all(build.status is Status.OK for build in run.builds):
        raise UsageError("the run has no cells: --probes matched none")
    findings: Findings = derive(run)
    save(run, REPORTS / "latest" / "run.json")
    write_json(REPORTS / "latest" / "findings.json", to_json(findings))
    readme = REPORTS / "README.md"
    readme.write_text(render(run, findings), encoding="utf-8")
    if parsed.github:
        _append(GITHUB_SUMMARY, readme.read_text(encoding="utf-8"))
    print_summary(run, findings, readme, Console())
    return 1 if findings.unexpected else 0

"""The command ``compat``: what it takes, and which module does it."""

from __future__ import annotations

import argparse
import errno
import gc
import io
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from packaging.specifiers import InvalidSpecifier, SpecifierSet

import compat
from compat.builds.config import DEFAULT_FILE
from compat.builds.spec import EXPECTED, OWN_PYTHON
from compat.commands.places import HANDED_OVER, PUBLISHED_RUNS
from compat.document.escape import printed
from compat.errors import FAILED, INTERRUPTED, USAGE, CommandError
from compat.nightly.handover import REPORTS_DIGEST
from compat.running.limits import DEFAULT_MEMORY_GB, DEFAULT_TIMEOUT_S
from compat.runs.ids import BUILTIN
from compat.runs.model import DEFAULT, DEPTHS
from compat.runs.reference import EXPECTED as REFERENCE
from compat.runs.retention import KEPT_DAYS
from compat.runs.versions import versions_named
from compat.subjects.spec import EXPECTED as SUBJECTS

# What is wrong with a folder or a file that a command was to use, and not with the command.
_UNUSABLE = {
    errno.EACCES: "a file or folder that may be read and written",
    errno.EPERM: "a file or folder that may be read and written",
    errno.EROFS: "a folder that can be written",
    errno.ENOTDIR: "a folder",
    errno.EEXIST: "a folder, not a file or a link that leads nowhere",
    errno.EISDIR: "a file, not a folder",
    errno.ELOOP: "no link that leads to itself",
}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    0: nothing unexpected, 1: something unexpected was seen, 2: bad usage, 3: it did not get done;
    130: Ctrl-C.
    """
    # What a command reads it holds to its end: looking for garbage in all of it again and again
    # takes a fifth of the time of a report, and finds next to nothing.
    gc.set_threshold(100_000)
    for stream in (sys.stdout, sys.stderr):
        # What a terminal or a file cannot show is spelt, whatever its encoding.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    except BrokenPipeError:
        # Whoever read has enough: ``compat explain … | head``. Python would say it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("compat: interrupted; what was seen so far is kept", file=sys.stderr)
        return INTERRUPTED
    except Exception:  # noqa: BLE001  (shown whole; else its status would be that of a finding)
        traceback.print_exc()
        return FAILED


def parse(arguments: list[str]) -> argparse.Namespace:
    """What was typed; ``words`` are a command of the user's own, behind ``--``."""
    words: list[str] = []
    if arguments[:1] == ["run"] and "--" in arguments:
        at = arguments.index("--")
        arguments, words = arguments[:at], arguments[at + 1 :]
    parsed = _parser().parse_args(arguments)
    parsed.words = words
    return parsed


def _run(arguments: Sequence[str] | None) -> int:
    parsed = parse(list(sys.argv[1:] if arguments is None else arguments))
    try:
        return _command(parsed.command)(parsed)
    except CommandError as error:
        print(printed(f"compat: {error}"), file=sys.stderr)
        return error.status
    except OSError as error:
        if error.errno in _FULL:
            print(
                f"compat: {error.filename or 'the disk'}: no space left on device; what was seen "
                f"so far is kept, make room and run the command again",
                file=sys.stderr,
            )
            return FAILED
        if error.errno in _UNUSABLE and error.filename is not None:
            print(
                f"compat: {error.filename}: expected {_UNUSABLE[error.errno]}: {error.strerror}",
                file=sys.stderr,
            )
            return USAGE
        raise


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    """A command by its module and function; only now, so that none needs what another one does."""
    module, _, function = name.partition(".")
    command: Callable[[argparse.Namespace], int] = getattr(
        import_module(f"compat.commands.{module}"), function
    )
    return command


# One for each command, which its help ends with; a test takes them all.
EXAMPLES = {
    "builds": "compat builds --builds 2.13 2.13.dev nightly",
    "probes": "compat probes",
    "matrix": "compat matrix --builds 2.11 2.13 --device cpu --probes donation",
    "probe": "compat probe --builds 2.13 --device cpu",
    "run": "compat run --builds 2.15 -- pytest tests/compile",
    "bench": "compat bench --builds 2.13",
    "plan": "compat plan --device cpu",
    "job": "compat job 2.15.0-cpu",
    "bisect": "compat bisect --probe 'donation.copies[donated]' --good ==2.10.0 --bad 2.15",
    "remember": "compat remember",
    "publish": "compat publish",
    "report": "compat report reports/latest/run.json",
    "compare": "compat compare 2.12 2.13",
    "advise": "compat advise --torch '>=2.11,<2.14'",
    "audit": "compat audit compat/interface --torch '>=2.11'",
    "watch": "compat watch",
    "explain": "compat explain 'donation.copies[donated]@2.13'",
    "repro": "compat repro 'corpus.right[rows-interleaved-standalone]@2.11.0-cpu'",
    "issue": "compat issue sync --repository OWNER/NAME --dry-run",
    "issue sync": "compat issue sync --repository OWNER/NAME --dry-run",
    "issue twin": "compat issue twin --repository OWNER/NAME --reports reports",
    "issue comment": "compat issue comment --repository OWNER/NAME --device cpu --file note.md",
}


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(printed(f"compat: {message}"), file=sys.stderr)
        raise SystemExit(USAGE)


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
    builds.set_defaults(command="builds.builds")

    listing = commands.add_parser("probes", help="list what is asked of each build")
    listing.set_defaults(command="builds.probes")

    probing = _OneLineParser(add_help=False, parents=[_limits()])
    probing.add_argument(
        "--subject",
        nargs="+",
        default=[],
        metavar="SPEC",
        help=f"whose compiler interface is run: {SUBJECTS}; default: builtin alone",
    )
    probing.add_argument(
        "--probes",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="only probes whose id has this in it",
    )
    probing.add_argument(
        "--cells",
        type=Path,
        metavar="FILE",
        help="only the cells of this file, one a line, at any depth; --builds, --device and "
        "--subject narrow it. A report leaves what is to be run again in reports/data/rerun.txt",
    )
    probing.add_argument(
        "--depth", choices=DEPTHS, default=DEFAULT, help="full: also what is slow or rarely asked"
    )
    probing.add_argument(
        "--jobs",
        type=_positive,
        metavar="N",
        help="probes side by side; default: the number of cores; on a GPU no more than one "
        "for each 4 GiB of its memory",
    )
    probing.add_argument(
        "--fresh", action="store_true", help="see everything again, also what earlier runs saw"
    )

    matrix = commands.add_parser(
        "matrix", parents=[selection, probing], help="probe builds, then write the report"
    )
    matrix.set_defaults(command="matrix.matrix")

    probe = commands.add_parser(
        "probe",
        parents=[selection, probing],
        help="install builds and run the probes in each, without a report",
    )
    probe.set_defaults(command="probe.probe")

    running = commands.add_parser(
        "run",
        parents=[selection, _limits(), _bringing()],
        usage="compat run --builds SPEC … [options] -- pytest tests/compile",
        help="run a command of your own, a suite of tests or a script, on builds and on the stable "
        "build beside them",
        description="Ends with 1 if something regressed, with 3 if what was seen proves nothing.",
    )
    running.add_argument("--name", default="", help="of the suite; default: the folder's")
    running.add_argument(
        "--junit",
        default="",
        metavar="FILE",
        help="the file that the command leaves; for runners other than pytest",
    )
    running.add_argument(
        "--beside",
        metavar="SUBJECT",
        help="put the files of a subject beside each build, as for its own checks: vllm==0.33.0",
    )
    running.add_argument(
        "--probes", nargs="+", default=[], metavar="TEXT", help="only checks with this in their id"
    )
    running.add_argument(
        "--alone", action="store_true", help="without the stable build beside those named"
    )
    running.add_argument(
        "--expectations", type=Path, metavar="FILE", help="what is known to fail, and why"
    )
    running.add_argument("--fresh", action="store_true", help="see everything again")
    running.add_argument(
        "--github",
        action="store_true",
        help="take the command and what goes with it from COMPAT_COMMAND, _BUILDS, _PACKAGES and "
        "_NAME, and leave the report as the summary of a workflow's step",
    )
    running.set_defaults(command="run.run")

    bench = commands.add_parser(
        "bench", parents=[selection], help="compare this runner with a process for each probe"
    )
    bench.add_argument("--probes", nargs="+", default=[], metavar="TEXT")
    bench.add_argument(
        "--side-by-side",
        action="store_true",
        help="compare probes that run side by side with one at a time, and their answers",
    )
    bench.set_defaults(command="probe.bench")

    _add_nightly_commands(commands, selection)
    _add_reading_commands(commands)
    _add_issue_commands(commands.add_parser("issue", help="keep the tracking issues on GitHub"))
    for name, command in subparsers(parser).items():
        command.epilog = f"Example: {EXAMPLES[name]}"
    return parser


def _limits() -> _OneLineParser:
    limits = _OneLineParser(add_help=False)
    limits.add_argument(
        "--timeout",
        type=_positive,
        default=DEFAULT_TIMEOUT_S,
        metavar="SECONDS",
        help="of processor time that a probe, the import of torch and the like may use; it hangs "
        "when it uses none for as long, and may take twenty times that by the clock on the wall; "
        f"default: {DEFAULT_TIMEOUT_S}",
    )
    limits.add_argument(
        "--memory",
        type=_positive,
        default=DEFAULT_MEMORY_GB,
        metavar="GB",
        help=f"what a probe may use, with all its processes; default: {DEFAULT_MEMORY_GB}",
    )
    return limits


def _bringing() -> _OneLineParser:
    """What is said of a user's own script or suite."""
    bringing = _OneLineParser(add_help=False)
    bringing.add_argument(
        "--with",
        dest="packages",
        action="append",
        default=[],
        metavar="PACKAGE==X",
        help="a package to put beside each build, whose torch stays as it is; may be repeated",
    )
    bringing.add_argument(
        "--requirements",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="likewise a file of them, such as a lock that was exported",
    )
    bringing.add_argument(
        "--signature",
        default="",
        metavar="TEXT",
        help="only failures with this text in them count; others say nothing",
    )
    return bringing


def subparsers(parser: argparse.ArgumentParser, under: str = "") -> dict[str, Any]:
    """All commands below ``parser``, by what is typed for them."""
    found: dict[str, Any] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                found[f"{under}{name}"] = command
                found.update(subparsers(command, f"{under}{name} "))
    return found


def _add_nightly_commands(commands: Any, selection: argparse.ArgumentParser) -> None:
    plan = commands.add_parser(
        "plan",
        parents=[selection],
        help="plan the jobs of a night: which build on which device; builds that are known in "
        "full are left out",
    )
    plan.add_argument("--depth", choices=DEPTHS, default=DEFAULT)
    plan.add_argument(
        "--subject",
        nargs="+",
        default=[],
        metavar="SPEC",
        help=f"{SUBJECTS}; default: the project's subjects.toml",
    )
    plan.add_argument(
        "--github",
        action="store_true",
        help="take what was chosen from COMPAT_BUILDS, _DEVICE, _DEPTH and _SUBJECT, and leave the "
        "jobs, their commit and whether to publish as outputs of a workflow's step",
    )
    plan.set_defaults(command="nightly.plan")

    job = commands.add_parser("job", help="probe what a job of the plan says")
    job.add_argument("job", metavar="JOB", help="such as 2.15.0-cpu")
    job.set_defaults(command="nightly.job")

    bisection = commands.add_parser(
        "bisect",
        parents=[_limits(), _bringing()],
        help="find the first build, or release of a subject, on which a check or a script ends "
        "otherwise",
    )
    bisection.add_argument("--probe", metavar="ID", help="one check: donation.copies[donated]")
    bisection.add_argument(
        "--script",
        type=Path,
        metavar="FILE",
        help="a Python script of your own: exit status 0 is good, 125 says nothing, all else is "
        "bad",
    )
    bisection.add_argument(
        "--good",
        metavar="SPEC",
        help="the older end; of a script it may be left out, and is looked for in the past",
    )
    bisection.add_argument("--bad", required=True, metavar="SPEC", help="the newer end")
    bisection.add_argument(
        "--find-fix",
        action="store_true",
        help="of a script: the build that mended it; --bad is the older end",
    )
    bisection.add_argument(
        "--subject", default=BUILTIN, metavar="SPEC", help=f"whose check: {SUBJECTS}"
    )
    bisection.add_argument(
        "--over",
        choices=["builds", "subject"],
        default="builds",
        metavar="builds|subject",
        help="subject: the ends are releases of --subject, all asked on --build",
    )
    bisection.add_argument("--build", metavar="SPEC", help=f"with --over subject: {EXPECTED}")
    bisection.add_argument("--builds-file", type=Path, default=DEFAULT_FILE)
    bisection.add_argument("--device", choices=["cpu", "cuda"])
    bisection.set_defaults(command="bisect.run")

    remember = commands.add_parser(
        "remember",
        help=f"forget runs of more than {KEPT_DAYS} days ago and put the newest of each build "
        f"where a fresh clone finds it, {PUBLISHED_RUNS}",
    )
    remember.add_argument(
        "--github",
        action="store_true",
        help="leave a digest of the reports as an output of a workflow's step",
    )
    remember.set_defaults(command="nightly.remember")

    publish = commands.add_parser(
        "publish",
        help=f"commit the reports below {HANDED_OVER}, if they are those of the digest in "
        f"{REPORTS_DIGEST}, in the place of those that are here, and push",
    )
    publish.set_defaults(command="nightly.publish")


def _add_reading_commands(commands: Any) -> None:
    report = commands.add_parser("report", help="write the report from runs")
    report.add_argument(
        "runs",
        nargs="*",
        type=Path,
        metavar="RUN",
        help="runs to merge: folders below .compat/runs, or a run.json such as "
        "reports/latest/run.json; default: the newest folder",
    )
    report.add_argument(
        "--planned", action="store_true", help="merge the plan and all that was seen since"
    )
    report.add_argument(
        "--github",
        action="store_true",
        help="leave it as the summary of a workflow's step, too, and that it was made as an output",
    )
    report.set_defaults(command="report.report")

    comparing = commands.add_parser(
        "compare",
        help="list which answers changed between two runs, or between two builds of the latest",
        description="Ends with 1 if an answer is lost or worse and that is not expected.",
    )
    for side in ("old", "new"):
        comparing.add_argument(side, metavar=side.upper(), help=REFERENCE)
    comparing.set_defaults(command="reading.compare")

    advising = commands.add_parser(
        "advise",
        help="for a range of torch: gates and workarounds to delete, what is needed, what breaks",
    )
    advising.add_argument(
        "--torch",
        required=True,
        type=_versions,
        metavar="RANGE",
        help="such as 2.13 or '>=2.11,<2.14'",
    )
    advising.add_argument(
        "--subject", metavar="SPEC", help="only of this one of the latest run: vllm==0.33.0"
    )
    advising.set_defaults(command="reading.advise")

    auditing = commands.add_parser(
        "audit",
        help="list what a source tree uses of torch, and what the latest run knows of it",
        description="Ends with 1 if something in it fails on a build of the range.",
    )
    auditing.add_argument(
        "tree", metavar="PATH|SUBJECT", help="a folder, a file, or such as vllm==0.33.0"
    )
    auditing.add_argument(
        "--torch",
        type=_versions,
        default=SpecifierSet(),
        metavar="RANGE",
        help="such as '>=2.11,<2.14'; default: all builds of the run",
    )
    auditing.add_argument("--json", action="store_true", help="for machines, with every place")
    auditing.add_argument("--sarif", type=Path, metavar="FILE", help="for code scanning, as well")
    auditing.set_defaults(command="audit.audit")

    watching = commands.add_parser(
        "watch",
        help="find again which names, config keys and operators of torch subjects use",
        description="From the source of the builtin subject and of these; the file is committed.",
    )
    watching.add_argument(
        "subjects",
        nargs="*",
        metavar="SUBJECT",
        help="releases such as vllm==0.33.0; default: those that are in the file",
    )
    watching.set_defaults(command="audit.watch")

    explaining = commands.add_parser(
        "explain", help="show all that is known of a check: outcomes, answers, messages, history"
    )
    explaining.add_argument(
        "cell",
        metavar="CELL",
        help="a check or a probe, alone or with @ and a build: donation.copies, "
        "donation.copies[donated]@2.13",
    )
    explaining.set_defaults(command="reading.explain")

    repro = commands.add_parser(
        "repro",
        parents=[_limits()],
        help="write a cell that went wrong as one Python file that needs nothing of this project",
    )
    repro.add_argument("cell", metavar="CELL", help="the id of a cell of the latest run")
    repro.add_argument(
        "--to", type=Path, default=Path(), metavar="FOLDER", help="where it goes; default: here"
    )
    repro.add_argument(
        "--run",
        action="store_true",
        help="run it on that build, and on the newest one where the check passes; ends with 0 only "
        "if it exits with 1 on the one and with 0 on the other",
    )
    repro.set_defaults(command="repro.repro")


def _add_issue_commands(issue: argparse.ArgumentParser) -> None:
    where = _OneLineParser(add_help=False)
    where.add_argument("--repository", type=_repository, required=True, metavar="OWNER/NAME")
    commands = issue.add_subparsers(required=True, metavar="COMMAND")

    syncing = commands.add_parser(
        "sync", parents=[where], help="open, rewrite and close them as the history says"
    )
    syncing.add_argument(
        "--nights",
        type=_positive,
        default=2,
        metavar="N",
        help="in how many nights in a row a failure must be seen; default: 2",
    )
    syncing.add_argument(
        "--today", type=_day, metavar="YYYY-MM-DD", help="default: what the clock says, in UTC"
    )
    syncing.add_argument("--dry-run", action="store_true", help="only say what would be done")
    syncing.set_defaults(command="issue.sync")

    twinning = commands.add_parser(
        "twin", parents=[where], help="open, rewrite and close the issue about a suite of your own"
    )
    twinning.add_argument(
        "--reports", type=Path, required=True, help="the folder that compat run wrote"
    )
    twinning.add_argument("--awaits", type=Path, help="default: awaits.toml")
    twinning.set_defaults(command="issue.twin")

    commenting = commands.add_parser(
        "comment", parents=[where], help="comment on the open tracking issue of a device"
    )
    commenting.add_argument("--device", choices=["cpu", "cuda"], required=True)
    commenting.add_argument("--file", type=Path, required=True, help="the comment, as markdown")
    commenting.set_defaults(command="issue.comment")


def _versions(text: str) -> SpecifierSet:
    try:
        return versions_named(text)
    except InvalidSpecifier:
        raise argparse.ArgumentTypeError(
            f"expected a series such as 2.13, a version, or a range such as '>=2.11,<2.14', "
            f"not {text!r}"
        ) from None


def _python(text: str) -> str:
    if not re.fullmatch(r"3\.\d+", text):
        raise argparse.ArgumentTypeError(f"expected a version such as 3.10, not {text!r}")
    return text


def _repository(text: str) -> str:
    if not re.fullmatch(r"[\w-]+/[\w.-]+", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"expected OWNER/NAME, not {text!r}")
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a day such as 2026-11-22, not {text!r}"
        ) from None


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, not {text!r}")
    return int(text)

"""Takes the reports of a night from another job, looks at each file, and commits them.

The only code that holds a token which may push. What it takes was made in a job without PyTorch,
has the digest that this job gave, and is looked at all the same: only files that reports have, and
in each what belongs there. Programs for people to run are not taken but made anew from the run. Git
reads no configuration of the machine and runs no program of others.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from compat.builds.memory import check as check_nightlies
from compat.errors import CommandError, UsageError
from compat.findings.support import load_support
from compat.nightly.handover import REPORTS_DIGEST, RefusedError, check_digest, plain_files
from compat.report.attached import LARGEST_B, MOST, NAME, cells_by_name, write_repros
from compat.report.places import LATEST_RUN, REPROS
from compat.runs.history import load_history
from compat.runs.ids import CellId
from compat.runs.model import Cell, Run, Source
from compat.runs.store import began_at, load

_PLAN = "data/plan.txt"
_SLACK = timedelta(hours=1)

_OPTIONS = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.attributesFile=/dev/null"),
    *("-c", "core.excludesFile=/dev/null"),
    *("-c", "commit.gpgSign=false"),
    *("-c", "diff.ignoreSubmodules=all"),
    *("-c", "submodule.recurse=false"),
    *("-c", "fetch.recurseSubmodules=false"),
    *("-c", "user.name=github-actions[bot]"),
    *("-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com"),
    # The token is in no command line, and in no file that a later step could read.
    *("-c", "credential.helper="),
    *("-c", 'credential.helper=!echo username=x-access-token; echo "password=$GITHUB_TOKEN"; :'),
)
_TOKEN = "GITHUB_TOKEN"  # noqa: S105  (the name of a variable)


class PublishError(CommandError):
    """The reports were not published; the message says why."""


def publish(handed: Path, reports: Path, variables: Mapping[str, str], now: datetime) -> str:
    """Put the reports in ``handed`` in the place of ``reports``, commit and push; says what it did.

    Raises:
        RefusedError: They are not what the job that reports gave, or no reports.
        PublishError: Those that are here are of a later plan, or git failed.
    """
    if not variables.get(REPORTS_DIGEST):
        raise RefusedError(f"{REPORTS_DIGEST}: expected the digest of the reports; it is not set")
    check_digest(handed, variables, REPORTS_DIGEST)
    check_reports(handed, now)
    plan, published = (handed / _PLAN).read_text(encoding="utf-8"), reports / _PLAN
    if published.exists() and _is_later(published.read_bytes(), plan, now):
        raise PublishError("the reports here are of a later plan: these are not published")
    # Whole: a cell of a build that is gone has no page any more.
    shutil.rmtree(reports, ignore_errors=True)
    for name in plain_files(handed):
        if Path(name).parent == REPROS:
            continue
        (reports / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(handed / name, reports / name, follow_symlinks=False)
    run = load(handed / LATEST_RUN)
    write_repros(_repros_in(handed, run), run, reports / REPROS)
    _git("add", "--all", "--", str(reports))
    if not _git("status", "--porcelain", "--", str(reports)):
        return "nothing is new"
    _git("commit", "--quiet", "-m", "Reports", "--", str(reports))
    token = {_TOKEN: variables.get(_TOKEN, "")}
    _git("pull", "--quiet", "--rebase", **token)
    _git("push", "--quiet", **token)
    return f"published the reports of {plan.strip()}"


def _is_later(published: bytes, plan: str, now: datetime) -> bool:
    """Whether a plan that was published is of a later time; one yet to come does not count."""
    try:
        began = began_at(published.decode().strip())
    except ValueError:
        return False
    return began_at(plan.strip()) < began <= now + _SLACK


def check_reports(folder: Path, now: datetime) -> None:
    """Look at each file below ``folder``.

    Raises:
        RefusedError: One is none that reports have, or holds what it should not; or one is missing.
    """
    files = plain_files(folder)
    for name in files:
        check = next((check for like, check in _FILES.items() if re.fullmatch(like, name)), None)
        if check is None:
            raise RefusedError(f"{name!r}: expected no such file among reports")
        try:
            check(folder / name)
        except (ValueError, RecursionError, UsageError) as error:
            reason = str(error).removeprefix(f"{folder / name}: ").partition("\n")[0][:200]
            raise RefusedError(f"{name!r}: {reason}") from None
    if missing := _NEEDED - files.keys():
        raise RefusedError(f"{folder}: expected {', '.join(sorted(missing))} in it")
    _repros_in(folder, load(folder / LATEST_RUN))
    executions = {path.parent.name for path in folder.glob("data/runs/*/header.json")}
    for began in (began_at((folder / _PLAN).read_text().strip()), *map(began_at, executions)):
        if began > now + _SLACK:
            raise RefusedError(f"{began.isoformat()}: expected nothing that is yet to come")


def _repros_in(folder: Path, run: Run) -> Mapping[str, Cell]:
    """The cells of a run of which there are files below ``folder``, by the files' names.

    Raises:
        RefusedError: They are too many, or one is called as no file of a cell.
    """
    names = sorted(path.name for path in (folder / REPROS).glob("*"))
    if len(names) > MOST:
        raise RefusedError(f"'{REPROS}': expected at most {MOST} files, not {len(names)}")
    known = cells_by_name(run)
    if strange := [name for name in names if name not in known]:
        raise RefusedError(f"'{REPROS / strange[0]}': expected the file of a cell that went wrong")
    return {name: known[name] for name in names}


def _repro(path: Path) -> None:
    if path.stat().st_size > LARGEST_B:
        raise ValueError(f"expected at most {LARGEST_B} B")


def _text(path: Path) -> None:
    path.read_bytes().decode()


def _json(path: Path) -> None:
    msgspec.json.decode(path.read_bytes())


def _header(path: Path) -> None:
    source = msgspec.json.decode(path.read_bytes(), type=Source)
    if source.id != path.parent.name:
        raise ValueError(f"expected the id {path.parent.name}")
    began_at(source.id)


@dataclass(frozen=True)
class _Line:
    """A line of a stream, of which any reader wants no less."""

    kind: str


def _stream(path: Path) -> None:
    msgspec.json.Decoder(_Line).decode_lines(path.read_bytes())


def _cells(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        CellId(line)


def _plan(path: Path) -> None:
    began_at(path.read_bytes().decode().strip())


def _data(path: Path) -> None:
    """A script that hands a text of JSON over, and does nothing else; see compat.report.site."""
    text = path.read_bytes().decode()
    found = re.fullmatch(r"compat\('[a-z0-9/-]+', '((?:[^'\\\n]|\\['\\])*)'\);\n", text)
    if found is None:
        raise ValueError("expected a script that hands data over and does nothing else")
    msgspec.json.decode(re.sub(r"\\(.)", r"\1", found[1]))


_EXECUTION = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}[.][0-9]{3}Z"
# All files that reports have, and how each is looked at.
_FILES: Mapping[str, Callable[[Path], Any]] = {
    r"(README|issue|summary)\.md|(badge|support|nights)\.svg": _text,
    r"latest/run\.json": load,
    r"latest/(findings|comparisons)\.json": _json,
    r"data/history\.json": load_history,
    r"data/support\.json": load_support,
    r"data/plan\.txt": _plan,
    r"data/nightlies\.json": check_nightlies,
    r"data/rerun\.txt": _cells,
    rf"data/runs/{_EXECUTION}/header\.json": _header,
    rf"data/runs/{_EXECUTION}/[A-Za-z0-9_+-][A-Za-z0-9_.+@-]*\.jsonl": _stream,
    f"{REPROS}/{NAME}": _repro,
    r"site/(matrix|history|changes)-data\.js|site/cells/[0-9]+\.js": _data,
    r"site/(index\.html|(style|plot)\.css|(data|state|matrix|history|cell|page)\.js)": _text,
}
_NEEDED = frozenset({"README.md", str(LATEST_RUN), "data/support.json", _PLAN, "site/index.html"})


def _git(*arguments: str, **variables: str) -> str:
    """What git says; it sees none of this process's own variables for git, and no token."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") and name != _TOKEN
    }
    own = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    done = subprocess.run(
        ["git", *_OPTIONS, *arguments],
        env=kept | own | variables,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        command = next(
            each for each in arguments if each in {"add", "status", "commit", "pull", "push"}
        )
        raise PublishError(f"git {command}: {' '.join(done.stderr.split())[:500]}")
    return done.stdout

# /// script
# dependencies = ["nox[uv]>=2026.4"]
# ///
"""The entry: what people and CI run. ``nox -l`` lists it, README.md explains it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["matrix"]

PROJECT = nox.project.load_toml("pyproject.toml")

USAGE = 2

BOT = (
    *("-c", "user.name=github-actions[bot]"),
    *("-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com"),
)
# The token is in no command line, and in no file that a later step could read.
ASK_ENVIRONMENT = (
    *("-c", "credential.helper="),
    *("-c", 'credential.helper=!echo username=x-access-token; echo "password=$GITHUB_TOKEN"; :'),
)


def compat(session: nox.Session, *arguments: str) -> None:
    """Run a ``compat`` command, which ends with nox, however nox ends.

    Bad usage ends nox with that command's status, not with 1.
    """
    kept = ("python", "-I", "compat/worker/lifeline.py", str(os.getpid()))
    try:
        session.run(*kept, "compat", *arguments)
    except nox.command.CommandFailed as failed:
        if failed.return_code == USAGE:
            sys.exit(USAGE)
        raise


def published_plan(reports: str) -> str:
    """The id of the plan that reports are of; it sorts by time. Empty where no plan made them."""
    plan = Path(reports, "data", "plan.txt")
    return plan.read_text() if plan.exists() else ""


@nox.session
def matrix(session: nox.Session) -> None:
    """Probe all builds, or those of --builds, and write the tables. Fails on the unexpected."""
    session.install("-e.")
    compat(session, "matrix", *session.posargs)


@nox.session
def probe(session: nox.Session) -> None:
    """Probe builds and leave what was seen for the report: nox -s probe -- --builds 2.13."""
    session.install("-e.")
    compat(session, "probe", *session.posargs)


@nox.session
def report(session: nox.Session) -> None:
    """Make the tables again from what the newest run saw."""
    session.install("-e.")
    compat(session, "report", *session.posargs)


@nox.session
def plan(session: nox.Session) -> None:
    """Say which builds are to be probed where; of the others all is known or nothing can be."""
    session.install("-e.")
    compat(session, "plan", *session.posargs)


@nox.session
def job(session: nox.Session) -> None:
    """Probe one build as the plan says: nox -s job -- 2.15.0-cpu"""
    session.install("-e.")
    compat(session, "job", *session.posargs)


@nox.session
def bisect(session: nox.Session) -> None:
    """Find the build from which on a check answers otherwise.

    nox -s bisect -- --probe 'donation.copies[donated]' --good 2.10 --bad 2.15
    """
    session.install("-e.")
    compat(session, "bisect", *session.posargs)


@nox.session
def remember(session: nox.Session) -> None:
    """Forget old runs and put the newest of each build where a fresh clone finds it."""
    session.install("-e.")
    compat(session, "remember", *session.posargs)


@nox.session
def issue(session: nox.Session) -> None:
    """Keep the tracking issues on GitHub: nox -s issue -- sync --repository OWNER/NAME"""
    session.install("-e.")
    compat(session, "issue", *session.posargs)


@nox.session(venv_backend="none")
def publish(session: nox.Session) -> None:
    """Commit the reports below .compat/reports in the place of those that are here, and push.

    Over HTTPS GITHUB_TOKEN is what lets it. Fails where those that are here are of a later plan: an
    old night that is run again must not take the place of a newer one.
    """
    if published_plan("reports") > published_plan(".compat/reports"):
        session.error("the reports here are of a later plan: these are not published")
    # Whole: a cell of a build that is gone has no page any more.
    shutil.rmtree("reports", ignore_errors=True)
    shutil.copytree(".compat/reports", "reports")
    session.run("git", "add", "reports")
    # Ends with 1 where there is nothing new.
    session.run("git", *BOT, "commit", "--quiet", "-m", "Reports", success_codes=[0, 1])
    session.run("git", *BOT, *ASK_ENVIRONMENT, "pull", "--quiet", "--rebase")
    session.run("git", *ASK_ENVIRONMENT, "push", "--quiet")


@nox.session
def bench(session: nox.Session) -> None:
    """How much faster the runner is than a process for each probe: nox -s bench -- --builds 2.13"""
    session.install("-e.")
    compat(session, "bench", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """The project's own tests: units without torch, then interface and probes in real builds."""
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "test"))
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and the contracts on which room may import which."""
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Types, strictly."""
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "typecheck"))
    session.run("mypy")


@nox.session
def workflows(session: nox.Session) -> None:
    """Security and schema of the workflows, without a network."""
    session.install(*nox.project.dependency_groups(PROJECT, "workflows"))
    session.run("zizmor", "--offline", "--strict-collection", "--persona=auditor", ".github")
    files = sorted(map(str, Path(".github/workflows").glob("*.yml")))
    for schema in ("vendor.github-workflows", "custom.github-workflows-require-timeout"):
        session.run("check-jsonschema", "--builtin-schema", schema, *files)


@nox.session
def actionlint(session: nox.Session) -> None:
    """What else is wrong with the workflows; installing actionlint takes GitHub."""
    session.install(*nox.project.dependency_groups(PROJECT, "actionlint"))
    session.run("actionlint", "-color")

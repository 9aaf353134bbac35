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

# As compat/errors.py has them.
UNEXPECTED, FAILED = 1, 3
# Of pytest: none of those that were asked for is in this part.
NO_TESTS = 5
KEEPER = Path("compat/worker/lifeline.py").absolute()
# The packages of whatever decides what is published, or may write; each with its hashes.
PINNED = ".github/requirements.txt"


def compat(session: nox.Session, *arguments: str) -> None:
    """Run a ``compat`` command, which ends with nox, however nox ends.

    Nox ends with its status, and with 3 where a signal ended it.
    """
    kept = ("python", "-I", str(KEEPER), str(os.getpid()))
    try:
        session.run(*kept, "python", "-m", "compat", *arguments)
    except nox.command.CommandFailed as failed:
        if failed.return_code == UNEXPECTED:
            raise
        sys.exit(failed.return_code if (failed.return_code or -1) > 0 else FAILED)


def pinned(session: nox.Session, *arguments: str) -> None:
    """Run a ``compat`` command with no other packages than those that were written down."""
    session.install("--require-hashes", "-r", PINNED)
    compat(session, *arguments)


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
    pinned(session, "report", *session.posargs)


@nox.session
def plan(session: nox.Session) -> None:
    """Say which builds are to be probed where; of the others all is known or nothing can be."""
    pinned(session, "plan", *session.posargs)


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
def twin(session: nox.Session) -> None:
    """Run a suite of your own, which lies in ../code, on builds and the stable one beside them."""
    session.install("-e.")
    session.chdir("../code")
    compat(session, "run", *session.posargs)


@nox.session
def remember(session: nox.Session) -> None:
    """Forget old runs and put the newest of each build where a fresh clone finds it."""
    pinned(session, "remember", *session.posargs)


@nox.session
def issue(session: nox.Session) -> None:
    """Keep the tracking issues on GitHub: nox -s issue -- sync --repository OWNER/NAME"""
    pinned(session, "issue", *session.posargs)


@nox.session
def publish(session: nox.Session) -> None:
    """Commit the reports below .compat/reports in the place of those that are here, and push.

    COMPAT_REPORTS is their digest; over HTTPS GITHUB_TOKEN is what lets it push.
    """
    pinned(session, "publish", *session.posargs)


@nox.session
def pin(session: nox.Session) -> None:
    """Write down anew, with their hashes, the packages of the jobs that decide and write."""
    session.install("uv")
    session.run(
        *("uv", "pip", "compile", "--universal", "--python-version", "3.11", "--upgrade"),
        *("--generate-hashes", "--only-binary", ":all:", "--emit-build-options"),
        *("--no-header", "--no-annotate", "--quiet"),
        *("--group", "nox", "--output-file", PINNED, "pyproject.toml"),
    )


@nox.session
def bench(session: nox.Session) -> None:
    """How much faster the runner is than a process for each probe: nox -s bench -- --builds 2.13"""
    session.install("-e.")
    compat(session, "bench", *session.posargs)


@nox.session
def fast(session: nox.Session) -> None:
    """The tests that start no process, browser or PyTorch: a minute."""
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "test"))
    session.run("pytest", "-m", "not slow", "--timeout", "60", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """The project's own tests: the fast ones, then interface and probes in real builds.

    All but what nox -s selfcheck asks.
    """
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "test"))
    for part in ("not slow", "slow and not selfcheck"):
        codes = [0, NO_TESTS] if session.posargs else [0]
        session.run("pytest", "-m", part, *session.posargs, success_codes=codes)


@nox.session
def selfcheck(session: nox.Session) -> None:
    """Does the matrix tell what is broken, and no more? The newest release, broken in quick ways.

    nox -s selfcheck -- 2.12 2.15 breaks these builds in each way of the catalogue.
    """
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "test"))
    builds = {"COMPAT_MUTATED": " ".join(session.posargs)} if session.posargs else {}
    session.run("pytest", "tests/mutations", "-n", "0", "-s", env=builds)


@nox.session
def mutate(session: nox.Session) -> None:
    """Do fast tests notice what is changed, one thing at a time, where answers are judged?

    Six minutes on one core. Nothing is taken over from before: tests may be other ones.
    """
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "test", "mutate"))
    shutil.rmtree("mutants", ignore_errors=True)
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "results")


@nox.session
def soak(session: nox.Session) -> None:
    """Run a small matrix again and again, with somebody killed in most runs: nox -s soak -- 200"""
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "nox", "test"))
    session.run("python", "-m", "tests.soak", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Ten thousand damaged inputs for each reader, instead of the tests' one thousand."""
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "test"))
    session.run("pytest", "tests/fuzz", "-s", *session.posargs, env={"COMPAT_FUZZ": "10000"})


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
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "test"))
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

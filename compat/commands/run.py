"""``compat run``: a user's own command on builds, each beside a release."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.console import Console

from compat.builds.config import load_builds
from compat.builds.index import IndexUnavailableError
from compat.builds.resolve import Resolution, stable_beside
from compat.commands.builds import resolved
from compat.commands.places import (
    RUNS,
    home_for_builds,
    indexes_of,
    remembered_nightlies,
    writing_reports,
)
from compat.commands.report import reported, say_in_job
from compat.errors import FAILED, UsageError
from compat.findings.awaits import load_awaits
from compat.findings.expectations import DEFAULT_FILE, load_expectations
from compat.findings.results import Results
from compat.running.host import compiler, default_device
from compat.running.pipeline import probe_builds
from compat.running.progress import LiveProgress
from compat.running.settings import Settings
from compat.runs.model import DEFAULT, hashes_of
from compat.runs.store import merge
from compat.subjects.files import pinned
from compat.subjects.packages import required
from compat.subjects.spec import PROJECTS, SubjectSpec, parse_subject
from compat.subjects.suite import suite
from compat.topics.suites.finding import Suites, Verdict


def run(parsed: argparse.Namespace) -> int:
    """0: nothing regressed, 1: something did, 3: what was seen proves nothing."""
    if parsed.github:
        _take_inputs(parsed, os.environ)
    packages = required(parsed.packages, parsed.requirements)
    awaits = load_awaits()
    suites = list(awaits.suites())
    if parsed.words or not suites:
        brought = suite(parsed.name, parsed.words, packages, parsed.signature, parsed.junit)
        suites.append(replace(brought, beside=_beside(parsed.beside)))
    if len({each.id for each in suites}) < len(suites):
        raise UsageError("--name: expected one that no script of awaits.toml has")
    compiler()
    device = parsed.device or default_device()
    expectations = load_expectations(parsed.expectations or DEFAULT_FILE)
    settings = Settings(
        device=device,
        probes=tuple(parsed.probes),
        depth=DEFAULT,
        # One build after the other: what runs beside a build must not be what makes it fail.
        jobs=1,
        timeout_s=parsed.timeout,
        memory_gb=parsed.memory,
        fresh=parsed.fresh,
        home=home_for_builds(),
        subjects=(),
        suites=tuple(suites),
        foreseen=expectations.foresees,
    )
    resolutions = _with_twins(parsed, device)
    with LiveProgress(Console()) as progress:
        folder = probe_builds(resolutions, settings, RUNS.absolute(), progress)
    merged = merge([folder])
    remembered_nightlies().learn(hashes_of(merged))
    if not merged.cells:
        problems = "; ".join(pair.reason for pair in merged.pairs if pair.reason)
        builds = "; ".join(build.reason for build in merged.builds if build.reason)
        raise UsageError(f"no check was seen: {problems or builds or 'the suite has none'}")
    with writing_reports():
        results = reported(merged, expectations)
    if parsed.github:
        say_in_job(results)
    return _status(results)


def _beside(text: str | None) -> SubjectSpec | None:
    """The subject whose files are to lie beside each build; of a project its newest release now."""
    if text is None:
        return None
    spec = parse_subject(text)
    if spec.name not in PROJECTS:
        raise UsageError(f"--beside {text}: expected one of {', '.join(PROJECTS)}")
    return pinned(spec)


def _take_inputs(parsed: argparse.Namespace, variables: Mapping[str, str]) -> None:
    """What a workflow's inputs say; no shell looks at the command."""
    try:
        parsed.words = shlex.split(variables.get("COMPAT_COMMAND", ""))
        parsed.packages = shlex.split(variables.get("COMPAT_PACKAGES", ""))
    except ValueError as error:
        raise UsageError(f"COMPAT_COMMAND, COMPAT_PACKAGES: expected words: {error}") from None
    parsed.builds = variables.get("COMPAT_BUILDS", "").split() or ["nightly"]
    parsed.name = variables.get("COMPAT_NAME", "") or parsed.name
    parsed.device = parsed.device or variables.get("COMPAT_DEVICE", "") or None


def _status(results: Results) -> int:
    """What the command ends with: the report alone does not ask what a suite's twin said."""
    found: Suites = results.findings.topics["suites"]
    if any(each.of(Verdict.REGRESSED) for each in found.beside):
        return results.assessment.status
    untold = any(each.of(Verdict.INCONCLUSIVE) for each in found.beside)
    return FAILED if untold or results.assessment.proves_nothing else results.assessment.status


def _with_twins(parsed: argparse.Namespace, device: str) -> Sequence[Resolution]:
    """The builds that were asked for, behind the stable one beside them unless it is among them."""
    asked = resolved(parsed, device)
    if parsed.alone:
        return asked
    file = load_builds(parsed.builds_file)
    try:
        twin = stable_beside(asked, indexes_of(file))
    except IndexUnavailableError as error:
        raise UsageError(f"no release to compare with: {error}; --alone goes without one") from None
    if twin is None:
        return asked
    specs = parsed.builds or [str(spec) for spec in file.specs]
    both = argparse.Namespace(**{**vars(parsed), "builds": [twin, *specs]})
    return resolved(both, device)

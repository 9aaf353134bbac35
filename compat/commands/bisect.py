"""``compat bisect``: from which build, or release of a subject, on a check answers otherwise."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from compat.bisection.candidates import Candidate, Over, between_releases
from compat.bisection.search import CheckRunner, Found, bisect, from_one_end
from compat.bisection.surface import SurfaceDifference, surface_between
from compat.bisection.text import bisection_text
from compat.builds.config import load_builds
from compat.builds.environment import InstallError
from compat.builds.index import IndexedWheel, Indexes, IndexUnavailableError
from compat.builds.resolve import between, resolve
from compat.builds.spec import parse_spec
from compat.commands.places import REPORTS, home_for_builds, indexes_of, remembered_nightlies
from compat.document.escape import printed
from compat.errors import EXPECTED, UNEXPECTED, UsageError
from compat.running.host import compiler, default_device, default_jobs
from compat.running.progress import LiveProgress
from compat.running.settings import Settings
from compat.runs.ids import AnswerId, CheckId, InvalidIdError
from compat.runs.model import FULL, hashes_of
from compat.runs.store import RunFolder, merge
from compat.subjects.files import pinned
from compat.subjects.packages import required
from compat.subjects.spec import BUILTIN_ALONE, SubjectSpec, parse_subject
from compat.subjects.suite import Suite, script
from compat.worker.gpu import gpu_is_there


def run(parsed: argparse.Namespace) -> int:
    compiler()
    device = parsed.device or default_device()
    if device == "cuda" and not gpu_is_there():
        raise UsageError("--device cuda: expected an NVIDIA GPU; this machine has none")
    question = _question(parsed)
    candidates = _candidates(parsed, question, device)
    settings = Settings(
        device=device,
        probes=(),
        depth=FULL,
        jobs=default_jobs(device),
        timeout_s=parsed.timeout,
        memory_gb=parsed.memory,
        fresh=True,
        home=home_for_builds() / "bisect",
    )
    with LiveProgress(Console()) as progress:
        runner = CheckRunner(question.check, settings, progress, question.suite)
        try:
            found = _found(parsed, question, candidates, runner)
            surface = _surface(parsed, question.check, found, candidates, settings, progress)
        finally:
            runner.close()
            seen = merge(RunFolder.all(settings.home / "runs"))
            remembered_nightlies().learn(hashes_of(seen))
    asked, where, command = _told(parsed, question, device, [*found.seen])
    ends = {name: _alone(question, name, device) for name in (found.good, found.bad)}
    text = bisection_text(
        found,
        asked,
        where,
        command,
        since="fixed since" if parsed.find_fix else "since",
        ends=ends if parsed.over == Over.BUILDS else None,
        surface=surface,
    )
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "bisect.md").write_text(text, encoding="utf-8")
    print(f"\n{printed(text)}")
    return EXPECTED if found.certain else UNEXPECTED


@dataclass(frozen=True, kw_only=True)
class _Question:
    """What is asked: a check of a subject, one answer of it, or a script."""

    check: CheckId
    subject: SubjectSpec
    answer: str = ""
    suite: Suite | None = None


def _question(parsed: argparse.Namespace) -> _Question:
    """What the command line asks.

    Raises:
        UsageError: It asks for nothing, for too much, or for what is none.
    """
    if (parsed.script is None) is (parsed.probe is None):
        raise UsageError("expected one of --script and --probe")
    subject = parse_subject(parsed.subject)
    if parsed.script is None:
        alone = {
            "--with": parsed.packages,
            "--requirements": parsed.requirements,
            "--signature": parsed.signature,
            "--find-fix": parsed.find_fix,
            "no --good": parsed.good is None,
        }
        if wrong := [name for name, given in alone.items() if given]:
            raise UsageError(f"{wrong[0]}: expected --script beside it")
        check, answer = _asked(parsed.probe)
        return _Question(check=check, subject=subject, answer=answer)
    if subject != BUILTIN_ALONE or parsed.over != Over.BUILDS:
        raise UsageError("--script: expected neither --subject nor --over beside it")
    packages = required(parsed.packages, parsed.requirements)
    brought = script(parsed.script, packages, parsed.signature)
    return _Question(check=brought.check, subject=subject, suite=brought)


def _found(
    parsed: argparse.Namespace,
    question: _Question,
    candidates: Sequence[Candidate],
    runner: CheckRunner,
) -> Found:
    if question.suite is None:
        return bisect(candidates, runner, question.answer)
    if parsed.good is None:
        # The end that is known comes first.
        outwards = candidates if parsed.find_fix else candidates[::-1]
        part = from_one_end(outwards, runner)
        candidates = part if parsed.find_fix else part[::-1]
    passes = (not parsed.find_fix, parsed.find_fix)
    return bisect(candidates, runner, passes=passes)


def _surface(
    parsed: argparse.Namespace,
    asked: CheckId,
    found: Found,
    candidates: Sequence[Candidate],
    settings: Settings,
    progress: LiveProgress,
) -> SurfaceDifference | None:
    """What else differs between the neighbours, where they are builds and nothing is uncertain."""
    if parsed.over != Over.BUILDS or not found.certain:
        return None
    named = {each.name: each for each in candidates}
    return surface_between(named[found.good], named[found.bad], asked, settings, progress)


def _candidates(
    parsed: argparse.Namespace, question: _Question, device: str
) -> Sequence[Candidate]:
    """What is between the two ends, and these; all there are on one side where one is left out.

    Raises:
        UsageError: One of the ends is none, or an index that lists them is not reachable.
    """
    file = load_builds(parsed.builds_file)
    indexes = indexes_of(file)
    subject = question.subject
    try:
        if parsed.over == Over.SUBJECT:
            if parsed.build is None:
                raise UsageError("--over subject: expected --build, the build to ask on")
            wheel = _one_wheel(parsed.build, indexes, device)
            return between_releases(subject, parsed.good, parsed.bad, wheel)
        if parsed.build is not None:
            raise UsageError("--build: expected --over subject beside it")
        bad = _one_wheel(parsed.bad, indexes, device)
        good = None if parsed.good is None else _one_wheel(parsed.good, indexes, device)
        older, newer = (bad, good) if parsed.find_fix else (good, bad)
        if older is not None and newer is not None and not older.version < newer.version:
            names = ("--bad", "--good") if parsed.find_fix else ("--good", "--bad")
            raise UsageError(
                f"{names[0]} {older.version}: expected an older build than "
                f"{names[1]} {newer.version}"
            )
        subject = pinned(subject)
        wheels = between(older, newer, indexes, device)
    except (IndexUnavailableError, InstallError) as error:
        raise UsageError(f"the index that lists them is not reachable: {error}") from None
    return [Candidate(wheel=wheel, subject=subject) for wheel in wheels]


def _told(
    parsed: argparse.Namespace, question: _Question, device: str, asked: Sequence[str]
) -> tuple[str, str, str]:
    """What was asked, on what, and the command that does it again between the same ends."""
    subject = question.subject
    older, newer = f"=={asked[0]}", f"=={asked[-1]}"
    if question.suite is not None:
        good, bad = (newer, older) if parsed.find_fix else (older, newer)
        options = ["--script", str(parsed.script)]
        options += [each for package in question.suite.packages for each in ("--with", package)]
        options += ["--signature", parsed.signature] if parsed.signature else []
        options += ["--find-fix"] if parsed.find_fix else []
        options += ["--good", good, "--bad", bad, "--device", device]
        beside = f" with {', '.join(question.suite.packages)}" if question.suite.packages else ""
        return str(parsed.script), f"{device}{beside}", f"compat bisect {shlex.join(options)}"
    if parsed.over == Over.SUBJECT:
        older, newer = parsed.good, parsed.bad
        more = f" --subject {subject} --over subject --build {parsed.build}"
        where = f"torch {parsed.build}, {device}"
    else:
        more = "" if subject == BUILTIN_ALONE else f" --subject {subject}"
        where = device if subject == BUILTIN_ALONE else f"{device}, {subject}"
    command = f"nox -s bisect -- --probe '{parsed.probe}'{more} --good {older} --bad {newer}"
    return parsed.probe, where, f"{command} --device {device}"


def _alone(question: _Question, build: str, device: str) -> str:
    """The command that asks one build again."""
    spec = shlex.quote(f"=={build}")
    if question.suite is not None:
        options, _, words = question.suite.requested.partition(" -- ")
        return f"compat run --builds {spec} --device {device} --alone --fresh {options} -- {words}"
    subject = question.subject
    more = "" if subject == BUILTIN_ALONE else f" --subject {subject}"
    check = shlex.quote(question.check)
    return (
        f"nox -s matrix -- --builds {spec} --device {device}{more} --depth full --fresh "
        f"--probes {check}"
    )


def _asked(text: str) -> tuple[CheckId, str]:
    """A check, and the name of the one answer that counts; empty where all do.

    Raises:
        UsageError: ``text`` is neither a check nor an answer.
    """
    try:
        return CheckId(text), ""
    except InvalidIdError:
        pass
    try:
        answer = AnswerId(text)
    except InvalidIdError:
        raise UsageError(
            f"--probe {text!r}: expected a check, such as donation.copies[donated], or one answer "
            f"of it, such as donation.copies[donated].copies"
        ) from None
    return answer.check, answer.name


def _one_wheel(spec: str, indexes: Indexes, device: str) -> IndexedWheel:
    (found,) = resolve([parse_spec(spec)], indexes, device)
    if found.wheel is None:
        raise UsageError(f"{spec}: {found.problem or 'expected a build that an index lists'}")
    return found.wheel

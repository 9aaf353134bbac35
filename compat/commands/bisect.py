"""``compat bisect``: from which build, or release of a subject, on a check answers otherwise."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.console import Console

from compat.bisection.candidates import Candidate, Over, between_releases
from compat.bisection.search import CheckRunner, bisect
from compat.bisection.text import bisection_text
from compat.builds.config import load_builds
from compat.builds.environment import InstallError
from compat.builds.index import IndexedWheel, Indexes, IndexUnavailableError
from compat.builds.resolve import between, resolve
from compat.builds.spec import parse_spec
from compat.commands.places import REPORTS, home_for_builds
from compat.document.escape import printed
from compat.errors import EXPECTED, UNEXPECTED, UsageError
from compat.running.host import compiler, default_device, default_jobs
from compat.running.progress import LiveProgress
from compat.running.settings import DEFAULT_MEMORY_GB, DEFAULT_TIMEOUT_S, Settings
from compat.runs.ids import AnswerId, CheckId, InvalidIdError
from compat.runs.model import FULL
from compat.subjects.files import pinned
from compat.subjects.spec import BUILTIN_ALONE, SubjectSpec, parse_subject
from compat.worker.gpu import gpu_is_there


def run(parsed: argparse.Namespace) -> int:
    compiler()
    check, answer = _asked(parsed.probe)
    device = parsed.device or default_device()
    if device == "cuda" and not gpu_is_there():
        raise UsageError("--device cuda: expected an NVIDIA GPU; this machine has none")
    subject = parse_subject(parsed.subject)
    candidates = _candidates(parsed, subject, device)
    settings = Settings(
        device=device,
        probes=(),
        depth=FULL,
        jobs=default_jobs(device),
        timeout_s=DEFAULT_TIMEOUT_S,
        memory_gb=DEFAULT_MEMORY_GB,
        fresh=True,
        home=home_for_builds() / "bisect",
    )
    with LiveProgress(Console()) as progress:
        runner = CheckRunner(check, settings, progress)
        try:
            found = bisect(candidates, runner, answer)
        finally:
            runner.close()
    text = bisection_text(found, *_told(parsed, subject, device, [*found.seen]))
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "bisect.md").write_text(text, encoding="utf-8")
    print(f"\n{printed(text)}")
    return EXPECTED if found.certain else UNEXPECTED


def _candidates(parsed: argparse.Namespace, subject: SubjectSpec, device: str) -> list[Candidate]:
    """What is between the two ends, and these.

    Raises:
        UsageError: One of the ends is none, or an index that lists them is not reachable.
    """
    file = load_builds(parsed.builds_file)
    indexes = Indexes(file.pytorch_index, file.timeout_s)
    try:
        if parsed.over is Over.SUBJECT:
            if parsed.build is None:
                raise UsageError("--over subject: expected --build, the build to ask on")
            wheel = _one_wheel(parsed.build, indexes, device)
            return between_releases(subject, parsed.good, parsed.bad, wheel)
        if parsed.build is not None:
            raise UsageError("--build: expected --over subject beside it")
        good, bad = (_one_wheel(spec, indexes, device) for spec in (parsed.good, parsed.bad))
        if not good.version < bad.version:
            raise UsageError(
                f"--good {good.version}: expected an older build than --bad {bad.version}"
            )
        subject = pinned(subject)
        wheels = between(good, bad, indexes, device)
    except (IndexUnavailableError, InstallError) as error:
        raise UsageError(f"the index that lists them is not reachable: {error}") from None
    return [Candidate(wheel=wheel, subject=subject) for wheel in wheels]


def _told(
    parsed: argparse.Namespace, subject: SubjectSpec, device: str, asked: Sequence[str]
) -> tuple[str, str, str]:
    """What was asked, on what, and the command that does it again between the same ends."""
    if parsed.over is Over.SUBJECT:
        ends = (parsed.good, parsed.bad)
        more = f" --subject {subject} --over subject --build {parsed.build}"
        where = f"torch {parsed.build}, {device}"
    else:
        ends = (f"=={asked[0]}", f"=={asked[-1]}")
        more = "" if subject == BUILTIN_ALONE else f" --subject {subject}"
        where = device if subject == BUILTIN_ALONE else f"{device}, {subject}"
    command = f"nox -s bisect -- --probe '{parsed.probe}'{more} --good {ends[0]} --bad {ends[1]}"
    return parsed.probe, where, f"{command} --device {device}"


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

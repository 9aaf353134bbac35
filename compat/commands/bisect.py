"""``compat bisect``: from which build on a check answers otherwise."""

from __future__ import annotations

import argparse

from rich.console import Console

from compat.bisection.search import CheckRunner, bisect
from compat.bisection.text import bisection_text
from compat.builds.config import load_builds
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
from compat.worker.gpu import gpu_is_there


def run(parsed: argparse.Namespace) -> int:
    compiler()
    check, answer = _asked(parsed.probe)
    device = parsed.device or default_device()
    if device == "cuda" and not gpu_is_there():
        raise UsageError("--device cuda: expected an NVIDIA GPU; this machine has none")
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
        home=home_for_builds() / "bisect",
    )
    with LiveProgress(Console()) as progress:
        runner = CheckRunner(check, settings, progress)
        try:
            found = bisect(wheels, runner, answer)
        finally:
            runner.close()
    text = bisection_text(found, parsed.probe, device)
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "bisect.md").write_text(text, encoding="utf-8")
    print(f"\n{printed(text)}")
    return EXPECTED if found.certain else UNEXPECTED


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

"""Finds the build from which on a check answers otherwise."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from compat.builds.environment import InstallError, install
from compat.builds.index import IndexedWheel
from compat.builds.resolve import Resolution
from compat.builds.spec import parse_spec
from compat.errors import UsageError
from compat.findings.answers import answer_of
from compat.probes.sources import plan_source, probe_sources
from compat.report.escape import code, plain
from compat.running.pipeline import Progress, probe_builds
from compat.running.settings import Settings
from compat.runs.model import FULL, Outcome, Status
from compat.runs.store import merge, write_json

_UNKNOWN = frozenset({Outcome.NOT_RUN, Outcome.SKIP})
_COMPARE = "https://github.com/pytorch/pytorch/compare"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a check says on one build.

    Attributes:
        answer: See :mod:`compat.findings.answers`; empty where nothing was seen.
        problem: Why nothing was seen.
    """

    answer: str = ""
    git_version: str = ""
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The neighbours between which the answer changes.

    Attributes:
        seen: By build, in order: all that was asked.
        good: The last build with the older answer.
        bad: The first build with the newer one; of those that could be asked.
        between: Builds between these two, which said nothing, or something else than both ends.
        repeated: What ``good`` and ``bad`` said when they were asked again.
    """

    seen: Mapping[str, Seen]
    good: str
    bad: str
    between: Sequence[str]
    repeated: tuple[Seen, Seen]

    @property
    def certain(self) -> bool:
        """Whether both neighbours said the same when they were asked again."""
        return [each.answer for each in self.repeated] == [
            self.seen[self.good].answer,
            self.seen[self.bad].answer,
        ]


class Laboratory:
    """Asks one check of one build after another, and writes down what each said.

    A bisection that was interrupted goes on with what is written down. Environments are kept as
    long as they may be needed again.

    Args:
        check: The check, as in ``donation.copies[donated]``.
        settings: How to probe; its home is used for bisections alone.
        progress: Hears how far each build is.

    Raises:
        UsageError: There is no such probe.
    """

    def __init__(self, check: str, settings: Settings, progress: Progress) -> None:
        self.check = check
        self.device = settings.device
        self._settings = replace(settings, probes=[check], depth=FULL, fresh=True)
        self._progress = progress
        self._environments = settings.home / "environments"
        source = probe_sources().get(check.partition("[")[0])
        if source is None:
            raise UsageError(
                f"--probe {check!r}: expected one check, such as donation.copies[donated]; compat "
                f"probes lists the probes"
            )
        asked = (check, settings.device, plan_source(), source)
        tag = hashlib.sha256("\0".join(asked).encode()).hexdigest()[:16]
        self._notes = settings.home / f"{tag}.json"
        self._fetching: list[Future[None]] = []
        self._fetcher = ThreadPoolExecutor(max_workers=1)

    def ask(self, wheel: IndexedWheel, ahead: Sequence[IndexedWheel]) -> Seen:
        """What the check says on a build, asked only if no answer is written down.

        Meanwhile those that may be asked next, ``ahead``, are installed.
        """
        notes = json.loads(self._notes.read_text(encoding="utf-8")) if self._notes.exists() else {}
        if _note(wheel) in notes:
            return Seen(**notes[_note(wheel)])
        self._fetch([each for each in ahead if _note(each) not in notes])
        seen = self.ask_again(wheel)
        if seen.answer and not wheel.may_be_replaced:
            write_json(self._notes, {**notes, _note(wheel): asdict(seen)})
        return seen

    def ask_again(self, wheel: IndexedWheel) -> Seen:
        """What the check says on a build.

        Raises:
            UsageError: The build knows no such check.
        """
        resolution = Resolution(specs=(parse_spec(f"=={wheel.version.public}"),), wheel=wheel)
        runs = self._settings.home / "runs"
        run = merge([probe_builds([resolution], self._settings, runs, self._progress)])
        (build,) = run.builds
        if build.status is not Status.OK:
            return Seen(problem=build.reason)
        cell = next((cell for cell in run.cells if cell.check == self.check), None)
        if cell is None:
            raise UsageError(
                f"--probe {self.check!r} is no check of {build.id} on {self.device}; there are "
                f"{', '.join(cell.check for cell in run.cells) or 'none like it'}"
            )
        if cell.outcome in _UNKNOWN:
            return Seen(problem=f"{cell.outcome.value}: {cell.reason}")
        if cell.flaky:
            return Seen(problem="flaky")
        return Seen(answer=answer_of(cell), git_version=build.git_version)

    def _fetch(self, wheels: Sequence[IndexedWheel]) -> None:
        for waiting in self._fetching:
            waiting.cancel()
        self._fetching = [self._fetcher.submit(self._install, wheel) for wheel in wheels]

    def _install(self, wheel: IndexedWheel) -> None:
        # What went wrong is said when the build is asked.
        with suppress(InstallError):
            self._environments.mkdir(parents=True, exist_ok=True)
            install(wheel, self._environments)

    def keep(self, wheels: Sequence[IndexedWheel]) -> None:
        """Remove the environments of all other builds."""
        kept = tuple(f"torch-{wheel.version}-" for wheel in wheels)
        # One that is being made is not complete.
        for complete in self._environments.glob("torch-*/compat-complete"):
            folder = complete.parent
            if not folder.name.startswith(kept):
                shutil.rmtree(folder)
                shutil.rmtree(f"{folder}-scratch")

    def close(self) -> None:
        """End what is going on beside, and remove all environments."""
        self._fetcher.shutdown(cancel_futures=True)
        shutil.rmtree(self._environments, ignore_errors=True)


def _note(wheel: IndexedWheel) -> str:
    """What the answer of a wheel goes by; a release candidate has the name of the one before it."""
    return f"{wheel.filename} {wheel.sha256}".strip()


def bisect(wheels: Sequence[IndexedWheel], laboratory: Laboratory) -> Found:
    """Where in ``wheels``, oldest first, the answer changes from the first one's to the last one's.

    Raises:
        UsageError: One of these two says nothing, or both say the same.
    """
    seen: dict[int, Seen] = {}

    def ask(index: int, *ahead: int) -> str:
        seen[index] = laboratory.ask(wheels[index], [wheels[each] for each in ahead])
        return seen[index].answer

    last = len(wheels) - 1
    low, high = 0, last
    ends = (ask(0, last), ask(last, *_middle(0, last, seen)))
    for index in (0, last):
        if not seen[index].answer:
            raise UsageError(f"{wheels[index].version} says nothing: {seen[index].problem}")
    if ends[0] == ends[1]:
        raise UsageError(f"{wheels[0].version} and {wheels[last].version} say the same: {ends[0]}")
    while middle := _middle(low, high, seen):
        (index,) = middle
        answer = ask(index, *_middle(low, index, seen), *_middle(index, high, seen))
        if answer == ends[0]:
            low = index
        elif answer == ends[1]:
            high = index
        laboratory.keep([wheels[each] for each in (low, high, *_middle(low, high, seen))])
    return Found(
        seen={str(wheels[index].version): seen[index] for index in sorted(seen)},
        good=str(wheels[low].version),
        bad=str(wheels[high].version),
        between=[str(wheels[index].version) for index in range(low + 1, high)],
        repeated=(laboratory.ask_again(wheels[low]), laboratory.ask_again(wheels[high])),
    )


def _middle(low: int, high: int, seen: Mapping[int, Seen]) -> list[int]:
    """The build to be asked next: of those not asked yet, the one nearest to the middle."""
    unasked = [index for index in range(low + 1, high) if index not in seen]
    return sorted(unasked, key=lambda index: abs(2 * index - low - high))[:1]


def bisection_text(found: Found, check: str, device: str) -> str:
    """The result as markdown, for people and for the tracking issue."""
    good, bad = found.seen[found.good], found.seen[found.bad]
    first, *_, last = found.seen
    where = f"{code(check)} on {device}"
    lines = [
        f"**{where}: since {plain(found.bad)}.**"
        if found.certain
        else f"**{where}: no build is blamed; asked again, the neighbours did not say the same.**",
        "",
        f"- up to {plain(found.good)}: {plain(good.answer)}",
        f"- from {plain(found.bad)} on: {plain(bad.answer)}",
    ]
    if found.between:
        lines.append(
            f"- between them, not told apart: {plain(', '.join(found.between))}; the first one is "
            f"among these or {plain(found.bad)}"
        )
    if not found.certain:
        again = (f"{each.answer or each.problem}" for each in found.repeated)
        lines.append(f"- asked again, the two said: {plain(' and '.join(again))}")
    lines += [
        f"- commits: {_commits(good.git_version, bad.git_version)}",
        "",
        "Asked, oldest first:",
        "",
        *(
            f"- {plain(build)}: {plain(each.answer or f'skipped, {each.problem}')}"
            for build, each in found.seen.items()
        ),
        "",
        "To repeat it:",
        "",
        f"    nox -s bisect -- --probe '{check}' --good =={first} --bad =={last} --device {device}",
    ]
    return "\n".join(lines) + "\n"


def _commits(good: str, bad: str) -> str:
    commits = f"{good}...{bad}"
    # What a build says of itself is no part of an address unless it is a commit.
    known = all(re.fullmatch("[0-9a-f]{40}", commit) for commit in (good, bad))
    return f"[{commits}]({_COMPARE}/{commits})" if known else code(commits)

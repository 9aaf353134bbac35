"""Finds the candidate from which on a check answers otherwise."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace

from compat.bisection.candidates import Candidate
from compat.builds.environment import COMPLETE, InstallError, install
from compat.builds.housekeeping import remove
from compat.builds.resolve import Resolution
from compat.builds.spec import parse_spec
from compat.errors import UsageError
from compat.findings.answers import answers_of
from compat.probes.sources import command_source, plan_source, probe_sources
from compat.running.pipeline import Progress, probe_builds
from compat.running.settings import Settings
from compat.runs.answers import Change, Scale, Value, relate, verdict
from compat.runs.decode import read_json
from compat.runs.failures import signature_of_cell
from compat.runs.ids import CheckId
from compat.runs.model import FULL, Outcome, Status
from compat.runs.store import merge, write_json
from compat.subjects.suite import Suite
from compat.topics.matrix import Matrix

# The one answer of a script.
PASSES = "passes"


@dataclass(frozen=True, kw_only=True)
class Said:
    """One answer of a check; :class:`compat.runs.answers.Answer` without what is known here."""

    scale: Scale
    value: Value | None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a check says on one build.

    Attributes:
        answers: By name, how it ended among them; empty where nothing was seen.
        problem: Why nothing was seen.
        failure: Of a script that failed: how, in one line.
    """

    answers: Mapping[str, Said] = field(default_factory=dict)
    git_version: str = ""
    problem: str = ""
    failure: str = ""

    @property
    def passes(self) -> bool | None:
        """Of a script: whether it passed; None where that cannot be told."""
        said = self.answers.get(PASSES)
        return None if said is None else said.value is True


def differing(one: Seen, other: Seen) -> list[str]:
    """The names of the answers that two builds give otherwise."""
    return [
        name
        for name, said in one.answers.items()
        if name in other.answers and _relate(said, other.answers[name]) not in _ALIKE
    ]


def say_the_same(one: Seen, other: Seen, names: Iterable[str]) -> bool:
    """Whether two builds give the same answers of these names."""
    return all(
        name in one.answers
        and name in other.answers
        and _relate(one.answers[name], other.answers[name]) is Change.SAME
        for name in names
    )


def _relate(before: Said, after: Said) -> Change:
    return relate(after.scale, before.value, after.value)


_ALIKE = frozenset({Change.SAME, Change.UNKNOWN})


@dataclass(frozen=True, kw_only=True)
class Found:
    """The neighbours between which answers change; each candidate goes by its name.

    Attributes:
        names: Of the answers that both ends give otherwise.
        seen: By candidate, in order: all that was asked.
        good: The last one with the older answer.
        bad: The first one with the newer one; of those that could be asked.
        between: Candidates between these two, which said nothing, or something else than both ends.
        repeated: What ``good`` and ``bad`` said when they were asked again.
    """

    names: Sequence[str]
    seen: Mapping[str, Seen]
    good: str
    bad: str
    between: Sequence[str]
    repeated: tuple[Seen, Seen]

    @property
    def certain(self) -> bool:
        """Whether both neighbours said the same when they were asked again."""
        first = (self.seen[self.good], self.seen[self.bad])
        return all(
            say_the_same(*pair, self.names) for pair in zip(first, self.repeated, strict=True)
        )


class CheckRunner:
    """Asks one check of one candidate after another, and writes down what each said.

    A bisection that was interrupted goes on with what is written down. Environments are kept as
    long as they may be needed again.

    Args:
        check: The check, as in ``donation.copies[donated]``.
        settings: How to probe; its home is used for bisections alone.
        progress: Hears how far each build is.
        suite: Whose check it is, where it is none of a probe.

    Raises:
        UsageError: There is no such probe.
    """

    def __init__(
        self,
        check: CheckId,
        settings: Settings,
        progress: Progress,
        suite: Suite | None = None,
    ) -> None:
        self.check = check
        self.device = settings.device
        self._suite = suite
        probes = [] if suite else [check]
        self._settings = replace(settings, probes=probes, depth=FULL, fresh=True)
        self._progress = progress
        self._environments = settings.home / "environments"
        source = suite.source() if suite else probe_sources().get(check.probe)
        if source is None:
            raise UsageError(
                f"--probe {check!r}: expected one check, such as donation.copies[donated]; compat "
                f"probes lists the probes"
            )
        asked = (check, settings.device, command_source() if suite else plan_source(), source)
        tag = hashlib.sha256("\0".join(asked).encode()).hexdigest()[:16]
        self._notes = settings.home / f"{tag}.json"
        self._fetching: list[Future[None]] = []
        self._fetcher = ThreadPoolExecutor(max_workers=1)

    def ask(self, candidate: Candidate, ahead: Sequence[Candidate]) -> Seen:
        """What the check says of a candidate, asked only if no answer is written down.

        Meanwhile the builds of those that may be asked next, ``ahead``, are installed.
        """
        notes = read_json(self._notes, dict[str, Seen]) if self._notes.exists() else {}
        if candidate.note in notes:
            return notes[candidate.note]
        self._fetch([each for each in ahead if each.note not in notes])
        seen = self.ask_again(candidate)
        if seen.answers and not candidate.wheel.may_be_replaced:
            notes[candidate.note] = seen
            write_json(self._notes, {name: asdict(each) for name, each in notes.items()})
        return seen

    def ask_again(self, candidate: Candidate) -> Seen:
        """What the check says of a candidate.

        Raises:
            UsageError: It knows no such check.
        """
        wheel, suite = candidate.wheel, self._suite
        subject = suite.id if suite else candidate.subject.id()
        settings = (
            replace(self._settings, subjects=(), suites=(suite,))
            if suite
            else replace(self._settings, subjects=(candidate.subject,))
        )
        resolution = Resolution(specs=(parse_spec(f"=={wheel.version.public}"),), wheel=wheel)
        runs = self._settings.home / "runs"
        run = merge([probe_builds([resolution], settings, runs, self._progress)])
        (build,) = run.builds
        matrix = Matrix(run)
        status, problem = matrix.status(build.id, subject)
        if status is not Status.OK:
            return Seen(problem=problem)
        cell = next((cell for cell in run.cells if cell.check == self.check), None)
        if cell is None:
            raise UsageError(
                f"--probe {self.check!r} is no check of {build.id} on {self.device}; there are "
                f"{', '.join(cell.check for cell in run.cells) or 'none like it'}"
            )
        if not cell.outcome.known:
            return Seen(problem=f"{cell.outcome.value}: {cell.reason}")
        if cell.flaky:
            return Seen(problem="flaky")
        if suite is not None:
            passed = cell.outcome is Outcome.PASS
            return Seen(
                answers={PASSES: Said(scale=verdict(PASSES, passed).scale, value=passed)},
                git_version=build.git_version,
                failure=signature_of_cell(cell) or cell.reason,
            )
        answers = answers_of(matrix, build, subject)
        return Seen(
            answers={
                name.name: Said(scale=answer.scale, value=answer.value)
                for name, answer in answers.items()
                if name.check == self.check
            },
            git_version=build.git_version,
        )

    def _fetch(self, candidates: Sequence[Candidate]) -> None:
        for waiting in self._fetching:
            waiting.cancel()
        self._fetching = [self._fetcher.submit(self._install, each) for each in candidates]

    def _install(self, candidate: Candidate) -> None:
        # What went wrong is said when the build is asked.
        with suppress(InstallError):
            self._environments.mkdir(parents=True, exist_ok=True)
            install(candidate.wheel, self._environments)

    def keep(self, candidates: Sequence[Candidate]) -> None:
        """Remove the environments of all other builds."""
        kept = tuple(f"torch-{each.wheel.version}-" for each in candidates)
        for complete in self._environments.glob(f"torch-*/{COMPLETE}"):
            name = complete.parent.name
            if not name.startswith(kept):
                remove(self._environments, name)

    def close(self) -> None:
        """End what is going on beside, and remove all environments."""
        self._fetcher.shutdown(cancel_futures=True)
        shutil.rmtree(self._environments, ignore_errors=True)
        shutil.rmtree(self._settings.home / "subjects", ignore_errors=True)


def bisect(
    candidates: Sequence[Candidate],
    runner: CheckRunner,
    answer: str = "",
    passes: tuple[bool, bool] | None = None,
) -> Found:
    """Where in ``candidates``, oldest first, answers change from the first's to the last's.

    Args:
        candidates: At least two.
        runner: Asks the check.
        answer: The name of the only answer that counts; all that the ends give otherwise if empty.
        passes: Of a script: whether it has to pass on the first one, and on the last one.

    Raises:
        UsageError: One of the ends says nothing, or both say the same; or a script does not say
            there what it has to.
    """
    seen: dict[int, Seen] = {}

    def ask(index: int, *ahead: int) -> Seen:
        seen[index] = runner.ask(candidates[index], [candidates[each] for each in ahead])
        return seen[index]

    last = len(candidates) - 1
    low, high = 0, last
    ends = (ask(0, last), ask(last, *_middle(0, last, seen)))
    for index in (0, last):
        if not seen[index].answers:
            raise UsageError(f"{candidates[index].name} says nothing: {seen[index].problem}")
    for index, wanted in zip((0, last), passes or (), strict=False):
        end = seen[index]
        if end.passes is not wanted:
            expected = "good" if wanted else "bad"
            raise UsageError(f"{candidates[index].name} was to be {expected}, and it {_ends(end)}")
    names = [name for name in differing(*ends) if answer in {"", name}]
    if not names:
        what = f" about {answer}" if answer else ""
        raise UsageError(f"{candidates[0].name} and {candidates[last].name} say the same{what}")
    while middle := _middle(low, high, seen):
        (index,) = middle
        found = ask(index, *_middle(low, index, seen), *_middle(index, high, seen))
        if say_the_same(ends[0], found, names):
            low = index
        elif say_the_same(ends[1], found, names):
            high = index
        runner.keep([candidates[each] for each in (low, high, *_middle(low, high, seen))])
    return Found(
        names=names,
        seen={candidates[index].name: seen[index] for index in sorted(seen)},
        good=candidates[low].name,
        bad=candidates[high].name,
        between=[candidates[index].name for index in range(low + 1, high)],
        repeated=(runner.ask_again(candidates[low]), runner.ask_again(candidates[high])),
    )


def from_one_end(candidates: Sequence[Candidate], runner: CheckRunner) -> Sequence[Candidate]:
    """The part of ``candidates`` at whose ends a script fails and passes, sought step by step.

    Args:
        candidates: The one on which it is known to fail, then farther and farther away from it.
        runner: Asks the script.

    Comes back with the last candidate on which it failed, those behind it, and the first one on
    which it passes; each step looks for that one twice as far away as the one before.

    Raises:
        UsageError: It does not fail on the first one, or passes on none that could be asked.
    """
    first, *_ = candidates
    known = runner.ask(first, candidates[1:2])
    if known.passes is not False:
        raise UsageError(f"{first.name} was to be bad, and it {_ends(known)}")
    last = len(candidates) - 1
    near, far, step = 0, 0, 1
    while far < last:
        far = min(step, last)
        step *= 2
        seen = runner.ask(candidates[far], candidates[min(step, last) :][:1])
        if seen.passes:
            return candidates[near : far + 1]
        if seen.passes is False:
            near = far
    raise UsageError(
        f"it passes on none of {first.name} … {candidates[last].name}, as far as they were asked: "
        f"name a good end with --good"
    )


def _ends(seen: Seen) -> str:
    if seen.passes is None:
        return f"says nothing: {seen.problem}"
    return "passes" if seen.passes else f"fails: {seen.failure}"


def _middle(low: int, high: int, seen: Mapping[int, Seen]) -> list[int]:
    """The one to be asked next: of those not asked yet, the one nearest to the middle."""
    unasked = [index for index in range(low + 1, high) if index not in seen]
    return sorted(unasked, key=lambda index: abs(2 * index - low - high))[:1]

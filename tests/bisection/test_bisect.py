"""The search: ends first, past what says nothing, and asked again before a build is blamed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from packaging.version import Version

from compat.bisection.candidates import Candidate, between_releases
from compat.bisection.search import (
    PASSES,
    CheckRunner,
    Found,
    Said,
    Seen,
    bisect,
    differing,
    from_one_end,
    say_the_same,
)
from compat.bisection.text import bisection_text
from compat.builds.environment import COMPLETE
from compat.builds.index import IndexedWheel
from compat.cli import _parser
from compat.commands.bisect import _asked, _question, _told
from compat.errors import UsageError
from compat.running.settings import Settings
from compat.runs.answers import ENDING, Ending, Value, count, quantity, text, verdict
from compat.runs.ids import CheckId
from compat.runs.model import Outcome
from compat.subjects.spec import parse_subject

Answer = Callable[[int], str | Seen]

WHEELS = [
    IndexedWheel(
        version=Version(f"2.16.0.dev2026{number:04}"),
        channel="nightly",
        filename=f"{number}",
        url="",
        sha256="",
        index=None,
    )
    for number in range(365)
]


CANDIDATES = [Candidate(wheel=wheel) for wheel in WHEELS]
COPIES = count("copies", 0).scale
CALLS = quantity("calls", 0, noise=0.5).scale
DONATED = CheckId("donation.copies[donated]")


def ended(how: str) -> Said:
    """In ``pass``, or in ``fail: `` and a signature."""
    outcome, _, signature = how.partition(": ")
    return Said(scale=ENDING, value=Ending(outcome=Outcome(outcome), signature=signature))


def copying(copies: int, calls: float = 1000.0) -> Seen:
    answers = {
        "outcome": ended("pass"),
        "copies": Said(scale=COPIES, value=copies),
        "calls": Said(scale=CALLS, value=calls),
    }
    return Seen(answers=answers)


def said(answer: str | Seen) -> Seen:
    """A build by how its check ended; empty where the build says nothing."""
    if isinstance(answer, Seen):
        return answer
    if not answer:
        return Seen(problem="could not be installed")
    return Seen(answers={"outcome": ended(answer)})


class Answers(CheckRunner):
    """What each build says, and how often it was asked, without a build."""

    def __init__(self, answer: Answer, again: Answer) -> None:
        self._answer = answer
        self._again = again
        self.asked: list[int] = []
        self.ahead: list[list[int]] = []
        self.kept: list[int] = []

    def ask(self, candidate: Candidate, ahead: Sequence[Candidate]) -> Seen:
        self.asked.append(int(candidate.wheel.filename))
        self.ahead.append([int(each.wheel.filename) for each in ahead])
        return self._seen(self._answer(self.asked[-1]), candidate.wheel)

    def ask_again(self, candidate: Candidate) -> Seen:
        return self._seen(self._again(int(candidate.wheel.filename)), candidate.wheel)

    def keep(self, candidates: Sequence[Candidate]) -> None:
        self.kept = [int(each.wheel.filename) for each in candidates]

    @staticmethod
    def _seen(answer: str | Seen, wheel: IndexedWheel) -> Seen:
        return replace(said(answer), git_version=f"{int(wheel.filename):040x}")


class Silent:
    """Hears nothing."""

    def phase(self, build: str, doing: str) -> None: ...

    def cells(self, build: str, done: int, planned: int) -> None: ...

    def end(self, build: str, result: str) -> None: ...


def settings(home: Path) -> Settings:
    return Settings(
        device="cpu",
        probes=(),
        depth="full",
        jobs=1,
        timeout_s=1,
        memory_gb=1,
        fresh=True,
        home=home,
    )


def changes_at(first: int, *broken: int) -> Callable[[int], str]:
    return lambda number: "" if number in broken else "pass" if number < first else "fail: <b>"


def search(answer: Answer, again: Answer | None = None, about: str = "") -> Found:
    return bisect(CANDIDATES, Answers(answer, again or answer), about)


def version(number: int) -> str:
    return str(WHEELS[number].version)


@pytest.mark.parametrize("first", [1, 2, 181, 182, 183, 184, 240, 363, 364])
def test_the_first_bad_one_past_two_that_are_broken(first: int) -> None:
    found = search(changes_at(first, 182, 183))
    assert found.certain
    good = max(number for number in range(first) if number not in {182, 183})
    bad = min(number for number in range(first, 365) if number not in {182, 183})
    assert (found.good, found.bad) == (version(good), version(bad))
    assert found.between == [version(number) for number in range(good + 1, bad)]
    assert len(found.seen) <= 13


@pytest.mark.parametrize(
    ("channel", "sha256", "asked"),
    [("nightly", "", 1), ("test", "", 2), ("test", "known", 1), ("stable", "known", 1)],
)
def test_what_was_said_is_written_down_unless_the_wheel_may_be_another_one(
    channel: str, sha256: str, asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Seen] = []

    def ask_again(_: CheckRunner, __: Candidate) -> Seen:
        given.append(copying(len(given), len(given) + 0.5))
        return given[-1]

    monkeypatch.setattr(CheckRunner, "ask_again", ask_again)
    wheel = replace(WHEELS[0], channel=channel, sha256=sha256)
    for _ in range(2):
        runner = CheckRunner(DONATED, settings(tmp_path), Silent())
        assert runner.ask(Candidate(wheel=wheel), []) == given[-1]
        runner.close()
    assert len(given) == asked
    runner = CheckRunner(DONATED, settings(tmp_path), Silent())
    runner.ask(Candidate(wheel=replace(wheel, sha256="of another one")), [])
    assert len(given) == asked + 1


def test_what_another_thread_installs_is_left_to_it(tmp_path: Path) -> None:
    runner = CheckRunner(DONATED, settings(tmp_path), Silent())
    environments = settings(tmp_path).home / "environments"
    kept, unused, made = (environments / f"torch-{WHEELS[i].version}-abc" for i in range(3))
    for folder in (kept, unused, made):
        folder.mkdir(parents=True)
        (folder / COMPLETE).touch()
    with FileLock(f"{made}.lock"):
        runner.keep(CANDIDATES[:1])
    assert [each.exists() for each in (kept, unused, made)] == [True, False, True]


def test_both_ends_are_asked_first() -> None:
    answers = Answers(changes_at(100), changes_at(100))
    bisect(CANDIDATES, answers)
    assert answers.asked[:3] == [0, 364, 182]
    assert {99, 100} <= set(answers.kept)


def test_what_may_be_next_is_fetched_ahead() -> None:
    answers = Answers(changes_at(100), changes_at(100))
    bisect(CANDIDATES, answers)
    assert answers.ahead[:3] == [[364], [182], [91, 273]]
    for ahead, following in zip(answers.ahead, answers.asked[1:], strict=False):
        assert following in ahead


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (changes_at(400), "20260000 and 2.16.0.dev20260364 say the same"),
        (changes_at(100, 0), "20260000 says nothing: could not be installed"),
        (changes_at(100, 364), "20260364 says nothing: could not be installed"),
    ],
)
def test_ends_that_are_of_no_use(answer: Callable[[int], str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        search(answer)


def test_a_third_answer_takes_no_side() -> None:
    other = "fail: something else"
    found = search(lambda number: other if number in {99, 100} else changes_at(100)(number))
    assert found.between == [version(99), version(100)]
    assert "not told apart" in bisection_text(found, "a.b", "cpu", "compat")


def test_nobody_is_blamed_for_what_does_not_happen_again() -> None:
    found = search(changes_at(100), again=changes_at(400))
    assert not found.certain
    text = bisection_text(found, "a.b", "cpu", "compat")
    assert "uncertain" in text
    assert "the rerun gave: outcome: pass and outcome: pass" in text


def test_what_it_says_is_safe_and_names_the_commits() -> None:
    text = bisection_text(search(changes_at(100)), "donation.copies[donated]", "cpu", "nox -s b")
    assert r"since 2.16.0.dev20260100" in text
    assert f"[{99:040x}...{100:040x}](https://github.com/pytorch/pytorch/compare/" in text
    assert r"outcome: fail: \<b\>" in text
    assert text.endswith("    nox -s b\n")


def test_an_answer_of_a_check_that_passes_either_way() -> None:
    found = search(lambda number: copying(1 if number < 100 else 4))
    assert found.certain
    assert list(found.names) == ["copies"]
    assert (found.good, found.bad) == (version(99), version(100))
    shown = bisection_text(found, "donation.copies[donated]", "cpu", "compat")
    assert f"up to {version(99)}: copies: 1" in shown
    assert f"from {version(100)} on: copies: 4" in shown


def two_changes(number: int) -> Seen:
    return copying(1 if number < 100 else 4, 1000.0 if number < 200 else 3000.0)


@pytest.mark.parametrize(("about", "first"), [("copies", 100), ("calls", 200)])
def test_only_the_answer_that_was_asked_for_counts(about: str, first: int) -> None:
    found = search(two_changes, about=about)
    assert list(found.names) == [about]
    assert (found.good, found.bad) == (version(first - 1), version(first))


def test_where_several_answers_change_what_lies_between_takes_no_side() -> None:
    found = search(two_changes)
    assert list(found.names) == ["copies", "calls"]
    assert (found.good, found.bad) == (version(99), version(200))


def test_noise_takes_the_side_that_it_is_near() -> None:
    found = search(lambda number: copying(1, (1000.0 if number < 100 else 3000.0) + number % 7))
    assert found.certain
    assert list(found.names) == ["calls"]
    assert (found.good, found.bad) == (version(99), version(100))
    with pytest.raises(UsageError, match="say the same about copies"):
        search(lambda number: copying(1, 1000.0 + number), about="copies")


def answer(value: Value | None) -> Seen:
    return Seen(answers={"signature": Said(scale=text("signature", None).scale, value=value)})


@pytest.mark.parametrize(
    ("one", "other", "differ", "same"),
    [
        (answer("f()"), answer("f()"), [], True),
        (answer("f()"), answer("f(a)"), ["signature"], False),
        # What is not known neither differs nor is the same.
        (answer("f()"), answer(None), [], False),
        (answer("f()"), Seen(), [], False),
        (said("pass"), said("unsupported"), ["outcome"], False),
        (said("pass"), said("skip"), [], False),
    ],
)
def test_how_two_builds_relate(one: Seen, other: Seen, differ: list[str], same: bool) -> None:
    assert differing(one, other) == differ
    assert say_the_same(one, other, one.answers) is same


def test_what_was_written_down_comes_back_with_its_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers stay whole, and an ending an ending: else nothing would be the same afterwards."""
    seen = replace(copying(1), git_version="abc")
    monkeypatch.setattr(CheckRunner, "ask_again", lambda *_: seen)
    for _ in range(2):
        runner = CheckRunner(DONATED, settings(tmp_path), Silent())
        again = runner.ask(CANDIDATES[0], [])
        runner.close()
    assert again == seen
    assert say_the_same(again, seen, seen.answers)


@pytest.mark.parametrize(
    ("asked", "check", "name"),
    [
        ("donation.copies[donated]", "donation.copies[donated]", ""),
        ("donation.copies[donated].copies", "donation.copies[donated]", "copies"),
        ("a.b", "a.b", ""),
        ("a.b.c", "a.b", "c"),
    ],
)
def test_a_check_or_one_answer_of_it_is_asked(asked: str, check: str, name: str) -> None:
    assert _asked(asked) == (check, name)


@pytest.mark.parametrize("asked", ["donation", "donation.copies[x", "a.b.c-d", ""])
def test_what_is_neither_is_refused_in_one_line(asked: str) -> None:
    with pytest.raises(UsageError, match="expected a check, such as") as caught:
        _asked(asked)
    assert repr(asked) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (
            ["--good", "2.10", "--bad", "2.15"],
            ("cpu", "nox -s bisect -- --probe 'a.b' --good ==1 --bad ==2 --device cpu"),
        ),
        (
            ["--good", "2.11", "--bad", "2.15", "--subject", "vllm==0.33.0"],
            (
                "cpu, vllm==0.33.0",
                "nox -s bisect -- --probe 'a.b' --subject vllm==0.33.0 --good ==1 --bad ==2 "
                "--device cpu",
            ),
        ),
        (
            [
                *("--good", "0.20.2", "--bad", "0.33.0", "--subject", "vllm"),
                *("--over", "subject", "--build", "2.11"),
            ],
            (
                "torch 2.11, cpu",
                "nox -s bisect -- --probe 'a.b' --subject vllm --over subject --build 2.11 "
                "--good 0.20.2 --bad 0.33.0 --device cpu",
            ),
        ),
    ],
)
def test_the_command_that_repeats_it(typed: list[str], told: tuple[str, str]) -> None:
    parsed = _parser().parse_args(["bisect", "--probe", "a.b", *typed])
    assert _told(parsed, _question(parsed), "cpu", ["1", "2"]) == ("a.b", *told)


def test_the_releases_between_two(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [Version(text) for text in ("0.20.2", "0.21.0", "0.22.0rc1", "0.22.0", "0.23.0")]
    monkeypatch.setattr("compat.bisection.candidates.releases", lambda _: listed)
    vllm = parse_subject("vllm")
    found = between_releases(vllm, "0.20.2", "==0.22.0", WHEELS[0])
    assert [each.name for each in found] == ["vllm-0.20.2", "vllm-0.21.0", "vllm-0.22.0"]
    assert {each.wheel for each in found} == {WHEELS[0]}
    assert len({each.note for each in found}) == 3
    for good, bad in (("0.20.3", "0.22.0"), ("0.22.0", "0.20.2"), ("x", "0.22.0")):
        with pytest.raises(UsageError, match=r"--(good|bad) "):
            between_releases(vllm, good, bad, WHEELS[0])
    with pytest.raises(UsageError, match="--over subject: expected one of vllm"):
        between_releases(parse_subject("torch"), "1", "2", WHEELS[0])


def scripted(number: int) -> Callable[[int], Seen]:
    """Of a script that fails from a number on; it cannot tell on those whose last digit is 3."""
    scale = verdict("passes", True).scale

    def answer(index: int) -> Seen:
        if index % 10 == 3:
            return Seen(problem="skip: it cannot tell")
        passed = index < number
        failure = "" if passed else "ValueError: no"
        return Seen(answers={PASSES: Said(scale=scale, value=passed)}, failure=failure)

    return answer


@pytest.mark.parametrize("first", [2, 100, 299, 360, 362])
def test_a_good_end_is_looked_for_twice_as_far_away_each_time(first: int) -> None:
    answers = Answers(scripted(first), scripted(first))
    part = from_one_end(CANDIDATES[::-1], answers)[::-1]
    steps = [364, *(364 - 2**step for step in range(9))]
    assert answers.asked == [each for each in steps if each > 0][: len(answers.asked)] or (
        answers.asked[-1] == 0
    )
    found = bisect(part, answers, passes=(True, False))
    good, bad = (
        next(each for each in range(start, start + step * 9, step) if each % 10 != 3)
        for start, step in ((first - 1, -1), (first, 1))
    )
    assert (found.good, found.bad) == (version(good), version(bad))
    assert "passes: no \\(ValueError: no\\)" in bisection_text(found, "x.py", "cpu", "compat")


@pytest.mark.parametrize(
    ("candidates", "first", "complaint"),
    [
        (CANDIDATES[::-1], 0, "passes on none of 2.16.0.dev20260364 … 2.16.0.dev20260000"),
        (CANDIDATES[::-1], 400, "20260364 was to be bad, and it passes"),
        (CANDIDATES[363::-1], 100, "20260363 was to be bad, and it says nothing: skip"),
    ],
)
def test_no_good_end(candidates: Sequence[Candidate], first: int, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        from_one_end(candidates, Answers(scripted(first), scripted(first)))


def test_an_end_that_is_not_what_it_was_said_to_be() -> None:
    answers = Answers(scripted(100), scripted(100))
    with pytest.raises(UsageError, match="20260000 was to be bad, and it passes"):
        bisect(CANDIDATES, answers, passes=(False, True))

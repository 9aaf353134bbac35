"""The search: ends first, past what says nothing, and asked again before a build is blamed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from compat.bisection.search import Found, Laboratory, Seen, bisect, bisection_text
from compat.builds.index import IndexedWheel
from compat.errors import UsageError
from compat.running.settings import Settings

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


class Answers:
    """Stands for the laboratory: what each build says, and how often it was asked."""

    def __init__(self, answer: Callable[[int], str], again: Callable[[int], str]) -> None:
        self._answer = answer
        self._again = again
        self.asked: list[int] = []
        self.ahead: list[list[int]] = []
        self.kept: list[int] = []

    def ask(self, wheel: IndexedWheel, ahead: Sequence[IndexedWheel]) -> Seen:
        self.asked.append(int(wheel.filename))
        self.ahead.append([int(each.filename) for each in ahead])
        return self._seen(self._answer(self.asked[-1]), wheel)

    def ask_again(self, wheel: IndexedWheel) -> Seen:
        return self._seen(self._again(int(wheel.filename)), wheel)

    def keep(self, wheels: Sequence[IndexedWheel]) -> None:
        self.kept = [int(each.filename) for each in wheels]

    @staticmethod
    def _seen(answer: str, wheel: IndexedWheel) -> Seen:
        if not answer:
            return Seen(problem="could not be installed")
        return Seen(answer=answer, git_version=f"{int(wheel.filename):040x}")


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


def search(answer: Callable[[int], str], again: Callable[[int], str] | None = None) -> Found:
    return bisect(WHEELS, Answers(answer, again or answer))


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
    said: list[Seen] = []

    def ask_again(laboratory: Laboratory, wheel: IndexedWheel) -> Seen:
        said.append(Seen(answer=f"{len(said)}"))
        return said[-1]

    monkeypatch.setattr(Laboratory, "ask_again", ask_again)
    wheel = replace(WHEELS[0], channel=channel, sha256=sha256)
    for _ in range(2):
        laboratory = Laboratory("donation.copies[donated]", settings(tmp_path), Silent())
        assert laboratory.ask(wheel, []) == said[-1]
        laboratory.close()
    assert len(said) == asked
    laboratory = Laboratory("donation.copies[donated]", settings(tmp_path), Silent())
    laboratory.ask(replace(wheel, sha256="of another one"), [])
    assert len(said) == asked + 1


def test_both_ends_are_asked_first() -> None:
    answers = Answers(changes_at(100), changes_at(100))
    bisect(WHEELS, answers)
    assert answers.asked[:3] == [0, 364, 182]
    assert {99, 100} <= set(answers.kept)


def test_what_may_be_next_is_fetched_ahead() -> None:
    answers = Answers(changes_at(100), changes_at(100))
    bisect(WHEELS, answers)
    assert answers.ahead[:3] == [[364], [182], [91, 273]]
    for ahead, following in zip(answers.ahead, answers.asked[1:], strict=False):
        assert following in ahead


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (changes_at(400), "say the same: pass"),
        (changes_at(100, 0), "20260000 says nothing: could not be installed"),
        (changes_at(100, 364), "20260364 says nothing: could not be installed"),
    ],
)
def test_ends_that_are_of_no_use(answer: Callable[[int], str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        search(answer)


def test_a_third_answer_takes_no_side() -> None:
    found = search(lambda number: "hm" if number in {99, 100} else changes_at(100)(number))
    assert found.between == [version(99), version(100)]
    assert "not told apart" in bisection_text(found, "a.b", "cpu")


def test_nobody_is_blamed_for_what_does_not_happen_again() -> None:
    found = search(changes_at(100), again=changes_at(400))
    assert not found.certain
    text = bisection_text(found, "a.b", "cpu")
    assert "no build is blamed" in text
    assert "asked again, the two said: pass and pass" in text


def test_what_it_says_is_safe_and_names_the_commits() -> None:
    text = bisection_text(search(changes_at(100)), "donation.copies[donated]", "cpu")
    assert r"since 2.16.0.dev20260100" in text
    assert f"[{99:040x}...{100:040x}](https://github.com/pytorch/pytorch/compare/" in text
    assert r"fail: \<b\>" in text
    assert "--probe 'donation.copies[donated]' --good ==2.16.0.dev20260000 --bad ==2.16" in text

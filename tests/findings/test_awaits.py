"""Fixes awaited: the night that turns one green says so, and no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compat.errors import UsageError
from compat.findings.awaits import Standing, load_awaits
from compat.findings.expectations import NONE
from compat.findings.results import Results, results_of
from compat.report.awaited import awaited_lines, awaited_text
from compat.report.markdown import render
from compat.runs.history import EMPTY, History
from compat.runs.model import Outcome
from tests.conftest import SOURCE, make_build, make_cell, make_run

ENTRY = """
[[await]]
check = "surface.name[torch.x]"
issue = "https://github.com/pytorch/pytorch/issues/1"
remove = "tests/test_x.py:41"
reason = "the skip"
"""


def night(day: int, outcome: Outcome, history: History, folder: Path) -> Results:
    file = folder / "awaits.toml"
    file.write_text(ENTRY)
    name = f"2.16.0.dev202611{day:02}"
    source = replace(
        SOURCE, id=f"2026-11-{day:02}T050000.000Z", started=f"2026-11-{day:02}T05:00:00+00:00"
    )
    cells = [
        make_cell(
            build,
            "surface.name",
            ended,
            params={"name": "torch.x"},
            signature="" if ended is Outcome.PASS else "KeyError: x",
            seen_in=source.id,
        )
        for build, ended in ((name, outcome), ("2.15.0", Outcome.ERROR))
    ]
    run = make_run(
        [make_build(name, channel="nightly"), make_build("2.15.0", channel="stable")], cells
    )
    return results_of(replace(run, sources=(source,)), history, NONE, load_awaits(file))


def test_only_the_night_that_turns_it_green_says_so(tmp_path: Path) -> None:
    said, history = [], EMPTY
    for day, outcome in enumerate(
        [Outcome.ERROR, Outcome.NOT_RUN, Outcome.PASS, Outcome.PASS, Outcome.FAIL, Outcome.PASS], 20
    ):
        results = night(day, outcome, history, tmp_path)
        history = results.history
        (awaited,) = results.awaited
        said.append((awaited.standing, *awaited_lines(results.awaited)))
    link = "https://github.com/pytorch/pytorch/issues/1"
    fixed = (
        "surface.name[torch.x]: fixed in 2.16.0.dev202611{}; remove tests/test_x.py:41 (the skip)"
    )
    assert said == [
        (Standing.WAITING,),
        # Of the nightly nothing is known; the release still says what it said.
        (Standing.WAITING,),
        (Standing.FIXED, f"{fixed.format(22)}; {link}"),
        (Standing.FIXED_BEFORE,),
        (Standing.WAITING,),
        (Standing.FIXED, f"{fixed.format(25)}; {link}"),
    ]


def test_told_again_from_the_same_runs_it_is_the_same(tmp_path: Path) -> None:
    before = night(20, Outcome.ERROR, EMPTY, tmp_path)
    once = night(21, Outcome.PASS, before.history, tmp_path)
    again = night(21, Outcome.PASS, once.history, tmp_path)
    assert once.awaited == again.awaited
    assert "fixed" in render(once)
    (awaited,) = once.awaited
    assert "remove tests/test\\_x.py:41" in awaited_text(awaited)


def test_a_script_is_run_for_it(tmp_path: Path) -> None:
    file = tmp_path / "awaits.toml"
    file.write_text(
        '[[await]]\nscript = "repros/a b.py"\nwith = ["einops==0.8.1"]\n'
        'issue = "https://example.org/1"\nremove = "x.py:1"\n'
    )
    awaits = load_awaits(file)
    (suite,) = awaits.suites()
    (entry,) = awaits.entries
    assert (
        (entry.subject, entry.check)
        == (suite.id, suite.check)
        == (
            "suite-a_b",
            "suite.command[repros/a b.py]",
        )
    )
    assert suite.packages == ("einops==0.8.1",)
    results = replace(night(20, Outcome.PASS, EMPTY, tmp_path), awaited=())
    assert list(awaited_lines(results.awaited)) == []


def test_without_a_file_nothing_is_awaited(tmp_path: Path) -> None:
    assert list(load_awaits(tmp_path / "awaits.toml").entries) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('issue = "https://github.com/pytorch/pytorch/issues/1"', 'issue = "#1"', "an address"),
        ("tests/test_x.py:41", "tests/test_x.py", "FILE:LINE"),
        ("surface.name[torch.x]", "surface", "such as donation.copies"),
        ("check =", "chek =", "expected check, issue"),
        ('reason = "the skip"', "reason = 1", "as texts"),
        ("[[await]]", "[[awaits]]", r"expected \[\[await\]\] only"),
        ('reason = "the skip"', 'script = "x.py"', "a 'script', or a 'check'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    old: str, new: str, complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "awaits.toml"
    file.write_text(ENTRY.replace(old, new))
    with pytest.raises(UsageError, match=complaint) as caught:
        load_awaits(file)
    assert len(str(caught.value).splitlines()) == 1

"""The soak sees what a run must not leave."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from filelock import FileLock

from compat.runs.contents import Planned, Reported
from compat.runs.model import Outcome, to_json
from compat.runs.store import RunFolder
from tests.conftest import SOURCE, make_build
from tests.soak.account import Account, statuses
from tests.soak.kills import GROUP, PROBE, RUNNER, WORKER, Kill
from tests.soak.place import Place

INTERRUPTED_STATUS = 130


@pytest.fixture
def account(tmp_path: Path) -> Account:
    (tmp_path / ".compat" / "environments").mkdir(parents=True)
    return Account(Place(tmp_path, ()))


def see(account: Account, *probes: str, number: int = 1) -> RunFolder:
    """A run that saw these, and came to no end."""
    runs = account.place.home / "runs"
    runs.mkdir(exist_ok=True)
    folder = RunFolder.create(runs, SOURCE.harness, SOURCE.host)
    stream = folder.stream(make_build("2.14.0").id)
    stream.append("build", to_json(make_build("2.14.0")))
    for probe in probes:
        planned = Planned(probe=probe, params={}, description="asks")
        stream.append("plan", to_json(planned))
        stream.append("cell", to_json(Reported(probe=probe, params={}, outcome=Outcome.PASS)))
    return folder


def killed(target: str, number: signal.Signals) -> Kill:
    return Kill(target, number, after_s=0, stopped_s=0)


KILLED = killed(RUNNER, signal.SIGKILL)


def test_a_run_that_was_cut_short_leaves_what_it_may(account: Account) -> None:
    see(account, "a.b", "a.c")
    assert account.problems(3, KILLED, []) == []
    assert (account.run, account.reused) == (2, 0)


def test_what_was_seen_and_is_run_again_was_lost(account: Account) -> None:
    first = see(account, "a.b")
    assert account.problems(3, KILLED, []) == []
    see(account, "a.b")
    (problem,) = account.problems(3, KILLED, [first])
    assert problem.startswith("lost: a.b, which ")


def test_what_is_planned_in_one_run_alone(account: Account) -> None:
    first = see(account, "a.b")
    assert account.problems(3, KILLED, []) == []
    see(account, "a.c")
    problems = account.problems(3, KILLED, [first])
    assert len([each for each in problems if each.startswith("planned now and not")]) == 2


def test_a_run_that_made_two_folders(account: Account) -> None:
    see(account, "a.b")
    see(account)
    assert account.problems(3, KILLED, []) == ["2 runs in the place of one"]


def test_locks_and_folders_that_are_left(account: Account) -> None:
    folder = see(account, "a.b")
    (account.place.home / "stray").mkdir()
    (folder.path / "core").touch()
    for pid in (1, 2):
        (account.place.home / "environments" / "x-scratch" / "tmp" / f"compat-{pid}-y").mkdir(
            parents=True
        )
    with FileLock(account.place.home / "running.lock"):
        assert sorted(account.problems(3, KILLED, [])) == [
            "2 folders of workers that are gone",
            "held: running.lock",
            "left in .compat: stray",
            "left in a run: core",
        ]


@pytest.mark.parametrize(
    ("kill", "allowed"),
    [
        (None, {0}),
        (killed(WORKER, signal.SIGKILL), {0}),
        (killed(PROBE, signal.SIGTERM), {0}),
        (killed(RUNNER, signal.SIGSTOP), {0}),
        (killed(RUNNER, signal.SIGTERM), {0, 3}),
        (killed(RUNNER, signal.SIGINT), {0, 3, INTERRUPTED_STATUS}),
        (killed(GROUP, signal.SIGINT), {0, -signal.SIGINT, INTERRUPTED_STATUS}),
        (killed(GROUP, signal.SIGKILL), {0, -signal.SIGKILL}),
    ],
)
def test_what_a_run_may_end_with(kill: Kill | None, allowed: set[int], account: Account) -> None:
    assert statuses(kill) == allowed
    (problem,) = account.problems(7, kill, [])
    assert problem.startswith("ended with 7, expected ")

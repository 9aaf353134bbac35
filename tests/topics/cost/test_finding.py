from __future__ import annotations

from compat.runs.answers import Change
from compat.runs.model import Cell, Outcome
from compat.topics.cost.finding import find
from compat.topics.cost.records import Work
from tests.topics.cells import make_build, make_cell, make_matrix


def work_on(build: str, calls: int, layers: str = "1", path: str = "donated") -> Cell:
    record = Work(calls=calls, instructions=None)
    return make_cell(build, record, params={"layers": layers, "path": path})


def test_of_an_empty_run_nothing_is_found() -> None:
    assert find(make_matrix(builds=(make_build("2.13.0-cpu"),))).steps == ()


def test_steps_join_builds_that_counted_the_same() -> None:
    missing = make_cell(
        "2.13.0-cpu",
        None,
        Outcome.TIMEOUT,
        probe="cost.work",
        params={"layers": "1", "path": "donated"},
    )
    found = find(
        make_matrix(
            work_on("2.12.1-cpu", 100_000),
            work_on("2.12.1-cpu", 400_000, layers="3"),
            missing,
            work_on("2.14.1-cpu", 300_000),
        )
    )
    (step,) = found.steps
    assert (step.before, step.after, step.layers) == ("2.12.1-cpu", "2.14.1-cpu", "1")
    assert (step.ratio, step.change) == (3, Change.WORSE)
    assert step.cells == (
        "cost.work[1-donated]@2.12.1-cpu",
        "cost.work[1-donated]@2.14.1-cpu",
    )


def test_devices_and_pythons_are_never_compared() -> None:
    found = find(
        make_matrix(
            work_on("2.13.0-cpu", 100_000),
            work_on("2.13.0-cuda", 900_000),
            work_on("2.14.1-py3.10-cpu", 500_000),
            work_on("2.14.1-cpu", 100_000),
        )
    )
    assert [(step.before, step.after) for step in found.steps] == [("2.13.0-cpu", "2.14.1-cpu")]


def test_a_count_of_nothing_is_compared_with_nothing() -> None:
    assert find(make_matrix(work_on("2.13.0-cpu", 0), work_on("2.14.1-cpu", 9))).steps == ()

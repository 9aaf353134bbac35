from __future__ import annotations

from compat.document.parts import Code, Spread
from compat.runs.model import Cell, Outcome
from compat.topics.cost.records import CompileTime, PathTime, Work
from compat.topics.cost.topic import TOPIC
from tests.topics.cells import make_build, make_cell, make_matrix


def work_on(build: str, calls: int, instructions: int | None = None, path: str = "donated") -> Cell:
    record = Work(calls=calls, instructions=instructions)
    return make_cell(build, record, params={"layers": "3", "path": path})


def said(*cells: Cell) -> list[tuple[str, str]]:
    matrix = make_matrix(*cells)
    return [(each.title, each.text) for each in TOPIC.say(matrix, TOPIC.find(matrix))]


def test_nothing_is_said_of_an_empty_run() -> None:
    matrix = make_matrix(builds=(make_build("2.13.0-cpu"),))
    found = TOPIC.find(matrix)
    assert list(TOPIC.say(matrix, found)) == []
    assert not any(each.rows for section in TOPIC.show(matrix, found) for each in section.tables)
    assert not any(chart.labels for chart in TOPIC.draw(matrix, found))


def test_a_build_on_which_compiling_takes_more_work() -> None:
    assert said(
        work_on("2.13.0-cpu", 100_000),
        work_on("2.13.0-cpu", 100_000, path="aot"),
        work_on("2.14.1-cpu", 300_000),
        work_on("2.14.1-cpu", 110_000, path="aot"),
        work_on("2.15.0-cpu", 100_000),
    ) == [
        (
            "cost: compiling takes more work on 2.14.1 than on 2.13.0",
            "Calls of Python functions: 3 times as many on donated (3 MLPs), 300,000 instead of "
            "100,000.",
        ),
        (
            "cost: compiling takes less work on 2.15.0 than on 2.14.1",
            "Calls of Python functions: 0.33 times as many on donated (3 MLPs), 100,000 instead of "
            "300,000.",
        ),
    ]


def test_builds_that_take_about_as_much() -> None:
    ((title, text),) = said(
        work_on("2.13.0-cpu", 100_000),
        work_on("2.14.1-cpu", 112_000),
        work_on("2.15.0-cpu", 111_000),
    )
    assert title == "cost: compiling takes about as much work on 2.13.0, 2.14.1, 2.15.0"
    assert "the most from 2.13.0 to 2.14.1, 1.12 times as many on donated (3 MLPs)" in text


def test_counts_are_shown_by_graph_and_path() -> None:
    unsupported = make_cell(
        "2.11.0-cpu",
        None,
        Outcome.UNSUPPORTED,
        probe="cost.work",
        params={"layers": "3", "path": "donated"},
    )
    matrix = make_matrix(unsupported, work_on("2.13.0-cpu", 291_690))
    cost, _ = TOPIC.show(matrix, TOPIC.find(matrix))
    calls, instructions = cost.tables
    assert list(calls.rows[0]) == ["3 MLPs", Code("donated"), "➖", "291,690"]
    assert len(calls.headers) == 4
    assert not instructions.rows, "no machine counted them"
    assert matrix.builds[0].id == "2.11.0-cpu"


def test_instructions_are_shown_where_some_machine_counted_them() -> None:
    matrix = make_matrix(work_on("2.13.0-cpu", 9, 2_000_000), work_on("2.14.1-cpu", 9))
    _, instructions = next(iter(TOPIC.show(matrix, TOPIC.find(matrix)))).tables
    assert list(instructions.rows[0]) == ["3 MLPs", Code("donated"), "2,000,000", ""]


def test_charts_of_calls_and_of_seconds() -> None:
    time = PathTime(path="donated", median_s=1.5, min_s=1.25, max_s=2.0, repeats=5)
    matrix = make_matrix(
        work_on("2.13.0-cpu", 300),
        work_on("2.14.1-cpu", 400),
        work_on("2.14.1-cpu", 500, path="aot"),
        make_cell("2.13.0-cuda", CompileTime(paths=(time,), hits=0)),
    )
    calls, seconds = (chart for chart in TOPIC.draw(matrix, TOPIC.find(matrix)) if chart.labels)
    assert calls.title == "Work of one compilation: cpu"
    assert list(calls.labels) == ["2.13.0", "2.14.1"]
    assert calls.series == {"donated, 3 MLPs": [300.0, 400.0], "aot, 3 MLPs": [None, 500.0]}
    assert seconds.labels == ["2.13.0 cuda"]
    assert seconds.series == {"donated": [Spread(value=1.5, low=1.25, high=2.0)]}
    assert list(seconds.table.rows[0]) == [
        *("2.13.0 cuda", Code("donated"), "1.50", "1.25 to 2.00", "5", "0"),
    ]

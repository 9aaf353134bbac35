from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from compat.errors import UsageError
from compat.runs import history
from compat.runs.history import (
    EMPTY,
    WHOLE,
    Column,
    History,
    append,
    columns_of,
    load_history,
    save_history,
)
from compat.runs.model import Cell, Outcome, Run, Status
from tests.conftest import SOURCE, make_build, make_cell, make_run

BROKEN = Status.BROKEN


def run_of(day: str, *cells: Cell, **build: str) -> Run:
    builds = [make_build(name, **build) for name in dict.fromkeys(cell.build for cell in cells)]
    source = replace(SOURCE, id=f"2026-11-{day}T050000.000Z")
    seen = [replace(cell, seen_in=source.id if cell.seen_in else "") for cell in cells]
    return replace(make_run(builds, seen), sources=(source,))


def red(build: str, check: str) -> Cell:
    return make_cell(build, check, Outcome.FAIL, signature="AssertionError: no")


def test_a_column_for_each_build_of_each_run_and_a_letter_for_each_cell() -> None:
    first = run_of("20", make_cell("2.12.1", "a.b"), red("2.13.0", "a.b"))
    second = run_of("21", make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.c", Outcome.NOT_RUN))
    seen = append(append(EMPTY, first), second)
    assert [(each.date, each.build) for each in seen.columns] == [
        ("2026-11-20", "2.12.1"),
        ("2026-11-20", "2.13.0"),
        ("2026-11-21", "2.13.0"),
    ]
    assert seen.outcomes == {"a.b": "pfp", "a.c": "..n", WHOLE: "ppp"}
    assert seen.signatures == {"a.b": {"1": "AssertionError: no"}}


def test_a_build_that_was_not_seen_again_keeps_its_day() -> None:
    """In a run of the 21st, all but one are taken over from the run of the 20th."""
    earlier, now = (replace(SOURCE, id=f"2026-11-{day}T050000.000Z") for day in ("20", "21"))
    cells = [
        make_cell("2.13.0", "a.b", seen_in=earlier.id),
        make_cell("2.14.1", "a.b", seen_in=earlier.id),
        make_cell("2.14.1", "a.c", seen_in=now.id),
        make_cell("2.15.0", "a.b", Outcome.NOT_RUN),
        make_cell("2.15.0", "a.c", seen_in=earlier.id),
    ]
    builds = [make_build("2.13.0"), make_build("2.14.1"), make_build("2.15.0", status=BROKEN)]
    seen = columns_of(replace(make_run(builds, cells), sources=(earlier, now)))
    assert [(each.build, each.date) for each in seen.columns] == [
        ("2.13.0", "2026-11-20"),
        ("2.14.1", "2026-11-21"),
        ("2.15.0", "2026-11-21"),
    ]
    assert {each.run for each in seen.columns} == {now.id}


def test_each_outcome_has_a_letter_of_its_own() -> None:
    assert "".join(sorted(history.LETTERS.values())) == "cefnpstu"


def test_a_build_that_broke_is_an_error_as_a_whole_and_one_that_is_unavailable_no_column() -> None:
    broken = make_build("2.14.1", status=Status.BROKEN, reason="import failed at 0x12")
    missing = make_build("nightly", status=Status.UNAVAILABLE, reason="no answer")
    seen = columns_of(make_run([broken, missing], []))
    assert [each.build for each in seen.columns] == ["2.14.1"]
    assert seen.outcomes == {WHOLE: "e"}
    assert seen.signatures == {WHOLE: {"0": "import failed at 0x…"}}


def test_a_run_that_is_there_already_replaces_its_columns(tmp_path: Path) -> None:
    first, second = run_of("20", red("2.13.0", "a.b")), run_of("21", make_cell("2.13.0", "a.b"))
    once = append(append(EMPTY, first), second)
    assert append(once, second) == once
    # Whatever the order in which they come.
    assert append(append(EMPTY, second), first) == once
    for name, seen in (("1", once), ("2", append(once, first))):
        save_history(seen, tmp_path / name)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_a_part_of_a_run_that_is_reported_again_takes_nothing_away() -> None:
    whole = run_of("20", make_cell("2.12.1", "a.b"), red("2.13.0", "a.b"), red("2.13.0", "a.c"))
    seen = append(append(EMPTY, whole), run_of("20", make_cell("2.13.0", "a.b")))
    assert [each.build for each in seen.columns] == ["2.12.1", "2.13.0"]
    assert seen.outcomes == {"a.b": "pp", "a.c": ".f", WHOLE: "pp"}
    assert seen.signatures == {"a.c": {"1": "AssertionError: no"}}


def test_a_history_survives_the_disk_and_has_one_check_a_line(tmp_path: Path) -> None:
    seen = columns_of(run_of("20", red("2.13.0", "a.b"), make_cell("2.13.0", "a.c")))
    save_history(seen, tmp_path / "history.json")
    assert load_history(tmp_path / "history.json") == seen
    assert '"a.b":"f",' in (tmp_path / "history.json").read_text().splitlines()
    assert load_history(tmp_path / "none.json") == EMPTY


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"schema_version": 1, "columns": [], "outcomes": {"a.b": "p"}, "signatures": {}}',
    ],
)
def test_what_is_no_history_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"history\.json: expected a history") as caught:
        load_history(path)
    assert len(str(caught.value).splitlines()) == 1


def test_old_columns_go_and_take_along_the_checks_that_only_they_had() -> None:
    seen = append(EMPTY, run_of("01", make_cell("2.13.0", "a.gone")))
    for day in range(2, 23):
        seen = append(seen, run_of(f"{day:02}", make_cell("2.13.0", "a.b")))
    assert len(seen.columns) == 20
    assert seen.columns[0].date == "2026-11-03"
    assert set(seen.outcomes) == {"a.b", WHOLE}


def a_year(devices: tuple[str, ...] = ("cpu", "cuda"), checks: int = 300) -> History:
    columns = []
    for day in range(365):
        on = (date(2025, 11, 20) + timedelta(days=day)).isoformat()
        columns += [
            Column(
                run=f"{on}T050000.000Z",
                date=on,
                build=f"2.14.0.dev{on.replace('-', '')}",
                device=device,
                version=f"2.14.0.dev{on.replace('-', '')}+{device}",
                channel="nightly",
                git_version="0" * 40,
            )
            for device in devices
        ]
    failing = {str(index): "AssertionError: " + "x" * 200 for index in range(len(columns))}
    return History(
        columns=tuple(columns),
        outcomes={f"a.b[{number:03}]": "p" * len(columns) for number in range(checks)},
        signatures={f"a.b[{number:03}]": failing for number in range(6)},
    )


def test_a_year_of_nightlies_is_read_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    save_history(a_year(), path)
    seen = append(load_history(path), run_of("22", red("2.14.0.dev20261122", "a.b")))
    save_history(seen, path)
    assert len(seen.columns) == 731
    assert json.loads(path.read_text())["outcomes"]["a.b"] == "." * 730 + "f"

"""The history: what goes in comes out again, and little of it stands on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.errors import UsageError
from compat.findings.answers import all_answers, entries_of
from compat.runs import history
from compat.runs.answers import (
    Ending,
    Kind,
    Sample,
    Scale,
    Value,
    count,
    numbers,
    quantity,
    text,
    verdict,
)
from compat.runs.history import (
    EMPTY,
    WHOLE,
    Column,
    Entry,
    History,
    Told,
    append,
    load_history,
    save_history,
    schema,
    to_file,
)
from compat.runs.ids import BUILTIN, AnswerId, BuildId, CheckId
from compat.runs.model import Cell, Outcome, Run, Status
from compat.topics.donation.records import Copies
from compat.topics.matrix import Matrix
from compat.topics.tracing_context.records import Needed
from tests.conftest import SOURCE, make_build, make_cell, make_run

COPIES = count("copies", 0).scale


def run_of(day: str, *cells: Cell, **build: str) -> Run:
    names = dict.fromkeys(cell.build.name_and_python for cell in cells)
    builds = [make_build(name, **build) for name in names]
    source = replace(SOURCE, id=f"2026-11-{day}T050000.000Z")
    seen = [replace(cell, seen_in=source.id if cell.seen_in else "") for cell in cells]
    return replace(make_run(builds, seen), sources=(source,))


def entries(run: Run) -> list[Entry]:
    matrix = Matrix(run)
    return entries_of(matrix, all_answers(matrix))


def history_of(*runs: Run) -> History:
    found = EMPTY
    for run in runs:
        found = append(found, entries(run))
    return found


def red(build: str, check: str) -> Cell:
    return make_cell(build, check, Outcome.FAIL, signature="AssertionError: no")


def letters(seen: History) -> Mapping[str, str]:
    found: Mapping[str, str] = to_file(seen)["outcomes"]
    return found


def test_a_column_for_each_build_of_each_run_and_a_letter_for_each_cell() -> None:
    seen = history_of(
        run_of("20", make_cell("2.12.1", "a.b"), red("2.13.0", "a.b")),
        run_of("21", make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.c", Outcome.NOT_RUN)),
    )
    assert [(each.date, each.build) for each in seen.columns] == [
        ("2026-11-20", "2.12.1-cpu"),
        ("2026-11-20", "2.13.0-cpu"),
        ("2026-11-21", "2.13.0-cpu"),
    ]
    assert letters(seen) == {"a.b": "pfp", "a.c": "..n", WHOLE: "ppp"}
    assert to_file(seen)["signatures"] == {"a.b": {"1": "AssertionError: no"}}


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
    broken = make_build("2.15.0", status=Status.BROKEN)
    builds = [make_build("2.13.0"), make_build("2.14.1"), broken]
    seen = history_of(replace(make_run(builds, cells), sources=(earlier, now)))
    assert [(each.build, each.date) for each in seen.columns] == [
        ("2.13.0-cpu", "2026-11-20"),
        ("2.14.1-cpu", "2026-11-21"),
        ("2.15.0-cpu", "2026-11-21"),
    ]
    assert {each.run for each in seen.columns} == {now.id}


def test_each_outcome_has_a_letter_of_its_own() -> None:
    assert "".join(sorted(history.LETTERS.values())) == "cefnpstu"


def test_a_build_that_broke_is_an_error_as_a_whole_and_one_that_is_unavailable_no_column() -> None:
    broken = make_build("2.14.1", status=Status.BROKEN, reason="import failed at 0x12")
    missing = make_build("nightly", status=Status.UNAVAILABLE, reason="no answer")
    (entry,) = history_of(make_run([broken, missing], [])).entries
    assert entry.column.build == "2.14.1-cpu"
    assert entry.endings == {WHOLE: Ending(outcome=Outcome.ERROR, signature="import failed at 0x…")}


def test_a_run_that_is_there_already_replaces_its_columns(tmp_path: Path) -> None:
    first, second = run_of("20", red("2.13.0", "a.b")), run_of("21", make_cell("2.13.0", "a.b"))
    once = history_of(first, second)
    assert append(once, entries(second)) == once
    # Whatever the order in which they come.
    assert history_of(second, first) == once
    for name, seen in (("1", once), ("2", append(once, entries(first)))):
        save_history(seen, tmp_path / name)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def copies(build: str, number: int, **changes: Any) -> Cell:
    return make_cell(build, "donation.copies", record=Copies(copies=number), **changes)


COPIED = AnswerId("donation.copies.copies")


def test_a_part_of_a_run_that_is_reported_again_takes_nothing_away() -> None:
    whole = run_of("20", make_cell("2.12.1", "a.b"), red("2.13.0", "a.b"), copies("2.13.0", 1))
    part = run_of("20", make_cell("2.13.0", "a.b"))
    seen = history_of(whole, part)
    assert [each.build for each in seen.columns] == ["2.12.1-cpu", "2.13.0-cpu"]
    assert letters(seen) == {"a.b": "pp", "donation.copies": ".p", WHOLE: "pp"}
    assert seen.entries[1].answers[COPIED].value == 1


def test_a_check_that_is_reported_again_says_what_it_says_now() -> None:
    whole = run_of("20", copies("2.13.0", 1))
    again = run_of("20", copies("2.13.0", 2))
    assert history_of(whole, again).entries[0].answers[COPIED].value == 2
    silent = run_of("20", make_cell("2.13.0", "donation.copies", Outcome.CRASH))
    assert COPIED not in history_of(whole, silent).entries[0].answers


# Round trips.

CHECKS = [CheckId(text) for text in ("a.b", "donation.copies[aot]", "parity.outputs[mlp-x]")]
GROUP = CheckId("parity.outputs[mlp]")
SCALES = {
    "works": verdict("works", True).scale,
    "copies": COPIES,
    "peak": quantity("peak", 0, noise=0.1, unit="MB").scale,
    "signature": text("signature", "").scale,
    "outputs": numbers("outputs", (), noise=1e-3).scale,
}
SAMPLES = st.builds(
    Sample,
    shape=st.just((2,)),
    norm=st.none() | st.floats(0, 10),
    values=st.lists(st.none() | st.floats(-9, 9), max_size=2).map(tuple),
)
VALUES: Mapping[Kind, st.SearchStrategy[Value]] = {
    Kind.VERDICT: st.booleans(),
    Kind.COUNT: st.integers(0, 3),
    Kind.QUANTITY: st.sampled_from([0.5, 0.75, 100.25]),
    Kind.TEXT: st.text(max_size=3),
    Kind.NUMBERS: st.lists(SAMPLES, max_size=2).map(tuple),
}
NAMES = ["2.13.0", "2.15.0", "2.16.0.dev20261122", "2.16.0.dev20261123", "2.16.0", "local-mine"]
CHANNELS = dict(
    zip(NAMES, ["stable", "stable", "nightly", "nightly", "test", "local"], strict=True)
)


@st.composite
def entry(draw: st.DrawFn) -> Entry:
    name = draw(st.sampled_from(NAMES))
    channel = CHANNELS[name]
    python = "" if channel == "local" else draw(st.sampled_from(["", "3.10"]))
    day = draw(st.integers(20, 24))
    endings = {
        check: Ending(
            outcome=outcome,
            signature=draw(st.text(min_size=1, max_size=3)) if outcome.bad else "",
        )
        for check in draw(st.lists(st.sampled_from(CHECKS), unique=True))
        if (outcome := draw(st.sampled_from(Outcome)))
    }
    asked = [check for check, ending in endings.items() if ending.outcome.known]
    groups = [GROUP] if any(check.probe == GROUP.probe for check in asked) else []
    return Entry(
        column=Column(
            run=f"2026-11-{day}T050000.000Z",
            date=f"2026-11-{day}",
            build=BuildId.of(name, draw(st.sampled_from(["cpu", "cuda"])), python),
            version="" if channel == "local" else name,
            channel=channel,
            git_version="abc",
            subject=draw(st.sampled_from([BUILTIN, "vllm-0.33.0"])),
        ),
        endings=endings,
        answers={
            AnswerId.of(check, name): Told(
                SCALES[name], draw(st.none() | VALUES[SCALES[name].kind])
            )
            for check in [*asked, *groups]
            for name in draw(st.lists(st.sampled_from(sorted(SCALES)), unique=True))
        },
    )


VALIDATOR = jsonschema.Draft202012Validator(schema())


def through(seen: History, path: Path) -> History:
    save_history(seen, path)
    VALIDATOR.validate(json.loads(path.read_text()))
    return load_history(path)


def told(seen: History) -> list[Any]:
    """All that is known; that a value is not known is no different from not being told it."""
    return [
        (
            each.column,
            each.endings,
            {name: said for name, said in each.answers.items() if said.value is not None},
        )
        for each in seen.entries
    ]


@given(st.lists(entry(), max_size=6), st.lists(entry(), max_size=3))
def test_what_goes_to_the_disk_comes_back(
    tmp_path_factory: pytest.TempPathFactory, first: list[Entry], second: list[Entry]
) -> None:
    path = tmp_path_factory.getbasetemp() / "history.json"
    seen = append(EMPTY, first)
    again = through(seen, path)
    assert told(again) == told(seen)
    assert told(append(again, second)) == told(append(seen, second))
    # The same history, the same bytes.
    before = path.read_bytes()
    save_history(again, path)
    assert path.read_bytes() == before


def test_unknown_and_unfit_answers_come_back_as_such(tmp_path: Path) -> None:
    unfit = make_cell("2.14.1", "donation.copies", record=None)
    seen = history_of(
        run_of("20", copies("2.13.0", 1), unfit, copies("2.15.0", 0)),
        run_of("21", copies("2.13.0", 1), copies("2.14.1", 1), make_cell("2.15.0", "a.b")),
        run_of("22", unfit, copies("2.15.0", 0)),
    )
    again = through(seen, tmp_path / "history.json")
    values = [
        (each.build, each.date[-2:], found.value if found else "none")
        for each, found in ((each.column, each.answers.get(COPIED)) for each in again.entries)
        if found is None or found.value is not None
    ]
    assert values == [
        ("2.13.0-cpu", "20", 1),
        ("2.15.0-cpu", "20", 0),
        ("2.13.0-cpu", "21", 1),
        ("2.14.1-cpu", "21", 1),
        ("2.15.0-cpu", "21", "none"),
        ("2.15.0-cpu", "22", 0),
    ]
    assert told(again) == told(seen)


def changes(seen: History, name: AnswerId = COPIED) -> list[tuple[int, Any]]:
    found: list[tuple[int, Any]] = to_file(seen)["answers"][name]["changes"]
    return found


def test_a_value_stands_only_where_it_changes() -> None:
    """Each release follows itself, and a nightly the nightly before it."""
    days = [run_of(f"{day}", copies("2.13.0", 1), copies("2.15.0", 0)) for day in range(20, 24)]
    assert changes(history_of(*days)) == [(0, 1), (1, 0)]
    nights = [
        run_of(f"{day}", copies(f"2.16.0.dev202611{day}", number), channel="nightly")
        for day, number in zip(range(20, 26), [1, 1, 1, 4, 4, 1], strict=True)
    ]
    assert changes(history_of(*nights)) == [(0, 1), (3, 4), (5, 1)]


def test_devices_pythons_and_subjects_do_not_follow_each_other() -> None:
    def entry_of(build: str, subject: str, number: int) -> Entry:
        (found,) = entries(run_of("20", copies("2.16.0.dev20261120", number), channel="nightly"))
        column = replace(found.column, build=BuildId(build), subject=subject)
        return replace(found, column=column)

    name = "2.16.0.dev20261120"
    seen = append(
        EMPTY,
        [
            entry_of(f"{name}-cpu", BUILTIN, 1),
            entry_of(f"{name}-cuda", BUILTIN, 2),
            entry_of(f"{name}-py3.10-cpu", BUILTIN, 3),
            entry_of(f"{name}-cpu", "vllm-0.33.0", 4),
        ],
    )
    assert len(seen.entries) == 4
    assert sorted(value for _, value in changes(seen)) == [1, 2, 3, 4]


def test_noise_is_no_change() -> None:
    peak = AnswerId("a.b.peak")
    scale = Scale(kind=Kind.QUANTITY, noise=0.5)
    seen = [
        replace(each, answers={peak: Told(scale, value)})
        for day, value in ((20, 100.0), (21, 140.0), (22, 170.0), (23, 170.5))
        for each in entries(run_of(f"{day}", make_cell("2.13.0", "a.b")))
    ]
    assert changes(append(EMPTY, seen), peak) == [(0, 100.0), (2, 170.0)]


def needed(build: str, number: int) -> Cell:
    record = Needed(needed=bool(number % 2), failure="")
    return make_cell(build, "tracing_context.needed", record=record)


def test_old_columns_go_and_take_along_the_checks_that_only_they_had(tmp_path: Path) -> None:
    days = [run_of("01", make_cell("2.13.0", "a.gone"), needed("2.13.0", 0))]
    days += [run_of(f"{day:02}", copies("2.13.0", day // 8)) for day in range(2, 23)]
    seen = history_of(*days)
    assert len(seen.columns) == 20
    assert seen.columns[0].date == "2026-11-03"
    assert set(letters(seen)) == {"donation.copies", WHOLE}
    assert list(to_file(seen)["answers"]) == [COPIED]
    again = through(seen, tmp_path / "history.json")
    assert told(again) == told(seen)
    # The values that stood in columns that went stand in the first one that stays.
    assert changes(again) == [(0, 0), (5, 1), (13, 2)]


def test_nightlies_stay_longer_than_releases() -> None:
    nights = [each for day in range(410) for each in a_night(day, ("cpu",), 1, 0)]
    releases = [replace(each, column=replace(each.column, channel="stable")) for each in nights]
    assert len(append(EMPTY, nights).entries) == 400
    assert len(append(EMPTY, [*nights, *releases[:1]]).entries) == 401


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("not json", "expected JSON"),
        ("[]", "Expected `object`"),
        ({"schema_version": 1}, "expected schema version 2, not 1"),
        ({"outcomes": {"a.b": "p"}}, "a.b: expected 0 letters"),
        ({"outcomes": {"a": ""}}, "expected a probe"),
        ({"answers": {"a.b": {}}}, "expected an answer"),
    ],
)
def test_what_is_no_history_is_refused_in_one_line(
    written: str | Mapping[str, Any], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "history.json"
    path.write_text(
        written if isinstance(written, str) else json.dumps({**to_file(EMPTY), **written})
    )
    with pytest.raises(UsageError, match=said) as caught:
        load_history(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_there_is_no_history_at_first(tmp_path: Path) -> None:
    assert load_history(tmp_path / "none.json") == EMPTY


@cache
def asked_of_a_night(checks: int, answers: int) -> Mapping[CheckId, list[AnswerId]]:
    """Ids are shared between columns, as they are in a history that was loaded."""
    names = [CheckId(f"a.b[{number:03}]") for number in range(checks)]
    return {
        check: [AnswerId.of(check, f"answer_{index}") for index in range(answers)]
        for check in names
    }


def a_night(day: int, devices: Iterable[str], checks: int, answers: int) -> Iterable[Entry]:
    """A nightly on which a few checks fail, and of which few answers are other ones."""
    on = (date(2025, 11, 20) + timedelta(days=day)).isoformat()
    for device in devices:
        asked = asked_of_a_night(checks, answers)
        yield Entry(
            column=Column(
                run=f"{on}T050000.000Z",
                date=on,
                build=BuildId(f"2.16.0.dev{on.replace('-', '')}-{device}"),
                version=f"2.16.0.dev{on.replace('-', '')}+{device}",
                channel="nightly",
                git_version="0" * 40,
            ),
            endings={
                check: Ending(outcome=Outcome.FAIL, signature="AssertionError: " + "x" * 200)
                if number < 6
                else Ending(outcome=Outcome.PASS)
                for number, check in enumerate(asked)
            },
            answers={
                name: Told(COPIES, day // 50 if number % 50 == index else index)
                for number, names in enumerate(asked.values())
                for index, name in enumerate(names)
            },
        )


@pytest.mark.slow
def test_a_year_of_nightlies_is_small_and_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    nights = [each for day in range(365) for each in a_night(day, ("cpu", "cuda"), 300, 4)]
    save_history(append(EMPTY, nights), path)
    assert path.stat().st_size < 3_000_000
    seen = load_history(path)
    assert told(seen) == told(History(nights))
    seen = append(seen, entries(run_of("22", red("2.16.0.dev20261122", "a.b"), channel="nightly")))
    save_history(seen, path)
    assert len(seen.columns) == 731
    assert json.loads(path.read_text())["outcomes"]["a.b"] == "." * 730 + "f"


def test_a_gpu_is_not_taken_for_a_cpu_also_where_they_differ_by_noise_only(tmp_path: Path) -> None:
    peak = AnswerId("a.b.peak")
    scale = Scale(kind=Kind.QUANTITY, noise=0.5)
    night = next(iter(a_night(0, ("cpu",), 1, 0)))
    values = {"cpu": 100.0, "cuda": 140.0}
    seen = [
        replace(
            night,
            column=replace(night.column, build=BuildId.of(night.column.build.name, device)),
            endings={CheckId("a.b"): Ending(outcome=Outcome.PASS)},
            answers={peak: Told(scale, value)},
        )
        for device, value in values.items()
    ]
    again = through(append(EMPTY, seen), tmp_path / "history.json")
    assert {e.column.build.device: e.answers[peak].value for e in again.entries} == values

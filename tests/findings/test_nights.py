"""What each run changed, counted."""

from __future__ import annotations

from dataclasses import replace

from compat.findings.nights import nights
from compat.runs.answers import Change, Ending, Value, count
from compat.runs.history import Column, Entry, History, Told
from compat.runs.ids import AnswerId, CheckId
from compat.runs.model import Outcome
from tests.conftest import build_id

CHECK = CheckId("donation.copies[aot]")
COPIES = count("copies", 0).scale
GREEN, RED, SILENT = (
    Ending(outcome=each, signature="no" if each.bad else "")
    for each in (Outcome.PASS, Outcome.FAIL, Outcome.NOT_RUN)
)


def entry(day: int, build: str, ending: Ending, copies: Value | None = None) -> Entry:
    column = Column(
        run=f"2026-11-{day}T050000.000Z",
        date=f"2026-11-{day}",
        build=build_id(build),
        version=build,
        channel="nightly" if "dev" in build else "stable",
        git_version="",
    )
    answers = {} if copies is None else {AnswerId.of(CHECK, "copies"): Told(COPIES, copies)}
    return Entry(column=column, endings={CHECK: ending}, answers=answers)


def changes(*entries: Entry) -> list[dict[Change, int]]:
    return [dict(night.changes) for night in nights(History(entries))["cpu"]]


def test_a_release_is_compared_with_itself_and_a_nightly_with_the_one_before() -> None:
    assert changes(
        entry(21, "2.13.0", RED),
        entry(21, "2.16.0.dev20261121", GREEN),
        entry(22, "2.13.0", GREEN),
        entry(22, "2.16.0.dev20261122", RED),
    ) == [{}, {Change.GAINED: 1, Change.LOST: 1}]


def test_what_was_not_known_is_compared_with_what_was_last_known() -> None:
    assert changes(
        entry(21, "2.13.0", GREEN, 1), entry(22, "2.13.0", SILENT), entry(23, "2.13.0", GREEN, 0)
    ) == [{}, {}, {Change.SAME: 1, Change.BETTER: 1}]


def test_subjects_and_devices_are_apart() -> None:
    here = entry(21, "2.13.0", GREEN)
    ours = replace(here, column=replace(here.column, subject="vllm-0.33.0"))
    cuda = replace(here, column=replace(here.column, build=build_id("2.13.0", "cuda")))
    found = nights(History([here, replace(ours, endings={CHECK: RED}), cuda]))
    assert {device: [night.compared for night in each] for device, each in found.items()} == {
        "cpu": [0],
        "cuda": [0],
    }

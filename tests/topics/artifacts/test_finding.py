"""What becomes of saved artifacts, over builds."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.artifacts.finding import find
from compat.topics.artifacts.records import (
    Across,
    Damaged,
    Load,
    Loaded,
    Placed,
    Reloaded,
    SavedByTwo,
)
from tests.topics.cells import make_cell, make_matrix


def across(kind: str, saved_by: str, build: str, load: Load | None) -> Cell:
    return make_cell(
        build,
        None if load is None else Across(load=load),
        Outcome.PASS if load else Outcome.NOT_RUN,
        probe="artifacts.across",
        params={"kind": kind, "saved_by": saved_by},
    )


def treated(build: str, record: Loaded, **params: str) -> Cell:
    return make_cell(build, record, params={"kind": "binary", **params})


def test_nothing_was_asked() -> None:
    found = find(make_matrix())
    assert (found.reloaded, found.damaged, found.placed, found.foreign) == ((), (), (), ())


def test_each_treatment_has_its_fates() -> None:
    right = Load.RIGHT
    cells = [
        treated("2.12.1-cpu", Reloaded(load=right, bitwise=True, handles=4)),
        treated("2.13.0-cpu", Reloaded(load=right, bitwise=False, handles=4)),
        treated("2.13.0-cpu", Damaged(load=Load.UNNOTICED), damage="bit-flipped"),
        treated("2.13.0-cpu", Damaged(load=Load.REFUSED), damage="empty"),
        treated("2.13.0-cpu", Placed(load=right), place="moved"),
        treated("2.13.0-cpu", SavedByTwo(load=right, savers_failed=1)),
    ]
    found = find(make_matrix(*cells))
    (reloaded,) = found.reloaded
    assert [fate.cell for fate in reloaded.fates.values()] == [cells[0].id, cells[1].id]
    assert [(each.kind, each.done) for each in found.damaged] == [
        ("binary", "bit-flipped"),
        ("binary", "empty"),
    ]
    assert [each.done for each in found.placed] == ["moved", "saved by two"]


def test_other_builds_artifacts_by_device_and_python() -> None:
    cells = [
        across("aot", "2.13.0", "2.12.1-cpu", Load.REFUSED),
        across("aot", "2.12.1", "2.13.0-cpu", Load.RIGHT),
        across("aot", "2.12.1", "2.13.0-cuda", Load.WRONG),
        across("aot", "2.12.1-py3.10", "2.13.0-py3.10-cpu", None),
    ]
    foreign = find(make_matrix(*cells)).foreign
    assert [(each.line, each.saved_by, list(each.fates)) for each in foreign] == [
        (("cpu", ""), "2.12.1", ["2.13.0-cpu"]),
        (("cpu", ""), "2.13.0", ["2.12.1-cpu"]),
        (("cpu", "3.10"), "2.12.1-py3.10", ["2.13.0-py3.10-cpu"]),
        (("cuda", ""), "2.12.1", ["2.13.0-cuda"]),
    ]


def test_what_was_not_seen_is_unknown_and_stays() -> None:
    (foreign,) = find(make_matrix(across("aot", "2.12.1", "2.13.0-cpu", None))).foreign
    (fate,) = foreign.fates.values()
    assert (fate.load, fate.outcome) == (None, Outcome.NOT_RUN)

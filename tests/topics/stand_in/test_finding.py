"""Which members torch needs, and where that changes."""

from __future__ import annotations

from compat.runs.model import Outcome
from compat.topics.stand_in.finding import Need, find
from tests.topics.cells import make_build, make_matrix
from tests.topics.stand_in.cells import needs, reads, unknown

OLD, MIDDLE, NEW = "2.10.0-cpu", "2.11.0-cpu", "2.13.0-cpu"


def test_what_torch_does_with_a_member() -> None:
    matrix = make_matrix(
        needs(OLD, "guards", False, read=False),
        needs(MIDDLE, "guards", False),
        needs(NEW, "guards", True),
        builds=tuple(map(make_build, [OLD, MIDDLE, NEW, "nightly-cpu"])),
    )
    assert list(find(matrix).members["guards"].values()) == [
        Need.UNREAD,
        Need.READ,
        Need.NEEDED,
        Need.UNKNOWN,
    ]


def test_a_step_is_between_the_nearest_builds_that_are_known() -> None:
    cells = (needs(OLD, "hints", False), unknown(MIDDLE, "hints"), needs(NEW, "hints", True))
    (step,) = find(make_matrix(*cells)).steps
    assert (step.before, step.after) == (OLD, NEW)
    assert (step.begins, step.ceases) == (("hints",), ())
    assert step.cells == (cells[0].id, cells[2].id)


def test_what_is_no_longer_needed_is_a_step() -> None:
    (step,) = find(make_matrix(needs(OLD, "a", True), needs(NEW, "a", False))).steps
    assert (step.begins, step.ceases) == ((), ("a",))


def test_one_step_for_all_members_of_two_builds() -> None:
    matrix = make_matrix(
        *(needs(OLD, member, False) for member in ("a", "b", "c")),
        *(needs(NEW, member, member != "c") for member in ("a", "b", "c")),
    )
    (step,) = find(matrix).steps
    assert step.begins == ("a", "b")


def test_devices_and_pythons_make_no_steps() -> None:
    matrix = make_matrix(
        needs(OLD, "a", False),
        needs("2.11.0-cuda", "a", True),
        needs("2.13.0-py3.10-cpu", "a", True),
    )
    assert find(matrix).steps == ()


def test_reads_that_the_stand_in_does_not_know() -> None:
    matrix = make_matrix(
        reads(OLD), reads(NEW, "freeze_hints"), builds=tuple(map(make_build, [OLD, NEW, MIDDLE]))
    )
    found = find(matrix)
    assert found.unknown == {OLD: (), NEW: ("freeze_hints",), MIDDLE: None}
    assert found.members == {}


def test_a_cell_without_a_record_is_unknown() -> None:
    found = find(make_matrix(unknown(NEW, "a", Outcome.PASS)))
    assert list(found.members["a"].values()) == [Need.UNKNOWN]

from __future__ import annotations

from compat.runs.model import Outcome
from compat.topics.donation.finding import find
from compat.topics.donation.records import Copies
from tests.topics.cells import make_build, make_cell, make_matrix
from tests.topics.donation.examples import (
    BACK_AS_A_LIST,
    copies_on,
    memory_on,
    not_used_on,
    time_on,
    used_on,
)


def test_of_an_empty_run_nothing_is_found() -> None:
    found = find(make_matrix(builds=(make_build("2.13.0-cpu"),)))
    assert (found.copying, found.savings, found.fitness) == ((), (), ())


def test_copies_are_compared_where_both_ways_were_counted() -> None:
    kept_only = make_cell("2.11.0-cpu", Copies(copies=1), params={"path": "standalone"})
    found = find(make_matrix(kept_only, *copies_on("2.13.0-cpu", 1, 0)))
    (copying,) = found.copying
    assert (copying.build, copying.kept, copying.donated) == ("2.13.0-cpu", 1, 0)
    assert copying.cells == (
        "donation.copies[standalone]@2.13.0-cpu",
        "donation.copies[donated]@2.13.0-cpu",
    )


def test_what_it_saves_is_told_of_the_newest_build_of_each_device_and_python() -> None:
    found = find(
        make_matrix(
            memory_on("2.13.0-cpu"),
            memory_on("2.13.0-cuda"),
            memory_on("2.13.0-py3.10-cpu"),
            time_on("2.14.1-cpu", "1000"),
            make_cell("2.15.0-cpu", None, Outcome.CRASH, probe="donation_cost.memory"),
        )
    )
    assert [each.build for each in found.savings] == [
        "2.14.1-cpu",
        "2.13.0-cuda",
        "2.13.0-py3.10-cpu",
    ]
    assert [timed.nodes for timed in found.savings[0].times] == ["1000"]
    assert found.savings[0].cells == ("donation_cost.time[1000]@2.14.1-cpu",)


def test_what_a_donor_is_still_fit_for() -> None:
    found = find(
        make_matrix(
            used_on("2.13.0-cpu", "call", "tuple"),
            used_on("2.13.0-cpu", "call", "bare", **BACK_AS_A_LIST),
            used_on("2.13.0-cpu", "donate"),
            used_on("2.13.0-cpu", "pickle", works_before=False, works=False),
            not_used_on("2.13.0-cpu", "deepcopy", Outcome.TIMEOUT),
            not_used_on("2.11.0-cpu", "call", Outcome.UNSUPPORTED),
            not_used_on("2.16.rc-cpu", "call", Outcome.NOT_RUN),
        )
    )
    (fitness,) = found.fitness
    assert fitness.build == "2.13.0-cpu"
    assert [(way.use, way.output) for way in fitness.fits] == [
        ("call", "tuple"),
        ("donate", "bare"),
    ]
    (loss,) = fitness.losses
    assert (loss.use, loss.output, loss.record.returned) == ("call", "bare", "list(Tensor)")
    assert [way.use for way in fitness.never] == ["pickle"]
    assert fitness.unknown == 1
    assert len(fitness.cells) == 5

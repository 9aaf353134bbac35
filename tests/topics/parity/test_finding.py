"""How paths agree on a build, and how outputs move from one build to the next."""

from __future__ import annotations

import pytest

from compat.runs.model import Cell, Outcome
from compat.topics.parity.finding import Agreement, Combination, Drift, find
from tests.topics.cells import make_cell, make_matrix
from tests.topics.parity.parity_cells import outputs, parity_cell

EAGER = parity_cell("eager", digest="e", ratio=0.9)


def combination(*cells: Cell) -> Combination:
    (found,) = find(make_matrix(*cells)).combinations
    return found


def drift(*cells: Cell) -> tuple[Drift, ...]:
    return find(make_matrix(*cells)).drift


def test_how_paths_relate() -> None:
    one, same = parity_cell("a"), parity_cell("b")
    other = parity_cell("c", digest="other")
    absent = parity_cell("donated", outcome=Outcome.UNSUPPORTED)
    assert combination(EAGER, one, same, absent).agreement is Agreement.BITWISE
    assert combination(EAGER, one, other).agreement is Agreement.CLOSE
    failed = parity_cell("c", outcome=Outcome.FAIL)
    assert combination(EAGER, one, failed).agreement is Agreement.DIFFER
    for outcome in (Outcome.CRASH, Outcome.ERROR, Outcome.NOT_RUN, Outcome.SKIP):
        unknown = parity_cell("c", outcome=outcome)
        assert combination(EAGER, one, unknown).agreement is Agreement.UNKNOWN
    assert combination(EAGER, absent).agreement is Agreement.UNKNOWN


def test_a_record_that_does_not_fit_is_unknown() -> None:
    cell = make_cell(
        "2.13.0-cpu", None, probe="parity.outputs", params={**EAGER.params, "path": "c"}
    )
    found = combination(parity_cell("a"), cell)
    assert found.agreement is Agreement.UNKNOWN
    assert (found.same_kernels, found.repeats) == (None, None)


def test_the_largest_error_and_whose_it_is() -> None:
    worst = parity_cell("b", element_ratio=0.7, worst_steps=6.0, max_abs=3e-6)
    found = combination(EAGER, parity_cell("a", max_abs=9e-6), worst)
    assert (found.share, found.path, found.worst_steps) == (0.7, "b", 6.0)
    assert found.max_abs == 9e-6
    biased = combination(parity_cell("a", bias_ratio=0.8), worst)
    assert (biased.share, biased.path) == (0.8, "a")


def test_what_is_not_finite_is_not_known() -> None:
    found = combination(parity_cell("a", outcome=Outcome.FAIL, max_abs=None, ratio=None))
    assert (found.max_abs, found.share, found.path) == (None, None, "")


def test_contracts_and_what_was_left_out() -> None:
    found = combination(
        parity_cell("a", outcome=Outcome.FAIL, contract=("strides",)),
        parity_cell("b", contract=("aliasing", "strides"), left_out=("requires_grad",)),
        parity_cell("c", contract=None),
    )
    assert found.contract == ("aliasing", "strides")
    assert found.left_out == ("requires_grad",)


def test_repetition_and_kernels() -> None:
    found = combination(
        parity_cell("a"), parity_cell("b", repeats_bitwise=False, kernels_digest="x")
    )
    assert (found.repeats, found.same_kernels) == (False, False)
    assert combination(parity_cell("a"), parity_cell("b", repeats_bitwise=None)).repeats is None


def test_builds_and_devices_are_kept_apart() -> None:
    cells = [parity_cell("a", build) for build in ("2.12.0-cpu", "2.13.0-cpu", "2.13.0-cuda")]
    found = find(make_matrix(*cells))
    assert [each.build for each in found.combinations] == [
        "2.12.0-cpu",
        "2.13.0-cpu",
        "2.13.0-cuda",
    ]
    assert [(each.before, each.after) for each in found.drift] == [("2.12.0-cpu", "2.13.0-cpu")]


def test_pythons_are_kept_apart() -> None:
    builds = ("2.12.0-cpu", "2.12.0-py3.10-cpu", "2.13.0-cpu", "2.13.0-py3.10-cpu")
    found = drift(*(parity_cell("a", build) for build in builds))
    assert [(each.before, each.after) for each in found] == [
        ("2.12.0-cpu", "2.13.0-cpu"),
        ("2.12.0-py3.10-cpu", "2.13.0-py3.10-cpu"),
    ]


def test_numbers_that_stay() -> None:
    (found,) = drift(*(parity_cell("aot", build) for build in ("2.12.0-cpu", "2.13.0-cpu")))
    assert (found.compiled, found.eager, found.jump) == (0.0, None, False)


@pytest.mark.parametrize(("dtype", "jump"), [("float32", True), ("bfloat16", False)])
def test_a_jump_is_more_than_the_dtypes_rounding(dtype: str, jump: bool) -> None:
    (found,) = drift(
        parity_cell("aot", "2.12.0-cpu", dtype=dtype, numbers=outputs(1.0, 2.0)),
        parity_cell("aot", "2.13.0-cpu", dtype=dtype, numbers=outputs(1.0, 2.01)),
    )
    assert found.compiled == pytest.approx(0.01)
    assert found.jump is jump


def test_eagers_own_drift_is_told_apart() -> None:
    (found,) = drift(
        parity_cell("eager", "2.12.0-cpu", numbers=outputs(1.0)),
        parity_cell("aot", "2.12.0-cpu", numbers=outputs(1.0)),
        parity_cell("eager", "2.13.0-cpu", numbers=outputs(1.5)),
        parity_cell("aot", "2.13.0-cpu", numbers=outputs(1.0)),
    )
    assert (found.compiled, found.eager, found.jump) == (0.0, 0.5, False)


@pytest.mark.parametrize("after", [outputs(None), outputs(1.0, shape=(4, 1))])
def test_what_cannot_be_told_is_a_jump(after: object) -> None:
    (found,) = drift(
        parity_cell("aot", "2.12.0-cpu", numbers=outputs(1.0)),
        parity_cell("aot", "2.13.0-cpu", numbers=after),
    )
    assert found.compiled is None
    assert found.jump


def test_a_build_that_saw_nothing_is_stepped_over() -> None:
    found = drift(
        parity_cell("aot", "2.11.0-cpu"),
        parity_cell("aot", "2.12.0-cpu", outcome=Outcome.ERROR),
        parity_cell("aot", "2.13.0-cpu"),
    )
    assert [(each.before, each.after) for each in found] == [("2.11.0-cpu", "2.13.0-cpu")]

"""What is lost, worse or changed when parity changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from compat.runs.answers import Change, Said, relate
from compat.runs.ids import BUILTIN, BuildId
from compat.runs.model import Cell, Outcome
from compat.topics.parity.answers import ANSWERS, across
from compat.topics.parity.records import Parity, RandomNumbers
from tests.topics.cells import make_matrix
from tests.topics.parity.parity_cells import make_parity, outputs, parity_cell

BUILD = BuildId("2.13.0-cpu")


def by_name(said: Iterable[Said]) -> dict[str, Said]:
    return {each.name: each for each in said}


def change(name: str, **changes: Any) -> Change:
    before = by_name(ANSWERS[Parity](make_parity()))[name]
    after = by_name(ANSWERS[Parity](make_parity(**changes)))[name]
    return relate(after.scale, before.value, after.value)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("finite", {"max_abs": None}, Change.LOST),
        ("contract", {"contract": ("strides",)}, Change.LOST),
        ("contract", {"contract": None}, Change.UNKNOWN),
        ("left_out", {"left_out": ("strides",)}, Change.CHANGED),
        ("repeats", {"repeats_bitwise": False}, Change.LOST),
        ("repeats", {"repeats_bitwise": None}, Change.UNKNOWN),
        ("kernels", {"kernels": 3}, Change.CHANGED),
        ("pieces", {"pieces": 2}, Change.CHANGED),
        ("outputs", {"numbers": outputs(1.0, 2.0 + 1e-7)}, Change.SAME),
        ("outputs", {"numbers": outputs(1.0, 2.01)}, Change.CHANGED),
        ("outputs", {"numbers": outputs(1.0, None)}, Change.CHANGED),
        ("outputs", {"numbers": outputs(1.0, 2.01), "dtype": "bfloat16"}, Change.SAME),
    ],
)
def test_what_a_record_says(name: str, changes: dict[str, Any], expected: Change) -> None:
    assert change(name, **changes) is expected


def test_random_numbers() -> None:
    before, after = (
        by_name(ANSWERS[RandomNumbers](RandomNumbers(max_abs=value)))["finite"]
        for value in (0.0, None)
    )
    assert relate(after.scale, before.value, after.value) is Change.LOST


def said_across(*cells: Cell) -> dict[str, bool | None]:
    found = list(across(make_matrix(*cells), BUILTIN, BUILD))
    assert {each.check for each in found} <= {"parity.outputs[mlp-float32-static]"}
    return {each.said.name: each.said.value for each in found}  # type: ignore[misc]


EAGER = parity_cell("eager", digest="e", kernels_digest="none")


def test_paths_with_the_same_bits_and_kernels() -> None:
    cells = (EAGER, parity_cell("compile_fx"), parity_cell("aot"))
    assert said_across(*cells) == {"same_bits": True, "same_kernels": True}


def test_what_a_build_does_not_have_does_not_count() -> None:
    absent = parity_cell("donated", outcome=Outcome.UNSUPPORTED)
    cells = (EAGER, parity_cell("compile_fx"), parity_cell("aot"), absent)
    assert said_across(*cells) == {"same_bits": True, "same_kernels": True}


@pytest.mark.parametrize(
    ("field", "name"), [("digest", "same_bits"), ("kernels_digest", "same_kernels")]
)
def test_that_paths_part_is_a_loss(field: str, name: str) -> None:
    same = (parity_cell("compile_fx"), parity_cell("aot"))
    apart = (parity_cell("compile_fx"), parity_cell("aot", **dict[str, Any]({field: "other"})))
    values = [said_across(*cells)[name] for cells in (same, apart)]
    assert values == [True, False]
    (found, *_) = (
        each for each in across(make_matrix(*apart), BUILTIN, BUILD) if each.said.name == name
    )
    assert relate(found.said.scale, *values) is Change.LOST
    assert found.cells == tuple(cell.id for cell in apart)


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.CRASH, Outcome.NOT_RUN])
def test_one_unknown_path_makes_it_unknown(outcome: Outcome) -> None:
    cells = (
        parity_cell("compile_fx"),
        parity_cell("aot"),
        parity_cell("standalone", outcome=outcome),
    )
    assert said_across(*cells) == {"same_bits": None, "same_kernels": None}


def test_one_path_alone_says_nothing() -> None:
    assert said_across(EAGER, parity_cell("aot")) == {"same_bits": None, "same_kernels": None}

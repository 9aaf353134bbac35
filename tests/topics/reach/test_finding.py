"""What differs between neighbouring builds."""

from __future__ import annotations

from compat.runs.answers import Change
from compat.runs.ids import BuildId
from compat.topics.reach.finding import find
from tests.topics.cells import make_matrix
from tests.topics.reach.reach_cells import (
    PATCHED,
    census_cell,
    make_census,
    make_patches,
    make_trials,
    patches_cell,
    trials_cell,
)


def test_each_step_is_between_neighbours_of_one_device() -> None:
    cells = [
        census_cell("2.11.0-cpu", make_census(1)),
        census_cell("2.12.0-cpu", make_census(1)),
        census_cell("2.13.0-cpu", make_census(2)),
        census_cell("2.13.0-cuda", make_census(5)),
    ]
    (step,) = find(make_matrix(*cells)).steps
    assert (step.probe, step.name) == ("passes.census", "joint_custom_pre_pass.mlp")
    assert (step.before, step.after) == (BuildId("2.12.0-cpu"), BuildId("2.13.0-cpu"))
    assert step.was.said.value == "aten.add.Tensor ×2, aten.mm.default ×1"
    assert (step.was.cell, step.became.cell) == (cells[1].id, cells[2].id)


def test_what_is_not_known_is_passed_over() -> None:
    cells = [
        patches_cell("2.11.0-cpu", make_patches("()")),
        patches_cell("2.12.0-cpu", make_patches(there=False)),
        patches_cell("2.13.0-cpu", make_patches()),
    ]
    (step,) = find(make_matrix(*cells)).steps
    assert step.name == f"reached.compiled.{PATCHED}"
    assert (step.before, step.change) == (BuildId("2.11.0-cpu"), Change.LOST)


def test_only_what_differs_is_kept() -> None:
    same = find(make_matrix(census_cell("2.11.0-cpu"), census_cell("2.12.0-cpu")))
    assert not same.steps
    assert not any(same.answers.values())


def test_what_is_wrong_is_named() -> None:
    cell = trials_cell("2.11.0-cpu", make_trials("wrong", "off"))
    (odd,) = find(make_matrix(cell)).wrong
    assert (odd.name, odd.said, odd.cell) == ("plain.chain", "off", cell.id)


def test_probes_with_the_same_answers_are_told_apart() -> None:
    cells = [
        trials_cell("2.11.0-cpu", make_trials(said="a")),
        trials_cell("2.11.0-cpu", make_trials(said="b"), probe="passes.trials"),
        trials_cell("2.12.0-cpu", make_trials(said="a")),
        trials_cell("2.12.0-cpu", make_trials(said="c"), probe="passes.trials"),
    ]
    (step,) = find(make_matrix(*cells)).steps
    assert step.probe == "passes.trials"

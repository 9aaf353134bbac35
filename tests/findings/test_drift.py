"""From one build's numbers to the next one's."""

from __future__ import annotations

from typing import Any

import pytest

from compat.findings.derive import derive
from compat.findings.drift import find_drift
from compat.findings.model import DriftFinding
from compat.runs.model import Cell
from tests.conftest import make_build, make_cell, make_run


def numbers(*samples: float | None, shape: tuple[int, ...] = (2, 2)) -> list[dict[str, Any]]:
    return [{"shape": list(shape), "norm": 2.0, "samples": list(samples)}]


def outputs(
    build: str,
    path: str,
    seen: list[dict[str, Any]],
    dtype: str = "float32",
    probe: str = "parity.outputs",
) -> Cell:
    params = {"model": "mlp", "dtype": dtype, "batch": "static", "path": path}
    metrics = {"numbers": seen, "digest": "d", "max_abs": 0.0, "max_rel": 0.0}
    return make_cell(build, probe, params=params, metrics=metrics)


def drift(*cells: Cell) -> list[DriftFinding]:
    builds = [make_build(name) for name in dict.fromkeys(cell.build for cell in cells)]
    return find_drift(make_run(builds, list(cells)))


def test_numbers_that_stay() -> None:
    (found,) = drift(*(outputs(build, "aot", numbers(1.0, 2.0)) for build in ("2.12", "2.13")))
    assert (found.before, found.after, found.compiled, found.jump) == ("2.12", "2.13", 0.0, False)


@pytest.mark.parametrize(("dtype", "jump"), [("float32", True), ("bfloat16", False)])
def test_a_jump_is_more_than_the_dtypes_rounding(dtype: str, jump: bool) -> None:
    (found,) = drift(
        outputs("2.12", "aot", numbers(1.0, 2.0), dtype),
        outputs("2.13", "aot", numbers(1.0, 2.01), dtype),
    )
    # The root mean square of four elements with norm 2 is 1.
    assert found.compiled == pytest.approx(0.01)
    assert found.jump is jump


@pytest.mark.parametrize("probe", ["real_models.outputs", "real_models.embeddings"])
def test_real_models_count(probe: str) -> None:
    before, after = (outputs(build, "aot", numbers(1.0), probe=probe) for build in ("2.12", "2.13"))
    (found,) = drift(before, after)
    assert found.jump is False


def test_eagers_own_drift_is_told_apart() -> None:
    (found,) = drift(
        outputs("2.12", "eager", numbers(1.0)),
        outputs("2.12", "aot", numbers(1.0)),
        outputs("2.13", "eager", numbers(1.5)),
        outputs("2.13", "aot", numbers(1.0)),
    )
    assert (found.compiled, found.eager, found.jump) == (0.0, 0.5, False)


@pytest.mark.parametrize("after", [numbers(None), numbers(1.0, shape=(4, 1))])
def test_what_cannot_be_told_is_a_jump(after: list[dict[str, Any]]) -> None:
    (found,) = drift(outputs("2.12", "aot", numbers(1.0)), outputs("2.13", "aot", after))
    assert found.compiled is None
    assert found.jump


def test_a_build_that_saw_nothing_is_stepped_over() -> None:
    found = drift(
        outputs("2.11", "aot", numbers(1.0)),
        make_cell("2.12", "surface.name"),
        outputs("2.13", "aot", numbers(1.0)),
    )
    assert [(each.before, each.after) for each in found] == [("2.11", "2.13")]


def test_a_jump_is_said() -> None:
    cells = [outputs("2.12", "aot", numbers(1.0)), outputs("2.13", "aot", numbers(2.0))]
    run = make_run([make_build("2.12"), make_build("2.13")], cells)
    (said,) = (each for each in derive(run).sentences if "moves" in each.title)
    assert said.title == "outputs: mlp in float32 moves from 2.12 to 2.13"
    assert said.cells == (cells[1].id,)

"""Cells of parity, made by hand."""

from __future__ import annotations

from typing import Any

from compat.runs.model import Cell, Outcome
from compat.topics.parity.records import OutputSample, Parity
from tests.topics.cells import make_cell


def outputs(*values: float | None, shape: tuple[int, ...] = (2, 2)) -> tuple[OutputSample, ...]:
    """One output of which the root mean square is 1."""
    return (OutputSample(shape=shape, norm=2.0, samples=values),)


def make_parity(**changes: Any) -> Parity:
    values: dict[str, Any] = {
        "dtype": "float32",
        "max_abs": 1e-6,
        "max_rel": 1e-5,
        "error": 0.4,
        "eager_error": 0.5,
        "ratio": 0.25,
        "bias_ratio": 0.1,
        "element_ratio": 0.3,
        "worst_steps": 1.5,
        "contract": (),
        "left_out": (),
        "digest": "d",
        "numbers": outputs(1.0, 2.0),
        "kernels": 2,
        "kernels_digest": "k",
        "compile_s": 1.5,
        "pieces": 1,
        "repeats_bitwise": True,
    }
    return Parity(**{**values, **changes})


def parity_cell(
    path: str,
    build: str = "2.13.0-cpu",
    outcome: Outcome = Outcome.PASS,
    *,
    model: str = "mlp",
    dtype: str = "float32",
    probe: str = "parity.outputs",
    **changes: Any,
) -> Cell:
    """A path's cell with its record; with none where it did not come to its end."""
    ended = outcome in {Outcome.PASS, Outcome.FAIL}
    return make_cell(
        build,
        make_parity(dtype=dtype, **changes) if ended else None,
        outcome,
        probe=probe,
        params={"model": model, "dtype": dtype, "batch": "static", "path": path},
    )

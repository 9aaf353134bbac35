"""Do a model's numbers stay the same from build to build."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from compat.findings.model import DriftFinding, Sentence
from compat.findings.parity import PROBES, REFERENCE, parity_cells
from compat.runs.model import JSON, Build, Cell, Run

# Changes of a few rounding steps, in units of the output's root mean square, are what another
# order of summation does.
_STEPS = 8
NOISE = {"float32": _STEPS * 2.0**-23, "float16": _STEPS * 2.0**-10, "bfloat16": _STEPS * 2.0**-7}


def find_drift(run: Run) -> list[DriftFinding]:
    """One finding for each model, dtype and pair of neighbouring builds that both ran it."""
    keys = dict.fromkeys(
        (cell.params["model"], cell.params["dtype"], cell.device)
        for cell in run.cells
        if cell.probe in PROBES
    )
    return [
        finding
        for model, dtype, device in keys
        for before, after in pairwise(_with_numbers(run, model, dtype, device))
        for finding in [_find(run, model, dtype, before, after)]
    ]


def _with_numbers(run: Run, model: str, dtype: str, device: str) -> list[Build]:
    return [
        build
        for build in run.builds
        if build.device.kind == device and any(_numbered(run, build, model, dtype))
    ]


def _numbered(run: Run, build: Build, model: str, dtype: str) -> Iterable[Cell]:
    cells = parity_cells(run, build, model=model, dtype=dtype)
    return (cell for cell in cells if "numbers" in cell.metrics)


def _find(run: Run, model: str, dtype: str, before: Build, after: Build) -> DriftFinding:
    older = {cell.check: cell for cell in _numbered(run, before, model, dtype)}
    newer = [cell for cell in _numbered(run, after, model, dtype) if cell.check in older]
    compiled = [cell for cell in newer if cell.params["path"] != REFERENCE]
    eager = [cell for cell in newer if cell.params["path"] == REFERENCE]
    moved = _largest(older, compiled)
    return DriftFinding(
        model=model,
        dtype=dtype,
        device=after.device.kind,
        before=before.label,
        after=after.label,
        compiled=moved,
        eager=_largest(older, eager),
        jump=moved is None or moved > NOISE.get(dtype, 0.0),
        cells=tuple(cell.id for cell in compiled),
    )


def _largest(older: Mapping[str, Cell], newer: Sequence[Cell]) -> float | None:
    moves = [
        _moved(older[cell.check].metrics["numbers"], cell.metrics["numbers"]) for cell in newer
    ]
    known = [move for move in moves if move is not None]
    return max(known, default=0.0) if len(known) == len(moves) else None


def _moved(older: Sequence[JSON], newer: Sequence[JSON]) -> float | None:
    """The largest change of a sampled value over all outputs, by the output's root mean square.

    None where that cannot be told: other shapes, or values that are not finite.
    """
    largest = 0.0
    if [each["shape"] for each in older] != [each["shape"] for each in newer]:
        return None
    for old, new in zip(older, newer, strict=True):
        if None in (old["norm"], new["norm"], *old["samples"], *new["samples"]):
            return None
        scale = old["norm"] / math.sqrt(max(1, math.prod(old["shape"]))) or 1.0
        changes = (abs(was - now) for was, now in zip(old["samples"], new["samples"], strict=True))
        largest = max(largest, max(changes, default=0.0) / scale)
    return largest


def say_drift(drift: list[DriftFinding]) -> list[Sentence]:
    """The jumps, each with what eager did meanwhile."""
    return [
        Sentence(
            title=f"outputs: {each.model} in {each.dtype} moves from {each.before} to {each.after}",
            text=f"On {each.device} the compiled paths move by {_said(each.compiled)}, where "
            f"{_STEPS} rounding steps of the dtype are {NOISE.get(each.dtype, 0.0):.2g}; without "
            f"a compiler they move by {_said(each.eager)}.",
            cells=each.cells,
        )
        for each in drift
        if each.jump
    ]


def _said(moved: float | None) -> str:
    if moved is None:
        return "more than can be told (another shape, or not finite)"
    return f"{moved:.2g} of the output's root mean square"

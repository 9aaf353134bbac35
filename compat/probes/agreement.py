"""How far a path's outputs are from eager's."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

_SAMPLES = 8


@dataclass(frozen=True)
class Tolerance:
    """An element agrees when ``|actual - expected| <= absolute + relative * |expected|``."""

    absolute: float
    relative: float


# Fused kernels keep float32 between operations where eager rounds to the dtype after each, so
# the bounds of bfloat16 and float16 are a few of their rounding steps (2**-8, 2**-11) at values of
# order one.
TOLERANCES = {
    torch.float32: Tolerance(2e-5, 1e-5),
    torch.bfloat16: Tolerance(4e-2, 2e-2),
    torch.float16: Tolerance(5e-3, 2.5e-3),
}


@dataclass(frozen=True)
class Difference:
    """The largest absolute and relative difference over all elements of all outputs.

    The relative one is taken over elements larger than a thousandth of the largest.
    """

    max_abs: float
    max_rel: float
    within_tolerance: bool


def difference(
    actual: Sequence[torch.Tensor], expected: Sequence[torch.Tensor], tolerance: Tolerance
) -> Difference:
    """Compare outputs pair by pair.

    Raises:
        AssertionError: Their number, shapes or dtypes differ.
    """
    assert len(actual) == len(expected), f"{len(actual)} outputs instead of {len(expected)}"
    max_abs = max_rel = 0.0
    within = True
    for got, wanted in zip(actual, expected, strict=True):
        assert got.shape == wanted.shape, f"shape {got.shape} instead of {wanted.shape}"
        assert got.dtype == wanted.dtype, f"dtype {got.dtype} instead of {wanted.dtype}"
        magnitude = wanted.double().abs()
        distance = (got.double() - wanted.double()).abs()
        bound = tolerance.absolute + tolerance.relative * magnitude
        # "not (distance <= bound)" is true for NaN as well.
        within = within and not bool((~(distance <= bound)).any())
        large = magnitude > 1e-3 * magnitude.max()
        max_abs = max(max_abs, distance.max().item())
        max_rel = max(max_rel, (distance[large] / magnitude[large]).max().item())
    return Difference(max_abs, max_rel, within)


def digest(outputs: Sequence[torch.Tensor]) -> str:
    """Sixteen hex digits that are equal for bitwise equal outputs only."""
    hasher = hashlib.sha256()
    for output in outputs:
        flat = output.detach().cpu().contiguous().view(torch.uint8)
        hasher.update(f"{output.dtype}{tuple(output.shape)}".encode())
        hasher.update(bytes(flat.flatten().tolist()))
    return hasher.hexdigest()[:16]


def numbers(outputs: Sequence[torch.Tensor]) -> list[dict[str, Any]]:
    """A compact record of each output, for comparing builds: shape, norm and a few values.

    What is not finite is None.
    """
    records = []
    for output in outputs:
        flat = output.detach().cpu().double().flatten()
        places = torch.linspace(0, len(flat) - 1, min(_SAMPLES, len(flat))).long()
        records.append(
            {
                "shape": list(output.shape),
                "norm": _rounded(flat.norm().item()),
                "samples": [_rounded(value) for value in flat[places].tolist()],
            }
        )
    return records


def _rounded(value: float) -> float | None:
    return float(f"{value:.9g}") if math.isfinite(value) else None


def as_outputs(result: torch.Tensor | Sequence[torch.Tensor] | None) -> tuple[torch.Tensor, ...]:
    """What a model returned, bare or not or nothing, as a tuple."""
    if result is None:
        return ()
    return (result,) if isinstance(result, torch.Tensor) else tuple(result)

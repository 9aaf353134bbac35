"""The verdict on what a path computed, and the record it leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch

from compat.probes.agreement import Tolerance, difference, digest, numbers
from compat.probes.conftest import Record
from compat.probes.driving import Driven

# The features without which a build does not have a path.
NEEDS = {"donated": "donate_graph_module", "aot": "aot"}


def check_parity(
    driven: Driven,
    outputs: Sequence[torch.Tensor],
    expected: Sequence[torch.Tensor],
    tolerance: Tolerance,
    kernels: Sequence[str],
    record: Record,
) -> None:
    """Record how far ``outputs`` are from ``expected``, and fail beyond ``tolerance``."""
    seen = difference(outputs, expected, tolerance)
    record(
        max_abs=seen.max_abs,
        max_rel=seen.max_rel,
        digest=digest(outputs),
        numbers=numbers(outputs),
        kernels=len(kernels),
        kernels_digest=hashlib.sha256("\n".join(sorted(kernels)).encode()).hexdigest()[:16],
        compile_s=round(driven.compile_s, 3),
        pieces=len(driven.backend.pieces),
    )
    assert seen.within_tolerance, (
        f"outputs are off by {seen.max_abs:.3g} (relative {seen.max_rel:.3g}); "
        f"tolerated: {tolerance.absolute:.3g} + {tolerance.relative:.3g} relative"
    )

"""The verdict on what a path computed, and the record it leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from compat.probes.agreement import Reference, judge
from compat.probes.calls import digest, samples
from compat.probes.conftest import Record
from compat.probes.driving import Driven
from compat.topics.parity.records import Parity

# The features without which a build does not have a path.
NEEDS = {"donated": "donate_graph_module", "aot": "aot"}


def check_parity(
    driven: Driven,
    reference: Reference,
    kernels: Sequence[str],
    record: Record,
    *,
    dtype: str,
    repeats_bitwise: bool | None = None,
) -> None:
    """Record how what was driven compares with the reference, and fail where it does not agree."""
    seen = judge(driven.calls, reference)
    record(
        Parity(
            dtype=dtype,
            max_abs=seen.max_abs,
            max_rel=seen.max_rel,
            error=seen.error,
            eager_error=seen.eager_error,
            ratio=seen.ratio,
            bias_ratio=seen.bias_ratio,
            element_ratio=seen.element_ratio,
            worst_steps=seen.worst_steps,
            contract=seen.contract,
            left_out=seen.left_out,
            digest=digest(driven.calls),
            numbers=samples(driven.calls),
            kernels=len(kernels),
            kernels_digest=hashlib.sha256("\n".join(sorted(kernels)).encode()).hexdigest()[:16],
            compile_s=round(driven.compile_s, 3),
            pieces=len(driven.backend.pieces),
            repeats_bitwise=repeats_bitwise,
        )
    )
    assert seen.agrees, f"outputs are {seen}"

"""Records of: whether all paths compute the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OutputSample:
    """A few values of one output, for comparing builds; what is not finite is None.

    Attributes:
        norm: The Euclidean norm over all its elements.
    """

    shape: tuple[int, ...]
    norm: float | None
    samples: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """What a path computed, judged against eager and float64, see ``probes/agreement.py``.

    A number is None where it is not finite, and where a run did not ask for it.

    Attributes:
        dtype: Of the model.
        max_abs: The largest difference from eager,
        max_rel: and the largest relative one.
        error: The root mean square error against float64, in rounding steps of the dtype,
        eager_error: and eager's.
        ratio: That error as a share of what is allowed: above 1 it is red.
        bias_ratio: Likewise the part of the error that all elements have in common.
        element_ratio: Likewise of the worst element,
        worst_steps: and how far it is from float64, in rounding steps.
        contract: What else is not as eager returns it, such as ``strides``; None where not asked.
        left_out: What of the contract was not compared on purpose.
        digest: Equal for bitwise equal outputs only.
        kernels_digest: Equal for the same generated kernels only.
        compile_s: Seconds that the first call took, capture included.
        repeats_bitwise: Whether the same bits come when it is run again; None where not asked.
    """

    dtype: str
    max_abs: float | None
    max_rel: float | None
    error: float | None
    eager_error: float | None
    ratio: float | None
    bias_ratio: float | None
    element_ratio: float | None
    worst_steps: float | None
    contract: tuple[str, ...] | None
    left_out: tuple[str, ...]
    digest: str
    numbers: tuple[OutputSample, ...]
    kernels: int
    kernels_digest: str
    compile_s: float
    pieces: int
    repeats_bitwise: bool | None


@dataclass(frozen=True, kw_only=True)
class RandomNumbers:
    """How far outputs are from eager's under the same seed."""

    max_abs: float | None


RECORDS: Mapping[str, type] = {
    "parity.outputs": Parity,
    "real_models.outputs": Parity,
    "real_models.embeddings": Parity,
    "parity.random_numbers": RandomNumbers,
}

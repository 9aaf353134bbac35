"""Records of: whether all paths compute the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OutputSample:
    """A few values of one output, for comparing builds; what is not finite is None."""

    shape: tuple[int, ...]
    norm: float | None
    samples: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """What a path computed, against eager.

    Attributes:
        digest: Equal for bitwise equal outputs only.
        kernels_digest: Equal for the same generated kernels only.
        repeats_bitwise: Whether the same bits come when it is run again; None where not asked.
    """

    max_abs: float | None
    max_rel: float | None
    digest: str
    numbers: tuple[OutputSample, ...]
    kernels: int
    kernels_digest: str
    compile_s: float
    pieces: int
    repeats_bitwise: bool | None
    cosine: float | None


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

"""Records of: what only a GPU can be asked, and where it differs from a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Triton:
    """Kernels that Inductor generated, and how many of them are Triton's."""

    triton: int
    kernels: int
    max_abs: float | None


@dataclass(frozen=True, kw_only=True)
class UserKernel:
    """A user's Triton kernel in a graph, saved and loaded."""

    max_abs: float | None
    handles: int
    bitwise: bool


@dataclass(frozen=True, kw_only=True)
class Graphs:
    """CUDA graphs that were replayed, and skipped."""

    replays: int
    skips: int
    max_abs: float | None


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How often kernels were compared while tuning, and how many templates were taken."""

    compared: int
    templates: int
    max_abs: float | None


@dataclass(frozen=True, kw_only=True)
class ScaledMatmul:
    """A product in eight bits against eager's."""

    max_abs: float | None
    max_rel: float | None


@dataclass(frozen=True, kw_only=True)
class Precision:
    """Errors of a product in float32, in units of the result's root mean square."""

    error: float | None
    eager_error: float | None
    tf32_used: bool
    tf32_used_in_eager: bool
    tf32_allowed: bool
    tf32_allowed_in_cudnn: bool


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What ran on the current stream; ``asleep`` is the control: it had not yet caught up."""

    max_abs: float | None
    bitwise: bool
    asleep: bool


@dataclass(frozen=True, kw_only=True)
class Fakes:
    """Bytes by which compiling from fakes, and running, raised the peaks of device memory."""

    inputs_b: int
    compiling_b: int
    compiling_reserved_b: int
    running_b: int


RECORDS: Mapping[str, type] = {
    "cuda.triton": Triton,
    "cuda.user_kernel": UserKernel,
    "cuda.graphs": Graphs,
    "cuda.max_autotune": Tuning,
    "cuda.scaled_matmul": ScaledMatmul,
    "cuda.matmul_precision": Precision,
    "cuda.stream": Stream,
    "cuda.fakes": Fakes,
}

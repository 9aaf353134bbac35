"""Records of: what only a GPU can be asked, and where it differs from a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.topics.naming import check_names


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


@dataclass(frozen=True, kw_only=True)
class PathKernels:
    """The kernels that ran in one call of a path, and whether another process ran the same.

    Attributes:
        launched: How many, as the GPU's trace has them.
        generated: How many Inductor generated, those that it only tries included.
        same_kernels: Whether both processes ran kernels of the same names, in the same order,
        same_launches: with the same grids and blocks,
        same_bits: and computed the same bits.
    """

    launched: int
    generated: int
    same_kernels: bool
    same_launches: bool
    same_bits: bool


@dataclass(frozen=True, kw_only=True)
class KernelRuns:
    """The same of each path, and whether the paths agree in it."""

    paths: Mapping[str, PathKernels]
    same_kernels: bool
    same_launches: bool
    same_bits: bool

    def __post_init__(self) -> None:
        check_names(self.paths)


@dataclass(frozen=True, kw_only=True)
class PathMemory:
    """Bytes by which steps of a path raised the peak of allocated device memory: each process's.

    Attributes:
        compiling_b: Compiling, the inputs being there.
        first_b: The first call, which may tune.
        running_b: A later call.
    """

    compiling_b: tuple[int, ...]
    first_b: tuple[int, ...]
    running_b: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class PeakMemory:
    """The same of each path, and the size of the inputs."""

    inputs_b: int
    paths: Mapping[str, PathMemory]

    def __post_init__(self) -> None:
        check_names(self.paths)
        seen = self.paths.values()
        if not all(each.compiling_b and each.first_b and each.running_b for each in seen):
            raise ValueError("expected what one process saw at least")


RECORDS: Mapping[str, type] = {
    "cuda.triton": Triton,
    "cuda.user_kernel": UserKernel,
    "cuda.graphs": Graphs,
    "cuda.max_autotune": Tuning,
    "cuda.scaled_matmul": ScaledMatmul,
    "cuda.matmul_precision": Precision,
    "cuda.stream": Stream,
    "cuda.fakes": Fakes,
    "cuda.peak_memory": PeakMemory,
    "kernels.launched": KernelRuns,
}

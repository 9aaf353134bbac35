"""What the records of devices say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Said, count, quantity, verdict
from compat.topics.devices.records import (
    Fakes,
    Graphs,
    KernelRuns,
    PeakMemory,
    Precision,
    ScaledMatmul,
    Stream,
    Triton,
    Tuning,
    UserKernel,
)

# Rounding errors depend on the order of a sum, which tuning may change: four times as much is
# another precision, half as much again is not.
_ERROR_NOISE = 3.0
# What the allocator adds to what was asked for.
_MEMORY_NOISE = 0.1
_MB = 1 << 20


def of_triton(record: Triton) -> Iterable[Said]:
    yield verdict("generates_triton", record.triton > 0)
    yield count("triton_kernels", record.triton, good=Good.NEITHER)
    yield count("kernels", record.kernels, good=Good.NEITHER)
    yield _finite(record.max_abs)


def of_user_kernel(record: UserKernel) -> Iterable[Said]:
    yield verdict("bitwise", record.bitwise)
    yield count("handles", record.handles, good=Good.MORE)
    yield _finite(record.max_abs)


def of_graphs(record: Graphs) -> Iterable[Said]:
    yield verdict("replays_graphs", record.replays > 0)
    yield count("replays", record.replays, good=Good.NEITHER)
    yield count("skips", record.skips)
    yield _finite(record.max_abs)


def of_tuning(record: Tuning) -> Iterable[Said]:
    yield count("compared", record.compared, good=Good.NEITHER)
    yield count("templates", record.templates, good=Good.NEITHER)
    yield _finite(record.max_abs)


def of_scaled_matmul(record: ScaledMatmul) -> Iterable[Said]:
    yield _finite(record.max_abs)
    yield verdict("finite_relative", record.max_rel is not None)


def of_precision(record: Precision) -> Iterable[Said]:
    forbidden = record.tf32_used and not record.tf32_allowed
    yield verdict("forbidden_tf32_used", forbidden, good=Good.NO)
    yield verdict("tf32_used", record.tf32_used, good=Good.NEITHER)
    yield verdict("tf32_used_in_eager", record.tf32_used_in_eager, good=Good.NEITHER)
    yield verdict("tf32_allowed", record.tf32_allowed, good=Good.NEITHER)
    yield verdict("tf32_allowed_in_cudnn", record.tf32_allowed_in_cudnn, good=Good.NEITHER)
    yield quantity("error", record.error, noise=_ERROR_NOISE)
    yield quantity("eager_error", record.eager_error, noise=_ERROR_NOISE, good=Good.NEITHER)


def of_stream(record: Stream) -> Iterable[Said]:
    yield verdict("bitwise", record.bitwise)
    yield verdict("told_apart", record.asleep)
    yield _finite(record.max_abs)


def of_fakes(record: Fakes) -> Iterable[Said]:
    yield verdict("allocates_inputs", record.compiling_b >= record.inputs_b, good=Good.NO)
    # In whole megabytes: below that is what Inductor makes once in a process.
    yield _memory("compiling", record.compiling_b)
    yield _memory("running", record.running_b)
    # The allocator reserves in blocks: one more says little.
    yield _memory("reserved_compiling", record.compiling_reserved_b, good=Good.NEITHER)


def of_kernels(record: KernelRuns) -> Iterable[Said]:
    # Whether bits and launches are the same is noise of tuning, where it is on.
    for path, seen in record.paths.items():
        yield count(f"launched.{path}", seen.launched, good=Good.NEITHER)
        yield verdict(f"same_kernels_again.{path}", seen.same_kernels, good=Good.NEITHER)
    yield verdict("same_kernels", record.same_kernels, good=Good.NEITHER)


def of_peak_memory(record: PeakMemory) -> Iterable[Said]:
    for path, seen in record.paths.items():
        yield _memory(f"compiling.{path}", max(seen.compiling_b))
        yield _memory(f"first_call.{path}", max(seen.first_b))
        yield _memory(f"running.{path}", max(seen.running_b))


def _memory(name: str, size_b: int, good: Good = Good.LESS) -> Said:
    return quantity(name, round(size_b / _MB), noise=_MEMORY_NOISE, good=good, unit="MB")


def _finite(max_abs: float | None) -> Said:
    return verdict("finite", max_abs is not None)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Triton: of_triton,
    UserKernel: of_user_kernel,
    Graphs: of_graphs,
    Tuning: of_tuning,
    ScaledMatmul: of_scaled_matmul,
    Precision: of_precision,
    Stream: of_stream,
    Fakes: of_fakes,
    KernelRuns: of_kernels,
    PeakMemory: of_peak_memory,
}

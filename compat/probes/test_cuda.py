"""What only a GPU can be asked: generated kernels, streams, graphs, memory, precision, time.

They are planned for ``cuda`` alone; a machine without a GPU says so in each of them.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import fx, nn
from torch._dynamo.utils import counters
from torch._inductor.utils import clear_caches

from compat.interface.compilers import Handle
from compat.interface.features import FEATURES
from compat.interface.shapes import CompileRange, concrete_inputs, symbolic_inputs
from compat.probes.agreement import STRUCTURE, judge
from compat.probes.calls import Call, digest, pack, unpack
from compat.probes.conftest import FreshProcess, Record, Require
from compat.probes.driving import (
    PATHS,
    RANGE_SIZE,
    call_with,
    drive,
    generated_kernels,
    initialized,
    inside_dynamo,
    make_batches,
    run_eagerly,
)
from compat.probes.models import WIDTH, make_input, make_model
from compat.probes.parity import NEEDS
from compat.probes.test_donation_cost import chain, compile_once
from compat.topics.cost.records import CompileTime, PathTime
from compat.topics.devices.records import (
    Fakes,
    Graphs,
    PathMemory,
    PeakMemory,
    Precision,
    ScaledMatmul,
    Stream,
    Triton,
    Tuning,
    UserKernel,
)
from compat.topics.donation.records import DeviceMemory

pytestmark = pytest.mark.cuda

BOTH = ("compile_fx", "standalone")
MB = 1 << 20


@pytest.mark.parametrize("path", BOTH)
def test_triton(path: str, device: str, record: Record, tmp_path: Path) -> None:
    """Inductor generates Triton kernels for the GPU, and they compute what eager computes.

    A build whose Triton is broken or of the wrong version shows here first.
    """
    model = make_model("reduction", torch.float32, device)
    batches = make_batches("dynamic", torch.float32, device)
    with generated_kernels() as kernels:
        driven = drive(model, initialized(PATHS[path](), tmp_path), batches)
    seen = judge(driven.calls, run_eagerly(model, batches))
    triton = sum("@triton.jit" in kernel for kernel in kernels)
    record(Triton(triton=triton, kernels=len(kernels), max_abs=seen.max_abs))
    assert triton, f"none of the {len(kernels)} generated kernels is one of Triton's"
    assert seen.agrees, f"outputs are {seen}"


@pytest.mark.parametrize("path", BOTH)
def test_user_kernel(
    path: str, fresh_process: FreshProcess, device: str, record: Record, tmp_path: Path
) -> None:
    """A user's own Triton kernel is compiled into the graph, saved, and loaded by a new process.

    Downstreams write their hot spots in Triton and expect the compiler to fuse around them.
    """
    model, batches = user_kernel(device)
    driven = drive(model, initialized(PATHS[path](), tmp_path), batches)
    expected = run_eagerly(model, batches)
    handles = dict(driven.backend.handles)
    loaded = unpack(fresh_process(load_user_kernel, path, device, tmp_path, handles))
    seen, seen_loaded = judge(driven.calls, expected), judge(loaded, expected)
    record(
        UserKernel(
            max_abs=seen.max_abs,
            handles=len(handles),
            bitwise=digest(loaded) == digest(driven.calls),
        )
    )
    assert seen.agrees, f"outputs are {seen}"
    assert seen_loaded.agrees, f"loaded, it is {seen_loaded}"


def user_kernel(device: str) -> tuple[nn.Module, list[torch.Tensor]]:
    from compat.probes.triton_kernels import UserKernel

    return UserKernel(), make_batches("dynamic", torch.float32, device)


def load_user_kernel(
    path: str, device: str, cache_dir: Path, handles: Mapping[str, Handle]
) -> bytes:
    """Run the model from ``handles`` alone; its calls, packed."""
    model, batches = user_kernel(device)
    compiler = initialized(PATHS[path](), cache_dir)
    with patch.object(type(compiler), "compile") as compile_again:
        compile_again.side_effect = AssertionError("asked to compile what was saved")
        driven = drive(model, compiler, batches, handles=handles)
    return pack(driven.calls)


@pytest.mark.parametrize("path", BOTH)
def test_graphs(path: str, device: str, record: Record, tmp_path: Path) -> None:
    """With ``triton.cudagraphs`` a path records a CUDA graph, replays it, and stays right.

    Small batches are bound by launches: a path that silently records nothing is slow, and one that
    replays on old inputs is wrong.
    """
    model = make_model("mlp", torch.float32, device)
    batch = make_input(RANGE_SIZE, torch.float32, device)
    driven = drive(
        model,
        initialized(PATHS[path](), tmp_path),
        [batch],
        options={"triton.cudagraphs": True},
    )
    judged = []
    with counted_replays() as replays, torch.no_grad():
        # The first ones warm up and record.
        for factor in (1.0, -1.0, 0.5, 2.0):
            scaled = batch * factor
            torch.compiler.cudagraph_mark_step_begin()
            # The graph's next run writes into the same memory.
            call = Call(driven.call(scaled).clone(), (scaled,))
            judged.append(judge([call], run_eagerly(model, [scaled])))
    worst = max(judged, key=lambda seen: seen.ratio)
    skips = counters["inductor"]["cudagraph_skips"]
    record(Graphs(replays=len(replays), skips=skips, max_abs=worst.max_abs))
    assert all(seen.agrees for seen in judged), f"outputs are {worst}"
    assert replays, f"no CUDA graph was replayed; torch skipped {skips}"


@contextmanager
def counted_replays() -> Iterator[list[torch.cuda.CUDAGraph]]:
    """Every CUDA graph that is replayed, once a replay."""
    real = torch.cuda.CUDAGraph.replay
    replayed: list[torch.cuda.CUDAGraph] = []

    @wraps(real)
    def spy(self: torch.cuda.CUDAGraph) -> None:
        replayed.append(self)
        real(self)

    with patch.object(torch.cuda.CUDAGraph, "replay", spy):
        yield replayed


class Linear(nn.Module):
    """A product with a matrix and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(WIDTH, WIDTH) / 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.t()


class Float8Linear(Linear):
    """The same in eight bits, as quantised models do it: the scales are powers of two."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        small = (x.float() * 16).clamp(-448, 448).to(torch.float8_e4m3fn)
        weight = (self.weight.float() * 16).clamp(-448, 448).to(torch.float8_e4m3fn)
        scale = torch.full((), 1 / 16, device=x.device)
        return torch._scaled_mm(small, weight.t(), scale, scale, out_dtype=torch.bfloat16)


def seeded(model: Callable[[], nn.Module], dtype: torch.dtype, device: str) -> nn.Module:
    torch.manual_seed(0)
    return model().to(device, dtype).eval().requires_grad_(False)


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("tuning", ["off", pytest.param("on", marks=pytest.mark.full)])
def test_max_autotune(tuning: str, path: str, device: str, record: Record, tmp_path: Path) -> None:
    """A single size compiles with max_autotune off, and on: then kernels are really compared.

    Downstreams tune the few sizes that they serve most, and no others.
    """
    size = 64
    model = seeded(Linear, torch.bfloat16, device)
    batch = make_input(size, torch.bfloat16, device)
    compiler = initialized(PATHS[path](), tmp_path)

    def body(
        graph: fx.GraphModule, examples: Sequence[Any]
    ) -> tuple[fx.GraphModule, Callable[..., Any], Any]:
        compiled, _ = compiler.compile(
            graph,
            concrete_inputs(graph, size),
            CompileRange(size, size),
            key="piece",
            options={"max_autotune": tuning == "on"},
        )
        return graph, compiled, tuple(examples)

    with generated_kernels() as kernels:
        graph, compiled, inputs = inside_dynamo(model, batch, body, dynamic=False)
    # A graph alone, where compile_fx gives a list for the graph's tuple.
    eagerly = run_eagerly(graph, [inputs])
    seen = judge([call_with(compiled, graph, inputs)], eagerly, left_out=(STRUCTURE,))
    compared = counters["inductor"]["select_algorithm_autotune"]
    record(
        Tuning(
            compared=compared,
            templates=sum("triton_tem" in kernel for kernel in kernels),
            max_abs=seen.max_abs,
        )
    )
    assert bool(compared) == (tuning == "on"), f"{tuning}, and kernels were compared {compared}×"
    assert seen.agrees, f"outputs are {seen}"


@pytest.mark.parametrize("path", BOTH)
def test_scaled_matmul(path: str, device: str, record: Record, tmp_path: Path) -> None:
    """A product in float8_e4m3fn with scales computes what it does in eager, where there is fp8.

    Quantised models are made of it; it needs compute capability 8.9.
    """
    major, minor = torch.cuda.get_device_capability()
    if (major, minor) < (8, 9):
        pytest.skip(f"this GPU has no fp8: its compute capability is {major}.{minor}")
    model = seeded(Float8Linear, torch.bfloat16, device)
    batches = make_batches("dynamic", torch.bfloat16, device)
    driven = drive(model, initialized(PATHS[path](), tmp_path), batches)
    seen = judge(driven.calls, run_eagerly(model, batches))
    record(ScaledMatmul(max_abs=seen.max_abs, max_rel=seen.max_rel))
    assert seen.agrees, f"outputs are {seen}"


# The largest error of a product in float32, in units of the result's root mean square. Ten bits of
# mantissa, as TF32 has them, are off by some 1e-3.
ERRORS = {"highest": 1e-5, "high": 1e-2}


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("precision", ERRORS)
def test_matmul_precision(
    precision: str, path: str, device: str, record: Record, tmp_path: Path
) -> None:
    """A path follows set_float32_matmul_precision: under ``highest`` it uses no TF32.

    What TF32 was allowed is recorded with every error, eager's too.
    """
    torch.set_float32_matmul_precision(precision)
    model = seeded(Linear, torch.float32, device)
    batch = make_input(256, torch.float32, device)
    driven = drive(model, initialized(PATHS[path](), tmp_path), [batch])
    error, eager_error = (
        error_of(calls[0].result, model, batch)
        for calls in (driven.calls, run_eagerly(model, [batch]).eager)
    )
    record(
        Precision(
            error=error,
            eager_error=eager_error,
            tf32_used=error > ERRORS["highest"],
            tf32_used_in_eager=eager_error > ERRORS["highest"],
            tf32_allowed=torch.backends.cuda.matmul.allow_tf32,
            tf32_allowed_in_cudnn=torch.backends.cudnn.allow_tf32,
        )
    )
    assert error <= ERRORS[precision], f"under {precision!r} the product is off by {error:.3g}"


def error_of(output: torch.Tensor, model: nn.Module, batch: torch.Tensor) -> float:
    """How far ``output`` is from what :class:`Linear` computes in float64, see ``ERRORS``."""
    with torch.no_grad():
        exact = batch.double() @ model.weight.double().t()
    return ((output.double() - exact).abs().max() / exact.pow(2).mean().sqrt()).item()


# Some 0.1 s: much longer than it takes to launch what comes behind it.
SLEEP_CYCLES = 200_000_000


@pytest.mark.parametrize("path", BOTH)
def test_stream(path: str, device: str, record: Record, tmp_path: Path) -> None:
    """What was compiled runs on the stream that is current when it is called.

    Its input is written late on that stream: kernels on another one would read what was there
    before. Downstreams capture, prefetch and overlap on streams of their own.
    """
    model = make_model("mlp", torch.float32, device)
    batch = make_input(RANGE_SIZE, torch.float32, device)
    driven = drive(model, initialized(PATHS[path](), tmp_path), [batch])
    late = torch.zeros_like(batch)
    stream = torch.cuda.Stream()
    with torch.no_grad(), torch.cuda.stream(stream):
        # Once without waiting: nothing is loaded or allocated behind the sleep.
        driven.call(late)
        torch.cuda.synchronize()
        torch.cuda._sleep(SLEEP_CYCLES)
        late.copy_(batch)
        call = call_with(driven.call, model, late)
        asleep = not stream.query()
    torch.cuda.synchronize()
    seen = judge([call], run_eagerly(model, [batch]))
    record(
        Stream(
            max_abs=seen.max_abs,
            bitwise=digest([call]) == digest(driven.calls),
            asleep=asleep,
        )
    )
    assert asleep, "the stream was idle before the call came back: another one is not told apart"
    assert seen.agrees, f"outputs are {seen}"


COMPILED = ("donated", "standalone", "compile_fx", "aot")

# Their inputs take megabytes.
ROWS = 1 << 16


@pytest.mark.parametrize("path", COMPILED)
@pytest.mark.parametrize("sizes", ["single", "range"])
def test_fakes(
    sizes: str, path: str, device: str, record: Record, require: Require, tmp_path: Path
) -> None:
    """Compiling from fakes on ``cuda`` makes nothing as large as the inputs, for a range or a size.

    Downstreams compile next to weights and caches that fill the device. The control is in the
    probe: running what was compiled does allocate.
    """
    if path in NEEDS:
        require(NEEDS[path])
    compiler = initialized(PATHS[path](), tmp_path)

    def body(graph: fx.GraphModule, examples: Sequence[Any]) -> tuple[Any, list[Any], Growth]:
        single = sizes == "single"
        fakes = concrete_inputs(graph, ROWS) if single else symbolic_inputs(graph)
        compile_range = CompileRange(ROWS if single else 1, ROWS)
        with measured_growth() as growth:
            compiled, _ = compiler.compile(graph, fakes, compile_range, key="piece")
        return compiled, list(examples), growth

    model = make_model("mlp", torch.float32, device)
    batch = make_input(ROWS, torch.float32, device)
    compiled, examples, compiling = inside_dynamo(model, batch, body, dynamic=True)
    inputs = [each if isinstance(each, torch.Tensor) else ROWS for each in examples]
    with torch.no_grad(), measured_growth() as running:
        compiled(*inputs)
    record(
        Fakes(
            inputs_b=batch.nbytes,
            compiling_b=compiling.allocated_b,
            compiling_reserved_b=compiling.reserved_b,
            running_b=running.allocated_b,
        )
    )
    assert running.allocated_b > 0, "running it allocated nothing: the measurement is blind"
    # Below that is what Inductor makes once in a process, such as the tensors of its patterns.
    assert compiling.allocated_b < batch.nbytes, (
        f"compiling allocated {compiling.allocated_b} bytes, the inputs have {batch.nbytes}"
    )


@dataclass
class Growth:
    """By how many bytes the peaks of allocated and reserved device memory rose."""

    allocated_b: int = 0
    reserved_b: int = 0


@contextmanager
def measured_growth() -> Iterator[Growth]:
    """What the body does to device memory; known once it has ended."""
    growth = Growth()
    torch.cuda.synchronize()
    # What is reserved and free would hide what is reserved anew.
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    allocated, reserved = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
    yield growth
    torch.cuda.synchronize()
    growth.allocated_b = torch.cuda.max_memory_allocated() - allocated
    growth.reserved_b = torch.cuda.max_memory_reserved() - reserved


BUFFER_MB = 256


def test_donation_memory(device: str, record: Record, require: Require) -> None:
    """Compiling a module that owns 256 MB on the device: donated, they are not there twice.

    By the growth of the peaks of allocated and reserved device memory.
    """
    require("donate_graph_module")
    grown: dict[str, Growth] = {}
    for path in ("donated", "standalone"):
        graph = chain(10)
        owner = nn.Module()
        owner.register_buffer("large", torch.ones(BUFFER_MB * MB // 4, device=device))
        graph.add_submodule("owner", owner)
        with measured_growth() as grown[path]:
            compile_once(path, graph, device)
    kept, donated = grown["standalone"], grown["donated"]
    record(
        DeviceMemory(
            buffer_mb=BUFFER_MB,
            kept_mb=round(kept.allocated_b / MB),
            donated_mb=round(donated.allocated_b / MB),
            kept_reserved_mb=round(kept.reserved_b / MB),
            donated_reserved_mb=round(donated.reserved_b / MB),
        )
    )
    assert kept.allocated_b > BUFFER_MB * MB / 2, (
        "no copy is seen where one is made: the measurement is blind"
    )
    assert donated.allocated_b < BUFFER_MB * MB / 2, (
        f"donated, the peak still grows by {donated.allocated_b / MB:.0f} MB: a buffer is copied"
    )


PROCESSES = 3


@pytest.mark.full
def test_peak_memory(
    fresh_process: FreshProcess, device: str, record: Record, tmp_path: Path
) -> None:
    """Device memory that each path takes at most: to compile, in the first call, in a later one.

    compile_fx is the control for standalone_compile, which tunes kernels while it compiles, on
    tensors of its own. Three processes each, so that noise is seen.
    """
    paths = [path for path in COMPILED if path not in NEEDS or FEATURES[NEEDS[path]].capability()]
    seen = {
        path: [
            fresh_process(peaks_of, path, device, tmp_path / f"{path}-{number}")
            for number in range(PROCESSES)
        ]
        for path in paths
    }
    record(
        PeakMemory(
            inputs_b=make_input(ROWS, torch.float32, device).nbytes,
            paths={
                path: PathMemory(
                    compiling_b=tuple(compiling for compiling, _, _ in each),
                    first_b=tuple(first for _, first, _ in each),
                    running_b=tuple(running for _, _, running in each),
                )
                for path, each in seen.items()
            },
        )
    )
    blind = [path for path, each in seen.items() if not all(running for _, _, running in each)]
    assert not blind, f"running {', '.join(blind)} allocated nothing: the measurement is blind"


def peaks_of(path: str, device: str, cache_dir: Path) -> tuple[int, int, int]:
    """Bytes by which compiling, the first call and a later one raise the peak."""
    cache_dir.mkdir()
    compiler = initialized(PATHS[path](), cache_dir)

    def body(graph: fx.GraphModule, examples: Sequence[Any]) -> tuple[Any, list[Any], Growth]:
        with measured_growth() as growth:
            compiled, _ = compiler.compile(
                graph, concrete_inputs(graph, ROWS), CompileRange(ROWS, ROWS), key="piece"
            )
        return compiled, list(examples), growth

    model = make_model("mlp", torch.float32, device)
    batch = make_input(ROWS, torch.float32, device)
    compiled, examples, compiling = inside_dynamo(model, batch, body, dynamic=False)
    grown = []
    with torch.no_grad():
        for _ in range(2):
            with measured_growth() as growth:
                compiled(*examples)
            grown.append(growth.allocated_b)
    return compiling.allocated_b, grown[0], grown[1]


ROUNDS = 5


@pytest.mark.alone
@pytest.mark.full
def test_compile_time(device: str, record: Record, tmp_path: Path) -> None:
    """Seconds that each path takes to capture, compile and first run a transformer block.

    In one process, the paths in turns, each time in fresh caches: median, least and most of five.
    """
    paths = [path for path in COMPILED if path not in NEEDS or FEATURES[NEEDS[path]].capability()]
    seconds, hits = cold_seconds(paths, ROUNDS, device, tmp_path)
    record(
        CompileTime(
            paths=tuple(
                PathTime(
                    path=path,
                    median_s=round(statistics.median(each), 3),
                    min_s=round(min(each), 3),
                    max_s=round(max(each), 3),
                    repeats=len(each),
                )
                for path, each in seconds.items()
            ),
            hits=hits,
        )
    )
    assert not hits, f"{hits} times something was found in a cache: these times say nothing"


def cold_seconds(
    paths: Sequence[str], rounds: int, device: str, cache_dir: Path
) -> tuple[dict[str, list[float]], int]:
    """By path: the seconds of each compilation; and how often a cache had something for one."""
    # The first compilation of a process pays for what is set up once.
    compile_cold(paths[0], device, cache_dir / "first")
    seconds: dict[str, list[float]] = {path: [] for path in paths}
    hits = 0
    for number in range(rounds):
        for path in paths:
            counters.clear()
            seconds[path].append(compile_cold(path, device, cache_dir / f"{path}-{number}"))
            hits += counters["inductor"]["fxgraph_cache_hit"]
            hits += counters["aot_autograd"]["autograd_cache_hit"]
    return seconds, hits


def compile_cold(path: str, device: str, cache_dir: Path) -> float:
    torch._dynamo.reset()
    clear_caches()
    model = make_model("block", torch.float32, device)
    batches = make_batches("static", torch.float32, device)
    return drive(model, initialized(PATHS[path](), cache_dir), batches).compile_s

"""What the probes for a GPU are made of, as far as it goes on a CPU. Runs inside a build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo.utils
import torch._inductor.config
import torch.utils._triton
from torch import fx

from compat.interface.backend import ATTENTION, split_graph
from compat.probes import test_cuda, test_kernels
from compat.probes.agreement import judge
from compat.probes.driving import PATHS, drive, initialized, make_batches, run_eagerly
from compat.probes.models import make_input


@pytest.fixture(autouse=True)
def fresh_dynamo() -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()


def test_the_scaled_matmul(tmp_path: Path) -> None:
    model = test_cuda.seeded(test_cuda.Float8Linear, torch.bfloat16, "cpu")
    batches = make_batches("dynamic", torch.bfloat16, "cpu")
    exact = test_cuda.Linear.forward(model, batches[0])
    reference = run_eagerly(model, batches)
    # Three bits of mantissa.
    assert (reference.eager[0].result - exact).abs().max() < 0.5
    driven = drive(model, initialized(PATHS["standalone"](), tmp_path), batches)
    assert judge(driven.calls, reference).agrees


def test_errors_tell_precisions_apart() -> None:
    model = test_cuda.seeded(test_cuda.Linear, torch.float32, "cpu")
    batch = make_input(256, torch.float32, "cpu")
    (call,) = run_eagerly(model, [batch]).eager
    error = test_cuda.error_of(call.result, model, batch)
    assert 0 < error < test_cuda.ERRORS["highest"]
    # As TF32 does: ten bits of mantissa for what is multiplied.
    cut = (batch.view(torch.int32) & -0x2000).view(torch.float32)
    (rough,) = run_eagerly(model, [cut]).eager
    error = test_cuda.error_of(rough.result, model, batch)
    assert test_cuda.ERRORS["highest"] < error < test_cuda.ERRORS["high"]


def test_times_are_of_cold_compilations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ["standalone", "compile_fx"]
    seconds, hits = test_cuda.cold_seconds(paths, 1, "cpu", tmp_path / "own")
    assert [len(seconds[path]) for path in paths] == [1, 1]
    assert hits == 0
    real = test_cuda.initialized
    shared = tmp_path / "shared"
    monkeypatch.setattr(test_cuda, "initialized", lambda compiler, _: real(compiler, shared))
    _, hits = test_cuda.cold_seconds(paths, 1, "cpu", shared)
    assert hits > 0, "a cache that is not fresh goes unnoticed"


def test_no_triton_kernel_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is one of Triton's"):
        test_cuda.test_triton("standalone", "cpu", recorded, tmp_path)


def test_a_graph_that_is_not_recorded_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no CUDA graph was replayed; torch skipped 1"):
        test_cuda.test_graphs("compile_fx", "cpu", recorded, tmp_path)


def test_tuning_that_compares_nothing_is_noticed(tmp_path: Path) -> None:
    test_cuda.test_max_autotune("off", "compile_fx", "cpu", recorded, tmp_path / "off")
    torch._dynamo.reset()
    with pytest.raises(AssertionError, match="on, and kernels were compared 0"):
        test_cuda.test_max_autotune("on", "compile_fx", "cpu", recorded, tmp_path / "on")


@pytest.mark.parametrize(
    ("growths", "says"),
    [((8, 8), ""), ((1 << 30, 8), "compiling allocated 1073741824 bytes"), ((0, 0), "blind")],
)
def test_memory_that_compiling_takes_is_noticed(
    growths: tuple[int, int], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown = iter(growths)

    @contextmanager
    def measured() -> Iterator[test_cuda.Growth]:
        yield test_cuda.Growth(allocated_b=next(grown))

    monkeypatch.setattr(test_cuda, "measured_growth", measured)
    with pytest.raises(AssertionError, match=says) if says else nullcontext():
        test_cuda.test_fakes("range", "standalone", "cpu", recorded, lambda _: None, tmp_path)


def called(function: Any, *args: Any) -> Any:
    """Takes the place of a new process."""
    return function(*args)


def test_memory_that_is_not_seen_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown: list[int] = []

    @contextmanager
    def measured() -> Iterator[test_cuda.Growth]:
        grown.append(len(grown))
        # Of each process the third measurement is that of a later call.
        yield test_cuda.Growth(allocated_b=0 if len(grown) % 3 == 0 else 8)

    monkeypatch.setattr(test_cuda, "measured_growth", measured)
    monkeypatch.setattr(test_cuda, "COMPILED", ("standalone",))
    with pytest.raises(AssertionError, match="running standalone allocated nothing"):
        test_cuda.test_peak_memory(called, "cpu", recorded, tmp_path)
    assert len(grown) == 3 * test_cuda.PROCESSES


RAN = test_kernels.Ran((("a", "1"), ("b", "1")), 4, "bits", "")


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ([RAN] * 4, ""),
        ([RAN, replace(RAN, launches=()), RAN, RAN], "no kernel is seen to run on compile_fx"),
        ([RAN, RAN, replace(RAN, verdict="off by 3"), RAN], "{'standalone': 'off by 3'}"),
    ],
)
def test_kernels_that_are_not_seen_are_noticed(
    seen: list[test_kernels.Ran], says: str, tmp_path: Path
) -> None:
    ran = iter(seen)
    with pytest.raises(AssertionError, match=says) if says else nullcontext():
        test_kernels.test_launched(
            "mlp", "float32", "on", lambda *args: next(ran), "cpu", recorded, tmp_path
        )


def test_what_two_processes_and_two_paths_ran_is_compared(tmp_path: Path) -> None:
    other_block = replace(RAN, launches=(("a", "2"), ("b", "1")))
    other_kernel = replace(RAN, launches=(("a", "1"), ("c", "1")), bits="others")
    ran = iter([RAN, other_block, other_kernel, other_kernel])
    records: list[Any] = []
    test_kernels.test_launched(
        "mlp", "float32", "on", lambda *args: next(ran), "cpu", records.append, tmp_path
    )
    (record,) = records
    compile_fx, standalone = record.paths["compile_fx"], record.paths["standalone"]

    def agreement(each: Any) -> tuple[bool, bool, bool]:
        return (each.same_kernels, each.same_launches, each.same_bits)

    assert agreement(compile_fx) == (True, False, True)
    assert agreement(standalone) == (True, True, True)
    assert agreement(record) == (False, False, False)


def test_launches_are_read_from_a_trace() -> None:
    def event(kind: str, ts: int, name: str) -> dict[str, Any]:
        return {"cat": kind, "ts": ts, "name": name, "args": {"grid": [ts, 1, 1], "block": [64]}}

    events = [event("kernel", 5, "b"), event("cpu_op", 1, "mm"), event("kernel", 2, "a"), {"ts": 0}]
    assert test_kernels.launches_in(events) == (
        ("a", "[2, 1, 1] [64]"),
        ("b", "[5, 1, 1] [64]"),
    )


@pytest.mark.parametrize("tuning", test_kernels.TUNING)
def test_the_settings_of_tuning_are_known(tuning: str) -> None:
    with torch._inductor.config.patch(test_kernels.TUNING[tuning]):
        assert torch._inductor.config.deterministic is (tuning == "off")


def recorded(record: object) -> None:
    """Takes what a probe records."""


class SeenError(Exception):
    """Ends a compilation once there is a graph."""


def test_a_user_kernel_is_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the piece that a compiler would get: compiling it takes a GPU."""
    for module in (torch.utils._triton, torch._dynamo.utils):
        monkeypatch.setattr(module, "has_triton", lambda *args: True)
    model, batches = test_cuda.user_kernel("cpu")
    codes: list[str] = []

    def backend(graph: fx.GraphModule, example_inputs: Sequence[Any]) -> None:
        split, names = split_graph(graph, ATTENTION)
        codes.extend(getattr(split, name).code for name in names)
        raise SeenError

    torch._dynamo.mark_dynamic(batches[0], 0)
    with pytest.raises(Exception, match="SeenError"), torch.no_grad():
        torch.compile(model, backend=backend, fullgraph=True)(batches[0])
    (code,) = codes
    assert "triton_kernel_wrapper_mutation" in code

"""What the probes for a GPU are made of, as far as it goes on a CPU. Runs inside a build."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo.utils
import torch.utils._triton
from torch import fx

from compat.interface.backend import ATTENTION, split_graph
from compat.probes import test_cuda
from compat.probes.agreement import TOLERANCES, difference
from compat.probes.driving import PATHS, drive, initialized, make_batches, run_eagerly
from compat.probes.models import make_input


def test_the_scaled_matmul(tmp_path: Path) -> None:
    model = test_cuda.seeded(test_cuda.Float8Linear, torch.bfloat16, "cpu")
    batches = make_batches("dynamic", torch.bfloat16, "cpu")
    exact = test_cuda.Linear.forward(model, batches[0])
    (first, _) = run_eagerly(model, batches)
    # Three bits of mantissa.
    assert (first - exact).abs().max() < 0.5
    driven = drive(model, initialized(PATHS["standalone"](), tmp_path), batches)
    tolerance = TOLERANCES[torch.bfloat16]
    assert difference(driven.outputs, run_eagerly(model, batches), tolerance).within_tolerance


def test_errors_tell_precisions_apart() -> None:
    model = test_cuda.seeded(test_cuda.Linear, torch.float32, "cpu")
    batch = make_input(256, torch.float32, "cpu")
    (output,) = run_eagerly(model, [batch])
    error = test_cuda.error_of(output, model, batch)
    assert 0 < error < test_cuda.ERRORS["highest"]
    # As TF32 does: ten bits of mantissa for what is multiplied.
    (rough,) = run_eagerly(model, [(batch.view(torch.int32) & -0x2000).view(torch.float32)])
    error = test_cuda.error_of(rough, model, batch)
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

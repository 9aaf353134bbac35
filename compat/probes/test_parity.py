"""Do all paths compute the same numbers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from compat.probes.agreement import TOLERANCES, as_outputs, difference, digest
from compat.probes.conftest import Record, Require
from compat.probes.driving import (
    DTYPES,
    PATHS,
    Driven,
    drive,
    generated_kernels,
    initialized,
    make_batches,
    run_eagerly,
)
from compat.probes.models import make_model
from compat.probes.parity import NEEDS, check_parity

CASES = [
    (model, dtype, batch)
    for model in ("mlp", "block", "reduction")
    for dtype in ("float32", "bfloat16")
    for batch in ("static", "dynamic")
]
MORE_CASES = [
    *((model, "float16", "dynamic") for model in ("mlp", "block", "reduction")),
    *(
        (model, "float32", batch)
        for model in ("embedding", "buffer", "silent", "aliases", "custom-op")
        for batch in ("static", "dynamic")
    ),
]


def run_again(
    driven: Driven,
    module: nn.Module,
    batches: Sequence[torch.Tensor],
    buffers: Sequence[torch.Tensor],
) -> list[torch.Tensor]:
    """What was compiled, run once more from the same buffers; what it leaves in them counts."""
    with torch.no_grad():
        for buffer, value in zip(module.buffers(), buffers, strict=True):
            buffer.copy_(value)
        outputs = [output for batch in batches for output in as_outputs(driven.call(batch))]
    return [*outputs, *module.buffers()]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("model", "dtype", "batch"),
    [*CASES, *(pytest.param(*case, marks=pytest.mark.full) for case in MORE_CASES)],
)
def test_outputs(
    model: str,
    dtype: str,
    batch: str,
    path: str,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """A path computes what the model computes without any compiler, within the dtype's tolerance.

    With a dynamic batch, both the compilation for the range and the one for a single size count.
    What a model leaves in its buffers counts as an output. Whether the path gives the very same
    bits when it is run again is recorded: noise between paths is told from noise within one.
    """
    if path in NEEDS:
        require(NEEDS[path])
    module = make_model(model, DTYPES[dtype], device)
    batches = make_batches(batch, DTYPES[dtype], device, model)
    alone = copy.deepcopy(module)
    buffers = [buffer.clone() for buffer in module.buffers()]
    expected = [*run_eagerly(alone, batches), *alone.buffers()]
    with generated_kernels() as kernels:
        driven = drive(module, initialized(PATHS[path](), tmp_path), batches)
    outputs = [*driven.outputs, *(buffer.clone() for buffer in module.buffers())]
    again = run_again(driven, module, batches, buffers)
    record(repeats_bitwise=digest(again) == digest(outputs))
    check_parity(driven, outputs, expected, TOLERANCES[DTYPES[dtype]], kernels, record)


@pytest.mark.full
@pytest.mark.parametrize("path", PATHS)
def test_random_numbers(
    path: str, device: str, record: Record, require: Require, tmp_path: Path
) -> None:
    """Under a fixed seed and fallback_random a path draws the very numbers that eager draws.

    Whoever compares a compiled model that samples with an eager one relies on it.
    """
    if path in NEEDS:
        require(NEEDS[path])
    module = make_model("dropout", torch.float32, device)
    (batch,) = make_batches("static", torch.float32, device)
    compiler = initialized(PATHS[path](), tmp_path)
    driven = drive(module, compiler, [batch], options={"fallback_random": True})
    with torch.no_grad():
        torch.manual_seed(1)
        outputs = as_outputs(driven.call(batch))
        torch.manual_seed(1)
        expected = as_outputs(module(batch))
    seen = difference(outputs, expected, TOLERANCES[torch.float32])
    record(max_abs=seen.max_abs)
    assert seen.within_tolerance, f"under the same seed, outputs are off by {seen.max_abs:.3g}"

"""Do all paths compute the same numbers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from compat.probes.agreement import Reference, judge
from compat.probes.calls import Call, digest
from compat.probes.conftest import Record, Require
from compat.probes.driving import (
    DTYPES,
    PATHS,
    Driven,
    call_with,
    drive,
    generated_kernels,
    initialized,
    make_batches,
    run_eagerly,
)
from compat.probes.models import make_model
from compat.probes.parity import NEEDS, check_parity
from compat.topics.parity.records import RandomNumbers

CASES = [
    ("mlp", "float32", "static"),
    *(
        (model, dtype, "dynamic")
        for model in ("mlp", "block", "reduction")
        for dtype in ("float32", "bfloat16")
    ),
]
# A static batch is compiled once: a dynamic one for the range of sizes, and for a single size too.
MORE_CASES = [
    ("mlp", "bfloat16", "static"),
    *(
        (model, dtype, "static")
        for model in ("block", "reduction")
        for dtype in ("float32", "bfloat16")
    ),
    *((model, "float16", "dynamic") for model in ("mlp", "block", "reduction")),
    *(
        (model, "float32", batch)
        for model in ("embedding", "buffer", "silent", "aliases", "custom-op")
        for batch in ("static", "dynamic")
    ),
]


def repeats_itself(
    driven: Driven,
    module: nn.Module,
    batches: Sequence[torch.Tensor],
    buffers: Sequence[torch.Tensor],
) -> bool:
    """Whether what was compiled gives the same bits once more, from the same buffers."""
    with torch.no_grad():
        for buffer, value in zip(module.buffers(), buffers, strict=True):
            buffer.copy_(value)
    again = [call_with(driven.call, module, batch) for batch in batches]
    if buffers:
        again.append(Call(tuple(module.buffers())))
    return digest(again) == digest(driven.calls)


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
    """A path computes what the model computes without any compiler, and returns it likewise.

    Its error against float64 is a small multiple of eager's at most; types, strides, aliases and
    all else that a caller may rely on are eager's. With a dynamic batch, both the compilation for
    the range and the one for a single size count, and what a model leaves in its buffers. Whether
    the path gives the very same bits when it is run again is recorded: noise between paths is told
    from noise within one.
    """
    if path in NEEDS:
        require(NEEDS[path])
    module = make_model(model, DTYPES[dtype], device)
    batches = make_batches(batch, DTYPES[dtype], device, model)
    reference = run_eagerly(copy.deepcopy(module), batches)
    buffers = [buffer.clone() for buffer in module.buffers()]
    with generated_kernels() as kernels:
        driven = drive(module, initialized(PATHS[path](), tmp_path), batches)
    repeats = repeats_itself(driven, module, batches, buffers)
    check_parity(driven, reference, kernels, record, dtype=dtype, repeats_bitwise=repeats)


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
    torch.manual_seed(1)
    call = call_with(driven.call, module, batch)
    torch.manual_seed(1)
    eager = call_with(module, module, batch)
    # Other numbers would be drawn in float64: what eager drops is dropped.
    exact = Call(torch.where(eager.result == 0, 0.0, 2 * torch.sin(batch.double())))
    seen = judge([call], Reference(eager=(eager,), exact=(exact,)))
    record(RandomNumbers(max_abs=seen.max_abs))
    assert seen.agrees, f"under the same seed, outputs are {seen}"

"""The model `silent` in float32, compiled by PyTorch 2.11.0.

parity.outputs[silent-float32-dynamic-standalone]@2.11.0-cpu: s77

Needs PyTorch alone, and the C++ compiler that it calls. Exits with 1 where the compiled model does not compile, or does not compute
and leave behind what it does without a compiler, with 0 where it does, and with
125, as for git bisect, where neither can be told.
"""

from __future__ import annotations

import contextlib
import copy
import sys
import tempfile
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import torch
from torch import nn
from torch._prims_common import compute_required_storage_length
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv, is_symbolic

DEVICE = "cpu"
DTYPE = torch.float32


RANGE_SIZE = 5
SINGLE_SIZE = 8
WIDTH = 64


class RunningMean(nn.Module):
    """Changes a buffer in place and uses what it then holds, as a key-value cache is used."""

    mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.mean.mul_(0.5).add_(x.mean(0), alpha=0.5)
        return x - self.mean


class Silent(RunningMean):
    """Changes a buffer in place and returns nothing at all."""

    def forward(self, x: torch.Tensor) -> None:
        self.mean.add_(torch.relu(x).sum(0))


def symbolic_inputs(graph: torch.fx.GraphModule) -> list[Any]:
    """The fake values that Dynamo recorded for the placeholders of ``graph``, in order."""
    return [node.meta["example_value"] for node in graph.graph.find_nodes(op="placeholder")]


def _substitute(value: Any, size: int) -> int:
    # int() on a symbolic value would specialise the shape environment it came from.
    if not is_symbolic(value):
        return int(value)
    expression = value.node.expr
    return int(expression.subs(dict.fromkeys(expression.free_symbols, size)))


def _concrete(value: Any, size: int) -> Any:
    if isinstance(value, torch.SymInt):
        return _substitute(value, size)
    if not isinstance(value, torch.Tensor):
        return value
    shape = tuple(_substitute(dim, size) for dim in value.shape)
    stride = tuple(_substitute(step, size) for step in value.stride())
    offset = _substitute(value.storage_offset(), size)
    storage = torch.empty(
        compute_required_storage_length(shape, stride, offset),
        dtype=value.dtype,
        device=value.device,
    )
    return storage.as_strided(shape, stride, offset)


def concrete_inputs(graph: torch.fx.GraphModule, size: int) -> list[Any]:
    """Fake inputs of ``graph`` with every symbolic dimension set to ``size``.

    They belong to a new FakeTensorMode, as in vLLM: Dynamo's own mode stays as it is.
    """
    with FakeTensorMode(shape_env=ShapeEnv()):
        return [_concrete(value, size) for value in symbolic_inputs(graph)]


def _find_batch(inputs: Sequence[Any]) -> tuple[int, int | None] | None:
    """Where a symbolic size can be read off: an input, and its dimension if it is a tensor."""
    for position, value in enumerate(inputs):
        if isinstance(value, torch.SymInt):
            return position, None
        if isinstance(value, torch.Tensor):
            for dim, size in enumerate(value.shape):
                if is_symbolic(size) and size.node.expr.is_symbol:
                    return position, dim
    return None


def _fake_mode_of(inputs: Sequence[Any]) -> Any | None:
    return next((value.fake_mode for value in inputs if isinstance(value, FakeTensor)), None)


def _standalone_compile_reuses(mode: Any) -> contextlib.AbstractContextManager[Any]:
    """Make ``standalone_compile`` take ``mode`` where it would create one (pytorch#176562)."""
    # Patched on the module object: on Python 3.10 a dotted string finds the function of the
    # same name (vllm#37858).
    module = sys.modules["torch._inductor.standalone_compile"]
    return patch.object(module, "FakeTensorMode", lambda *args, **kwargs: mode)


# The batch sizes that it is called with, the first of which it is captured with.
SIZES = [RANGE_SIZE, SINGLE_SIZE]


def inputs_for(size):
    generator = torch.Generator().manual_seed(size)
    return torch.randn(size, WIDTH, generator=generator).to(DEVICE, DTYPE)


def compile_graph(graph, inputs, dynamic_shapes="from_graph"):
    """The path `standalone`."""
    return torch._inductor.standalone_compile(graph, inputs, dynamic_shapes=dynamic_shapes)


def compile_and_save(graph, inputs, dynamic_shapes):
    compiled = compile_graph(graph, inputs, dynamic_shapes)
    with tempfile.TemporaryDirectory() as folder:
        compiled.save(path=f"{folder}/artifact", format="binary")
    return compiled


def compile_piece(graph):
    """Compiles a graph, for a range of sizes and for a single one."""
    place = _find_batch(symbolic_inputs(graph))
    if place is None:
        return compile_and_save(graph, symbolic_inputs(graph), "from_graph")
    inputs = concrete_inputs(graph, SINGLE_SIZE)
    # As downstreams do: standalone_compile would make another mode than that of the inputs.
    with _standalone_compile_reuses(_fake_mode_of(inputs)):
        single = compile_and_save(graph, inputs, "from_example_inputs")
    ranged = compile_and_save(graph, symbolic_inputs(graph), "from_graph")
    position, dim = place

    def call(*inputs):
        size = inputs[position] if dim is None else inputs[position].shape[dim]
        return (single if size == SINGLE_SIZE else ranged)(*inputs)

    return call


def backend(graph, _):
    """Compiles what Dynamo captured."""
    return compile_piece(graph)


def called(call, model, inputs):
    """What a call returns, and what it may have changed, as it is afterwards."""
    with torch.no_grad():
        return [*tensors(call(inputs)), inputs, *model.parameters(), *model.buffers()]


def tensors(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors(each)


def traits(found):
    """Of each tensor what a caller may rely on besides its values."""
    return [
        (
            str(each.dtype),
            tuple(each.shape),
            tuple(step for size, step in zip(each.shape, each.stride()) if size > 1),
            # A tensor that is returned as it was given stands there twice.
            [
                place
                for place, other in enumerate(found)
                if place != own
                and other.untyped_storage().data_ptr() == each.untyped_storage().data_ptr() != 0
            ],
        )
        for own, each in enumerate(found)
    ]


def difference(found, wanted):
    """What is not the same of tensors; empty where nothing is."""
    if traits(found) != traits(wanted):
        return (
            "dtypes, shapes, strides and what shares memory\n"
            f"  compiled: {traits(found)}\n"
            f"  eager:    {traits(wanted)}"
        )
    for got, want in zip(found, wanted):
        # What torch.testing allows by itself would let float64 be as coarse as float32.
        allowed = {"rtol": 1e-12, "atol": 1e-12} if want.dtype == torch.float64 else {}
        try:
            torch.testing.assert_close(got, want, equal_nan=True, **allowed)
        except AssertionError as error:
            return str(error)
    return ""


def main() -> int:
    torch.manual_seed(0)
    model = Silent().to(DEVICE, DTYPE).eval().requires_grad_(False)
    eager = copy.deepcopy(model)
    compiled = torch.compile(model, backend=backend, fullgraph=True, dynamic=None)
    for size in SIZES:
        wanted = called(eager, eager, inputs_for(size))
        inputs = inputs_for(size)
        torch._dynamo.mark_dynamic(inputs, 0)
        try:
            wrong = difference(called(compiled, model, inputs), wanted)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            print(f"wrong: {wrong}")
            return 1
    print("right")
    return 0


if __name__ == "__main__":
    import os
    import shutil

    print(f"PyTorch {torch.__version__}")
    try:
        torch.empty(1, device=DEVICE)
        if shutil.which(os.environ.get("CXX", "g++")) is None:
            raise RuntimeError("there is no C++ compiler: install g++, or set CXX")
        status = main()
    except Exception as error:
        # What the compiler is not to blame for, such as that there is no such device or no g++.
        print(f"not known: {type(error).__name__}: {error}")
        status = 125
    sys.exit(status)

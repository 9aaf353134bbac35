"""The model `silent` in float32, compiled by PyTorch 2.10.0.

parity.outputs[silent-float32-static-standalone]@2.10.0-cpu: fake mode
(<torch._subclasses.fake_tensor.FakeTensorMode object at 0x7fb368b1da10>) from tracing context 0
doesn't match mode (<torch._subclasses.fake_tensor.FakeTensorMode object at 0x7fb368cbbdd0>)
from fake tensor input 0

Needs PyTorch alone, and the C++ compiler that it calls. Exits with 1 where the compiled model does not compile, or does not compute
and leave behind what it does without a compiler, with 0 where it does, and with
125, as for git bisect, where neither can be told.
"""

from __future__ import annotations

import copy
import sys
import tempfile
from typing import Any

import torch
from torch import nn

DEVICE = "cpu"
DTYPE = torch.float32


RANGE_SIZE = 5
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


# The batch sizes that it is called with, the first of which it is captured with.
SIZES = [RANGE_SIZE]


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
    """Compiles a graph."""
    return compile_and_save(graph, symbolic_inputs(graph), "from_graph")


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

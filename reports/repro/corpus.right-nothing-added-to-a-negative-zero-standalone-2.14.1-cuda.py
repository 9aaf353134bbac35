"""Nothing added to a negative zero, compiled by PyTorch 2.14.1.

corpus.right[nothing-added-to-a-negative-zero-standalone]@2.14.1-cuda: outputs are off by nan
(relative nan): root mean square error 0 rounding steps, eager's 0, inf of what is allowed; bias
inf of that; worst element inf steps, inf of that:
https://github.com/pytorch/pytorch/issues/189799
The graph is from https://github.com/pytorch/pytorch/issues/189799

Needs PyTorch alone, and the C++ compiler that it calls. Exits with 1 where the compiled graph is not what the same lines are without
a compiler, with 0 where it is, and with
125, as for git bisect, where neither can be told.
"""

from __future__ import annotations

import copy
import sys

import torch
from torch import Tensor

DEVICE = "cuda"
# The batch sizes that it is called with, the first of which it is compiled for.
SIZES = (5,)


def nothing_added_to_a_negative_zero(x: Tensor) -> Tensor:
    v = torch.ceil(x)
    return torch.reciprocal(v + torch.zeros_like(v))


inputs_for = lambda _: (torch.tensor([-0.5, -0.1, -0.9, 0.7]),)


def compile_graph(graph, inputs, dynamic_shapes="from_graph"):
    """The path `standalone`."""
    return torch._inductor.standalone_compile(graph, inputs, dynamic_shapes=dynamic_shapes)


def backend(graph, _):
    """Gives a path what Dynamo captured and fake inputs with symbolic sizes."""
    fakes = [node.meta["example_value"] for node in graph.graph.find_nodes(op="placeholder")]
    return compile_graph(graph, fakes)


def called(call, size):
    """What a call returns, and its inputs as they are afterwards."""
    torch.manual_seed(0)
    with torch.device(DEVICE):
        inputs = inputs_for(size)
    torch.manual_seed(1)
    with torch.no_grad():
        return [*tensors(call(*inputs)), *tensors(inputs)]


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


compiled = torch.compile(nothing_added_to_a_negative_zero, backend=backend, fullgraph=True, dynamic=None)


def main() -> int:
    for size in SIZES:
        wanted = called(nothing_added_to_a_negative_zero, size)
        try:
            wrong = difference(called(compiled, size), wanted)
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

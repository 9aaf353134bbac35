"""The device memory that the path `donated` takes to compile from fakes, by PyTorch 2.15.0.

cuda.fakes[single-donated]@2.15.0-cuda: compiling allocated 130024448 bytes, the inputs have
16777216
The inputs are fakes: to compile for them takes no real tensor of their size.

Needs PyTorch alone, and the C++ compiler that it calls. Exits with 1 where compiling takes as much
device memory as the inputs would, or more, with 0 where it takes less, and with
125, as for git bisect, where neither can be told.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import nn
from torch._prims_common import compute_required_storage_length
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv, is_symbolic

DEVICE = "cuda"
ROWS = 1 << 16


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


WIDTH = 64


class Mlp(nn.Module):
    """Two linear layers and a GELU: one piece, one output."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(nn.functional.gelu(self.up(x)))


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


def symbolic_inputs(graph: torch.fx.GraphModule) -> list[Any]:
    """The fake values that Dynamo recorded for the placeholders of ``graph``, in order."""
    return [node.meta["example_value"] for node in graph.graph.find_nodes(op="placeholder")]


def concrete_inputs(graph: torch.fx.GraphModule, size: int) -> list[Any]:
    """Fake inputs of ``graph`` with every symbolic dimension set to ``size``.

    They belong to a new FakeTensorMode, as in vLLM: Dynamo's own mode stays as it is.
    """
    with FakeTensorMode(shape_env=ShapeEnv()):
        return [_concrete(value, size) for value in symbolic_inputs(graph)]


def _fake_mode_of(inputs: Sequence[Any]) -> Any | None:
    return next((value.fake_mode for value in inputs if isinstance(value, FakeTensor)), None)


def _standalone_compile_reuses(mode: Any) -> contextlib.AbstractContextManager[Any]:
    """Make ``standalone_compile`` take ``mode`` where it would create one (pytorch#176562)."""
    # Patched on the module object: on Python 3.10 a dotted string finds the function of the
    # same name (vllm#37858).
    module = sys.modules["torch._inductor.standalone_compile"]
    return patch.object(module, "FakeTensorMode", lambda *args, **kwargs: mode)


def compile_graph(graph, inputs, dynamic_shapes="from_graph"):
    """The path `donated`."""
    return torch._inductor.standalone_compile(
        graph, inputs, dynamic_shapes=dynamic_shapes, donate_graph_module=True
    )


def compile_piece(graph):
    """Compiles a graph from fakes, for a single size."""
    inputs = concrete_inputs(graph, ROWS)
    # As downstreams do: standalone_compile would make another mode than that of the inputs.
    with _standalone_compile_reuses(_fake_mode_of(inputs)):
        compile_graph(graph, inputs, "from_example_inputs")


def main() -> int:
    model = Mlp().to(DEVICE).eval().requires_grad_(False)
    x = torch.randn(ROWS, WIDTH, device=DEVICE)
    torch._dynamo.mark_dynamic(x, 0)
    taken = []

    def backend(graph, _):
        # What an earlier run tuned is not tuned again.
        with tempfile.TemporaryDirectory() as folder, measured_growth() as growth:
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
            compile_piece(graph)
        taken.append(growth.allocated_b)
        return graph.forward

    with torch.no_grad():
        torch.compile(model, backend=backend, fullgraph=True)(x)
    (grown,) = taken
    wrong = grown >= x.nbytes
    print(f"{'wrong' if wrong else 'right'}: compiling took {grown} B, the inputs have {x.nbytes} B")
    return 1 if wrong else 0


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

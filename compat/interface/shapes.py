"""Which batch sizes a compilation serves, and the example inputs that stand for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch._prims_common import compute_required_storage_length
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv, is_symbolic

# The batch sizes that a compilation for a range is to serve, unless somebody says otherwise.
LARGEST = 8192


@dataclass(frozen=True)
class CompileRange:
    """The batch sizes from ``start`` to ``end``, both included."""

    start: int
    end: int

    @property
    def is_single_size(self) -> bool:
        return self.start == self.end

    def __contains__(self, size: int) -> bool:
        return self.start <= size <= self.end


def symbolic_inputs(graph: torch.fx.GraphModule) -> list[Any]:
    """The fake values that Dynamo recorded for the placeholders of ``graph``, in order."""
    return [node.meta["example_value"] for node in graph.graph.find_nodes(op="placeholder")]


def concrete_inputs(graph: torch.fx.GraphModule, size: int) -> list[Any]:
    """Fake inputs of ``graph`` with every symbolic dimension set to ``size``.

    They belong to a new FakeTensorMode, as in vLLM: Dynamo's own mode stays as it is.
    """
    with FakeTensorMode(shape_env=ShapeEnv()):
        return [_concrete(value, size) for value in symbolic_inputs(graph)]


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


def _substitute(value: Any, size: int) -> int:
    # int() on a symbolic value would specialise the shape environment it came from.
    if not is_symbolic(value):
        return int(value)
    expression = value.node.expr
    return int(expression.subs(dict.fromkeys(expression.free_symbols, size)))

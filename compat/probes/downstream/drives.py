"""What a user does while a downstream's patches are in place; no C++ compiler is needed for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx

from compat.probes.driving import inside_dynamo

Drive = Callable[[str], None]


def product(x: Tensor, weight: Tensor) -> Tensor:
    """All that it computes is a call into a library."""
    return x @ weight


def make_inputs(device: str, *, grad: bool = False) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    x, weight = torch.randn(8, 8, device=device), torch.randn(8, 8, device=device)
    return x.requires_grad_(grad), weight.requires_grad_(grad)


def _compile(device: str, backend: str = "inductor") -> None:
    torch._dynamo.reset()
    with torch.no_grad():
        torch.compile(product, backend=backend, fullgraph=True)(*make_inputs(device))


def _train(device: str, backend: str = "inductor") -> None:
    torch._dynamo.reset()
    result = torch.compile(product, backend=backend, fullgraph=True)(
        *make_inputs(device, grad=True)
    )
    result.sum().backward()


def captured(device: str) -> tuple[fx.GraphModule, tuple[Any, ...]]:
    """The graph of the product and the inputs that it takes, as a backend gets them."""
    torch._dynamo.reset()
    x, weight = make_inputs(device)
    found: list[tuple[Any, ...]] = []

    def keep(graph: fx.GraphModule, inputs: Any) -> fx.GraphModule:
        found.append(tuple(inputs))
        return graph

    call: Any = lambda x: product(x, weight)  # noqa: E731
    graph = inside_dynamo(call, x, keep, dynamic=False)
    return graph, found[0]


def _standalone(device: str, **arguments: Any) -> None:
    graph, inputs = captured(device)
    with torch.no_grad():
        torch._inductor.standalone_compile(
            graph, inputs, dynamic_shapes="from_graph", options={}, **arguments
        )(*inputs)


def _compile_fx(device: str) -> None:
    from torch._inductor.compile_fx import compile_fx

    graph, inputs = captured(device)
    with torch.no_grad():
        compile_fx(graph, inputs)(*inputs)


# In this order: the second one finds what the first one left in the caches.
DRIVES: Mapping[str, Drive] = {
    "compiled": _compile,
    "compiled_again": _compile,
    "trained": _train,
    "standalone": _standalone,
    "aot": partial(_standalone, aot=True),
    "compile_fx": _compile_fx,
    "aot_eager": partial(_compile, backend="aot_eager"),
    "aot_eager_trained": partial(_train, backend="aot_eager_decomp_partition"),
}

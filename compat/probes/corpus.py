"""Runs a graph of the corpus without a compiler, in float64, and through a path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from torch import fx

from compat.interface.compilers import Compiled, Compiler
from compat.interface.shapes import LARGEST, CompileRange, symbolic_inputs
from compat.probes.agreement import Reference, contract_differences
from compat.probes.calls import Call, digest
from compat.probes.exact import InFloat64, to_float64
from compat.probes.graphs.graph import Graph
from compat.worker.stopwatch import COMPILING

# Means of random numbers differ by more than so many of their standard errors on one run in a
# billion.
_ERRORS = 6.0


@dataclass
class Backend:
    """A Dynamo backend that gives the graph as it is to a compiler, with symbolic sizes.

    Attributes:
        compiled: How many graphs it compiled.
    """

    compiler: Compiler
    compiled: int = field(default=0, init=False)

    def __call__(self, captured: fx.GraphModule, example_inputs: Sequence[Any]) -> Compiled:
        every = CompileRange(1, LARGEST)
        call, _ = self.compiler.compile(captured, symbolic_inputs(captured), every, key="graph")
        self.compiled += 1
        return call


def compiled_with(graph: Graph, backend: Backend) -> Callable[..., Any]:
    """``graph``, captured as a whole and compiled at its first call."""
    compiled = torch.compile(graph.call, backend=backend, fullgraph=True, dynamic=None)

    def call(*inputs: Any) -> Any:
        if graph.dynamic and not backend.compiled:
            for each in inputs:
                torch._dynamo.mark_dynamic(each, 0)
        with COMPILING.running():
            return compiled(*inputs)

    return call


def run(graph: Graph, call: Callable[..., Any], device: str) -> tuple[Call, ...]:
    """One call for each size.

    Each gives what was returned and, as if that had been returned as well, the inputs as they are
    afterwards.
    """
    return tuple(_run(call, graph.make_inputs(size, device)) for size in graph.sizes)


def run_eagerly(graph: Graph, device: str) -> Reference:
    """Without any compiler, as it is and in float64."""
    exact = []
    for size in graph.sizes:
        inputs = tuple(map(_exact, graph.make_inputs(size, device)))
        with InFloat64():
            exact.append(_run(graph.call, inputs))
    return Reference(eager=run(graph, graph.call, device), exact=tuple(exact))


def _run(call: Callable[..., Any], inputs: tuple[Any, ...]) -> Call:
    torch.manual_seed(1)
    with torch.no_grad():
        returned = call(*inputs)
    return Call((returned, inputs), inputs)


def _exact(value: torch.Tensor) -> torch.Tensor:
    if value.is_complex():
        return value.to(torch.complex128)
    return to_float64(value)


def judge_draws(
    graph: Graph, call: Callable[..., Any], calls: Sequence[Call], eager: Sequence[Call]
) -> tuple[str, ...]:
    """What is not so of the random numbers of ``calls``, each once.

    ``call`` made them and is run again under the same seed.
    """
    assert graph.draws is not None
    low, high = graph.draws
    device = str(next(each.device for each in calls[0].tensors))
    wrong = (
        {"others under the same seed"}
        if digest(calls) != digest(run(graph, call, device))
        else set()
    )
    for got, wanted in zip(map(_drawn, calls), map(_drawn, eager), strict=True):
        if got.shape != wanted.shape:
            wrong.add("of another shape")
            continue
        if not bool(((got >= low) & (got <= high)).all()):
            wrong.add("out of bounds")
        error = wanted.std() / len(wanted) ** 0.5
        if not bool((got.mean() - wanted.mean()).abs() <= 2**0.5 * _ERRORS * error):
            wrong.add("of another mean")
        # The standard deviation's own standard error is at most about that of the mean here.
        if not bool((got.std() - wanted.std()).abs() <= 2**0.5 * _ERRORS * error):
            wrong.add("spread otherwise")
    return tuple(sorted(wrong))


def _drawn(call: Call) -> torch.Tensor:
    """What was returned of it, without the inputs, in one row."""
    returned, _ = call.result
    return torch.cat([each.detach().cpu().double().flatten() for each in Call(returned).tensors])


def differences(calls: Sequence[Call], eager: Sequence[Call]) -> tuple[str, ...]:
    """In what calls differ from eager's besides their numbers."""
    pairs = zip(calls, eager, strict=True)
    return tuple(sorted(set(chain.from_iterable(contract_differences(*pair) for pair in pairs))))

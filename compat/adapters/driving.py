"""Runs a model under a Dynamo backend, where the adapter says, and watches what reaches torch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import torch
import torch._dynamo
import torch._inductor
from torch import fx

from compat.adapters.protocol import BrokenPathError, Driven, Json, PathSpec, Place
from compat.adapters.watching import Watch

Backend = Callable[[fx.GraphModule, list[Any]], Callable[..., Any]]


def drive_backend(
    model: torch.nn.Module,
    batches: Sequence[Any],
    backend: Backend | str,
    place: Place,
    save: Callable[[], Json] = lambda: None,
) -> Driven:
    """Run every batch through ``model`` compiled by ``backend``.

    Args:
        model: Without gradients.
        batches: A tensor, or a tuple of tensors, each; their first dimension is marked dynamic.
        backend: A Dynamo backend, or the name of one.
        place: Whether the backend runs while Dynamo traces or after it.
        save: Called after the last batch; what it returns is kept as ``saved``.

    Raises:
        BrokenPathError: ``backend``, ``save`` or torch raised something.
    """
    if place is Place.OUTSIDE:
        backend = _after_dynamo(backend)
    compiled = torch.compile(model, backend=backend, fullgraph=True, dynamic=None)
    inputs = [batch if isinstance(batch, tuple) else (batch,) for batch in batches]
    for tensor in (tensor for batch in inputs for tensor in batch):
        torch._dynamo.mark_dynamic(tensor, 0)
    watch = Watch()
    outputs = []
    with torch.no_grad(), watch.installed():
        started = perf_counter()
        try:
            outputs.append(compiled(*inputs[0]))
            seconds = perf_counter() - started
            outputs += [compiled(*batch) for batch in inputs[1:]]
            saved = save()
        except Exception as error:
            raise BrokenPathError(error, watch.seen()) from error
    return Driven(outputs=tuple(outputs), seconds=seconds, seen=watch.seen(), saved=saved)


def uncompiled(graph: fx.GraphModule, example_inputs: list[Any]) -> Callable[..., Any]:
    """A backend that compiles nothing."""
    return graph


def lacking(spec: PathSpec) -> tuple[str, ...]:
    """What ``spec`` needs and this build does not have."""
    taken = inspect.signature(torch._inductor.standalone_compile).parameters
    return tuple(keyword for keyword in spec.needs if keyword not in taken)


def accepted(function: Callable[..., Any], **settings: Any) -> dict[str, Any]:
    """Those of ``settings`` that ``function`` takes: releases differ in what they can be told."""
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in settings.items() if name in parameters}


def operators(graph: fx.GraphModule, namespace: str) -> list[fx.Node]:
    """The nodes of ``graph`` that call an operator registered in ``namespace``."""
    return [
        node
        for node in graph.graph.nodes
        if isinstance(node.target, torch._ops.OpOverload) and node.target.namespace == namespace
    ]


def _after_dynamo(backend: Backend | str) -> Backend:
    """``backend``, run at the first call of what Dynamo captured, with the inputs of that call."""
    if isinstance(backend, str):
        raise TypeError(f"{backend} is called by Dynamo alone, never outside")

    def postpone(graph: fx.GraphModule, example_inputs: list[Any]) -> Callable[..., Any]:
        compiled: list[Callable[..., Any]] = []

        def call(*args: Any) -> Any:
            if not compiled:
                compiled.append(backend(graph, list(args)))
            return compiled[0](*args)

        return call

    return postpone

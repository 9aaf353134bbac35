"""Ways to get at a graph that Dynamo captured, and to drive a compiler with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias
from unittest.mock import patch

import torch
from torch import fx, nn
from torch._inductor.graph import GraphLowering

from compat.interface.backend import ATTENTION, PiecewiseBackend
from compat.interface.compilers import COMPILERS, Compiler, Handle, Options, StandaloneCompiler
from compat.interface.tracing_context import T
from compat.probes.agreement import Reference
from compat.probes.calls import Call
from compat.probes.exact import InFloat64, in_float64, to_float64
from compat.probes.models import make_input
from compat.worker.stopwatch import COMPILING

# Kernels stand between triple quotes in what Inductor generates.
_KERNEL = re.compile(r"'''(.*?)'''", re.DOTALL)

# A size that is compiled for itself, and one that only the range serves.
SINGLE_SIZE = 8
RANGE_SIZE = 5

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

PATHS: Mapping[str, Callable[[], Compiler]] = {
    **COMPILERS,
    "standalone": lambda: StandaloneCompiler(features={"donate_graph_module": False}),
    "donated": lambda: StandaloneCompiler(features={"donate_graph_module": True}),
}


# What a model is called with: one tensor, or several with the batch as their first dimension. A
# graph is called with numbers, too.
Batch: TypeAlias = torch.Tensor | tuple[Any, ...]


@dataclass(frozen=True)
class Driven:
    """A model that was run through a path.

    Attributes:
        calls: One for each batch; then, as if one more call had returned them, the model's buffers
            if it has any.
        compile_s: Seconds that the first call took, capture included.
        backend: What compiled it.
        call: The compiled model.
    """

    calls: tuple[Call, ...]
    compile_s: float
    backend: PiecewiseBackend
    call: Callable[..., Any]


def drive(
    model: nn.Module,
    compiler: Compiler,
    batches: Sequence[Batch],
    *,
    handles: Mapping[str, Handle] | None = None,
    options: Options | None = None,
    split_at: frozenset[Any] = ATTENTION,
) -> Driven:
    """Capture ``model`` with Dynamo, compile its pieces with ``compiler``, run every batch.

    Several batches make the batch size dynamic, with a compilation of its own for
    ``SINGLE_SIZE``; one batch alone is captured with static shapes.
    """
    dynamic = len(batches) > 1
    backend = PiecewiseBackend(
        compiler,
        sizes=[SINGLE_SIZE] if dynamic else [],
        split_at=split_at,
        handles=handles,
        options=options,
    )
    compiled = torch.compile(model, backend=backend, fullgraph=True, dynamic=None)
    if dynamic:
        for tensor in chain(*map(_inputs, batches)):
            torch._dynamo.mark_dynamic(tensor, 0)
    started = perf_counter()
    with COMPILING.running():
        first = call_with(compiled, model, batches[0])
    compile_s = perf_counter() - started
    others = [call_with(compiled, model, batch) for batch in batches[1:]]
    calls = (first, *others, *_buffers(model))
    return Driven(calls, compile_s, backend, compiled)


def make_batches(
    batch: str, dtype: torch.dtype, device: str, model: str = "mlp"
) -> list[torch.Tensor]:
    """The inputs of a ``static`` or a ``dynamic`` cell."""
    sizes = {"static": [RANGE_SIZE], "dynamic": [RANGE_SIZE, SINGLE_SIZE]}[batch]
    return [make_input(size, dtype, device, model) for size in sizes]


def run_eagerly(model: nn.Module, batches: Sequence[Batch]) -> Reference:
    """Run every batch without any compiler, as the model is and in float64; as :class:`Driven`."""
    exact_model = in_float64(model)
    exact_batches = [tuple(map(to_float64, _inputs(batch))) for batch in batches]
    with InFloat64():
        exact = [call_with(exact_model, exact_model, batch) for batch in exact_batches]
    eager = [call_with(model, model, batch) for batch in batches]
    return Reference(eager=(*eager, *_buffers(model)), exact=(*exact, *_buffers(exact_model)))


def call_with(function: Callable[..., Any], model: nn.Module, batch: Batch) -> Call:
    """One call for inference; ``model`` is what ``function`` runs."""
    inputs = _inputs(batch)
    with torch.no_grad():
        result = function(*inputs)
    tensors = (each for each in inputs if isinstance(each, torch.Tensor))
    return Call(result, (*tensors, *model.parameters(), *model.buffers()))


def _buffers(model: nn.Module) -> tuple[Call, ...]:
    """What a model left in its buffers, if it has any."""
    buffers = tuple(buffer.clone() for buffer in model.buffers())
    return (Call(buffers),) if buffers else ()


def _inputs(batch: Batch) -> tuple[Any, ...]:
    return batch if isinstance(batch, tuple) else (batch,)


def capture(model: nn.Module, batch: torch.Tensor, *, dynamic: bool) -> fx.GraphModule:
    """The graph that Dynamo makes of ``model``, outside of any tracing context."""
    return inside_dynamo(model, batch, lambda graph, _: graph, dynamic=dynamic)


def captured(call: Callable[..., Any], *inputs: Any) -> tuple[fx.GraphModule, list[Any]]:
    """The one graph that Dynamo makes of a call, and what it hands a backend with it."""
    found: list[tuple[fx.GraphModule, list[Any]]] = []

    def keep(graph: fx.GraphModule, example_inputs: Sequence[Any]) -> Callable[..., Any]:
        found.append((graph, list(example_inputs)))
        return graph.forward

    torch._dynamo.reset()
    torch.compile(call, backend=keep, fullgraph=True)(*inputs)
    torch._dynamo.reset()
    (only,) = found
    return only


def inside_dynamo(
    model: nn.Module,
    batch: Batch,
    body: Callable[[fx.GraphModule, Sequence[Any]], Any],
    *,
    dynamic: bool,
) -> Any:
    """What ``body`` returns when a Dynamo backend calls it with the captured graph and its inputs.

    What it raises is raised here as it was, not wrapped by Dynamo.
    """
    returned: list[Any] = []
    raised: list[BaseException] = []

    def backend(graph: fx.GraphModule, example_inputs: Sequence[Any]) -> Callable[..., Any]:
        try:
            returned.append(body(graph, example_inputs))
        except Exception as error:  # noqa: BLE001  (it is raised again)
            raised.append(error)
        return graph.forward

    if dynamic:
        for tensor in _inputs(batch):
            torch._dynamo.mark_dynamic(tensor, 0)
    with torch.no_grad(), COMPILING.running():
        torch.compile(model, backend=backend, fullgraph=True, dynamic=None)(*_inputs(batch))
    if raised:
        raise raised[0]
    return returned[0]


def unhidden(function: Callable[[], T]) -> T:
    """No workaround: call it in the tracing context that is there."""
    return function()


@contextmanager
def spied_arguments() -> Iterator[list[dict[str, Any]]]:
    """The keyword arguments of every call of ``standalone_compile``, which goes through."""
    real = torch._inductor.standalone_compile
    calls: list[dict[str, Any]] = []

    @wraps(real)
    def spy(*args: Any, **kwargs: Any) -> Any:
        calls.append(kwargs)
        return real(*args, **kwargs)

    with patch.object(torch._inductor, "standalone_compile", spy):
        yield calls


@contextmanager
def counted_copies() -> Iterator[list[fx.GraphModule]]:
    """Every graph module that is deep-copied, once a copy."""
    real = fx.GraphModule.__deepcopy__
    copied: list[fx.GraphModule] = []

    @wraps(real)
    def spy(self: fx.GraphModule, memo: Any) -> fx.GraphModule:
        copied.append(self)
        return real(self, memo)

    with patch.object(fx.GraphModule, "__deepcopy__", spy):
        yield copied


@contextmanager
def generated_kernels() -> Iterator[list[str]]:
    """The source of every kernel that Inductor generates, without the headers it includes."""
    kernels: list[str] = []

    def keep(code: str) -> None:
        for kernel in _KERNEL.findall(code):
            lines = kernel.strip().splitlines()
            kernels.append("\n".join(line for line in lines if not line.startswith("#include")))

    # Inductor's own hook, as in torch._inductor.utils.run_and_get_code.
    with patch.object(GraphLowering, "save_output_code", keep):
        yield kernels


def initialized(compiler: Compiler, cache_dir: Path) -> Compiler:
    """``compiler``, keeping what it writes below ``cache_dir``."""
    compiler.initialize_cache(cache_dir)
    return compiler

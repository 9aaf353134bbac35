"""Ways to make a compilation fail at one place, and what a failure may leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from unittest.mock import patch

import torch
import torch._functorch.config
import torch._inductor.config
from torch import fx, nn
from torch._guards import TracingContext
from torch._inductor import compile_fx as inductor
from torch._inductor import lowering
from torch._inductor.custom_graph_pass import CustomGraphPass
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from compat.probes.agreement import contract_differences
from compat.probes.calls import Call
from compat.runs.signature import signature_of

WIDTH = 8
NO_COMPILER = "compat-no-such-compiler"


class BoomError(Exception):
    """What a compilation fails of here, but for that of a compiler that is not there."""


@dataclass
class _Tracing:
    """Whether the fake kernel fails."""

    fails: bool = field(default=False)


TRACING = _Tracing()


@torch.library.custom_op("compat::fragile", mutates_args=())
def fragile(x: torch.Tensor) -> torch.Tensor:
    return x.clone()


@fragile.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    if TRACING.fails:
        raise BoomError
    return torch.empty_like(x)


class Fragile(nn.Module):
    """An operator between a product and a slice: of no kernel, unless ``kernel`` asks for one."""

    def __init__(self, width: int, *, kernel: bool) -> None:
        super().__init__()
        self.width = width
        self.kernel = kernel
        self.weight = nn.Parameter(torch.linspace(-1, 1, WIDTH * WIDTH).view(WIDTH, WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = fragile(x @ self.weight)[:, : self.width]
        return torch.sin(y) + 1 if self.kernel else y


def _boom(*_: Any, **__: Any) -> Any:
    raise BoomError


class FailingPass(CustomGraphPass):
    """A custom pass that fails, and can be part of a cache's key."""

    def __call__(self, graph: fx.Graph) -> None:
        raise BoomError

    def uuid(self) -> str:
        return "compat-failing-pass"


@contextmanager
def _tracing_fails() -> Iterator[None]:
    TRACING.fails = True
    try:
        yield
    finally:
        TRACING.fails = False


def _lowering_fails() -> AbstractContextManager[Any]:
    # Where it is called, it is one of Inductor's own: a dictionary by overload.
    return patch.dict(lowering.lowerings, {torch.ops.compat.fragile.default: _boom})


def backward_fails() -> AbstractContextManager[Any]:
    """The inner compilation of a backward graph fails, whenever it comes."""
    real = inductor._compile_fx_inner

    @wraps(real)
    def inner(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("is_backward"):
            raise BoomError
        return real(*args, **kwargs)

    return patch.object(inductor, "_compile_fx_inner", inner)


# The missing compiler comes first: what Inductor asks it only once must not stay failed.
PLACES: Mapping[str, Callable[[], AbstractContextManager[Any]]] = {
    "compiler": lambda: torch._inductor.config.patch({"cpp.cxx": (NO_COMPILER,)}),
    "tracing": _tracing_fails,
    "inner": lambda: patch.object(inductor, "_compile_fx_inner", _boom),
    "lowering": _lowering_fails,
    "pass": lambda: torch._inductor.config.patch(post_grad_custom_post_pass=FailingPass()),
}


def places_on(device: str) -> Sequence[str]:
    """Those that a compilation for ``device`` comes to: a GPU needs no C++ compiler."""
    return [place for place in PLACES if device == "cpu" or place != "compiler"]


def make_model(place: str) -> nn.Module:
    """One that no other place compiles, so that no cache has it."""
    width = 1 + list(PLACES).index(place)
    return Fragile(width, kernel=place == "compiler").requires_grad_(False)


def ancestry(error: BaseException) -> str:
    """The names that an ``except`` may have, from the exception's own up to ``Exception``."""
    return " < ".join(each.__name__ for each in type(error).__mro__[:-2])


def state_of_graph(graph: fx.GraphModule) -> dict[str, Any]:
    """What a caller may look at of its graph, by name."""
    nodes = list(graph.graph.nodes)
    fakes = [node.meta.get("example_value") for node in nodes]
    return {
        "code": graph.code,
        "nodes": str(graph.graph),
        "returns": type(graph.graph.output_node().args[0]).__name__,
        "calling convention": type(graph.graph._codegen).__name__,
        "fakes": [(id(fake), _described(fake)) for fake in fakes],
        "node meta": [sorted(map(str, node.meta)) for node in nodes],
        "graph meta": sorted(map(str, graph.meta)),
        "attributes": sorted([*graph._parameters, *graph._buffers, *graph._modules]),
        "weights": [id(each) for each in (*graph.parameters(), *graph.buffers())],
    }


def _described(fake: Any) -> Any:
    if not isinstance(fake, torch.Tensor):
        return str(fake)
    return tuple(fake.shape), fake.stride(), str(fake.dtype), fake.requires_grad


def state_of_process() -> dict[str, Any]:
    """What a compilation sets for its own time, by name."""
    context = TracingContext.try_get()
    return {
        "tracing context": id(context),
        "fake mode": id(context.fake_mode) if context is not None else None,
        "dispatch modes": [id(mode) for mode in _get_current_dispatch_mode_stack()],
        "gradients": torch.is_grad_enabled(),
        "default dtype": torch.get_default_dtype(),
        "inductor config": str(torch._inductor.config.save_config_portable()),
        "functorch config": str(torch._functorch.config.save_config_portable()),
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of what is no longer the same."""
    return tuple(name for name, value in before.items() if after[name] != value)


def compare(call: Callable[..., Any], inputs: Sequence[Any], wanted: Any) -> str:
    """``right``, or what is not as ``wanted``; of what raises, the signature."""
    try:
        with torch.no_grad():
            got = call(*inputs)
    except Exception as error:  # noqa: BLE001  (that it runs is an answer)
        return signature_of(error)
    returned, expected = Call(got), Call(wanted)
    if returned.structure != expected.structure:
        return f"{returned.structure} instead of {expected.structure}"
    if differing := contract_differences(returned, expected):
        return f"other {', '.join(sorted(differing))}"
    same = map(torch.allclose, returned.tensors, expected.tensors)
    return "right" if all(same) else "other numbers"

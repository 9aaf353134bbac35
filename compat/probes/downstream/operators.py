"""Operators as downstreams register them: most write into an argument, as vLLM's attention does.

Each is a call into a library to Inductor, so that a graph of them alone is compiled without a C++
compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

_LIBRARY = torch.library.Library("compat_downstream", "DEF")
OPERATORS: Any = torch.ops.compat_downstream


def _operator(
    schema: str, fake: Callable[..., Any], *, tags: Sequence[torch.Tag] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register what computes under ``schema``, with ``fake`` for what only infers shapes."""

    def register(real: Callable[..., Any]) -> Callable[..., Any]:
        name = _LIBRARY.define(schema, tags=tuple(tags))
        _LIBRARY.impl(name, real, "CompositeExplicitAutograd")
        torch.library.register_fake(f"compat_downstream::{name}", fake, lib=_LIBRARY)
        return real

    return register


def _nothing(*_: Any) -> None:
    return None


@_operator("scaled(Tensor x, Tensor scale) -> Tensor", lambda x, _: torch.empty_like(x))
def _scaled(x: Tensor, _: Tensor) -> Tensor:
    return x * 2


@_operator("fused(Tensor x, Tensor scale) -> Tensor", lambda x, _: torch.empty_like(x))
def _fused(x: Tensor, _: Tensor) -> Tensor:
    return x * 2


@_operator("scale_into(Tensor x, Tensor(a!) out, Tensor scale) -> ()", _nothing)
def _scale_into(x: Tensor, out: Tensor, _: Tensor) -> None:
    out.copy_(x * 3)


@_operator("attend(Tensor q, Tensor(a!) out) -> ()", _nothing)
def _attend(q: Tensor, out: Tensor) -> None:
    out.copy_(q * 2)


@_operator("copy_into(Tensor x, Tensor(a!) out) -> ()", _nothing)
def _copy_into(x: Tensor, out: Tensor) -> None:
    out.copy_(x)


if hasattr(torch.Tag, "cudagraph_unsafe"):

    @_operator("unsafe(Tensor x) -> Tensor", torch.empty_like, tags=[torch.Tag.cudagraph_unsafe])
    def _unsafe(x: Tensor) -> Tensor:
        return x * 2


@torch.library.custom_op("compat_downstream::decorated", mutates_args={"out"})
def decorated(x: Tensor, out: Tensor) -> None:
    """Writes, and says so by the name of its argument."""
    out.copy_(x * 2)


@_operator("both(Tensor x, Tensor(a!) first, Tensor(b!) second) -> ()", _nothing)
def _both(x: Tensor, first: Tensor, second: Tensor) -> None:
    first.copy_(x * 2)
    second.add_(x)


@_operator("counted(Tensor x, Tensor(a!) seen) -> Tensor", lambda x, _: torch.empty_like(x))
def _counted(x: Tensor, seen: Tensor) -> Tensor:
    seen.add_(1)
    return x * 2


@_operator("each(Tensor x, Tensor(a!)[] outs) -> ()", _nothing)
def _each(x: Tensor, outs: Sequence[Tensor]) -> None:
    for number, out in enumerate(outs):
        out.copy_(x * number)


@_operator("perhaps(Tensor x, Tensor(a!)? out) -> Tensor", lambda x, _: torch.empty_like(x))
def _perhaps(x: Tensor, out: Tensor | None) -> Tensor:
    if out is not None:
        out.copy_(x)
    return x * 2


@_operator("like(Tensor x) -> Tensor", torch.empty_like)
def _like(x: Tensor) -> Tensor:
    return x.clone()


@_operator("transposing(Tensor x) -> Tensor", lambda x: x.new_empty(x.shape))
def _transposing(x: Tensor) -> Tensor:
    """Its fake says that what it returns is contiguous, which it is not."""
    return (x * 2).t().contiguous().t()


@_operator("itself(Tensor x) -> Tensor", torch.empty_like)
def _itself(x: Tensor) -> Tensor:
    """Its fake says that what it returns is new, and it is its input."""
    return x


@_operator("halved(Tensor x) -> Tensor", torch.empty_like)
def _halved(x: Tensor) -> Tensor:
    """Its fake says that it returns all rows."""
    return x[: x.shape[0] // 2].clone()


@_operator("widened(Tensor x) -> Tensor", torch.empty_like)
def _widened(x: Tensor) -> Tensor:
    """Its fake says that it keeps the dtype."""
    return x.double()


@_operator("normed(Tensor x, Tensor weight) -> Tensor", lambda x, _: torch.empty_like(x))
def _normed(x: Tensor, weight: Tensor) -> Tensor:
    return torch.nn.functional.rms_norm(x, weight.shape, weight, 1e-6)


@_operator("gated(Tensor x, Tensor gate) -> Tensor", lambda x, _: torch.empty_like(x))
def _gated(x: Tensor, gate: Tensor) -> Tensor:
    return torch.nn.functional.silu(gate) * x


def _strides(x: Tensor) -> Tensor:
    return torch.tensor(x.stride(), device=x.device)


_SHAPED: Callable[[Tensor], Tensor] = lambda x: torch.empty(  # noqa: E731
    x.dim(), dtype=torch.long, device=x.device
)
_operator("strides(Tensor x) -> Tensor", _SHAPED)(_strides)
LAYOUT_TAGS = ("needs_exact_strides", "needs_fixed_stride_order", "flexible_layout")
for _tag in LAYOUT_TAGS:
    if hasattr(torch.Tag, _tag):
        _operator(f"strides_{_tag}(Tensor x) -> Tensor", _SHAPED, tags=[getattr(torch.Tag, _tag)])(
            _strides
        )

"""A downstream's patterns, traced anew on each build or written once: do they still fire?"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch._higher_order_ops.auto_functionalize import auto_functionalized
from torch._inductor.pattern_matcher import (
    CallFunction,
    Ignored,
    KeywordArg,
    Match,
    PatternMatcherPass,
    fwd_only,
    register_graph_pattern,
    register_replacement,
)

from compat.probes.caches import no_caches
from compat.probes.downstream.operators import OPERATORS
from compat.probes.downstream.trials import compared
from compat.topics.reach.records import OTHERWISE, RIGHT, Trial

POST = "post_grad_custom_post_pass"
ATEN: Any = torch.ops.aten


class StopError(Exception):
    """Raised once the patterns were tried: whether they fire is all that is asked."""


@dataclass
class Fired:
    """The patterns of a downstream, and how often one of them fired."""

    patterns: PatternMatcherPass = field(default_factory=PatternMatcherPass)
    number: int = 0

    def matched(self, _: Match) -> bool:
        self.number += 1
        return True


def _traced(fired: Fired, search: Any, replace: Any, inputs: Callable[[], list[Any]]) -> None:
    register_replacement(
        search, replace, inputs(), fwd_only, [fired.patterns], extra_check=fired.matched
    )


def _norm(x: Tensor, weight: Tensor) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight


def _torch_norm(x: Tensor, weight: Tensor) -> Tensor:
    return nn.functional.rms_norm(x, weight.shape, weight, 1e-6)


def _low_norm(x: Tensor, weight: Tensor) -> Tensor:
    y = x.float()
    return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-6)).to(x.dtype) * weight


def _gated(x: Tensor, gate: Tensor) -> Tensor:
    return nn.functional.silu(gate) * x


def _rotated(x: Tensor, cos: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second, second * cos + first], -1)


def _quantized(x: Tensor, scale: Tensor) -> Tensor:
    return (x / scale).clamp(-448, 448).to(torch.float8_e4m3fn)


def _linear(x: Tensor, weight: Tensor) -> Tensor:
    return nn.functional.linear(x, weight)


def _attended(x: Tensor, weight: Tensor) -> Tensor:
    return nn.functional.scaled_dot_product_attention(x, weight, weight)


_NORM_BY_HAND = CallFunction(
    ATEN.mul.Tensor,
    CallFunction(
        ATEN.mul.Tensor,
        KeywordArg("x"),
        CallFunction(
            ATEN.rsqrt.default,
            CallFunction(
                ATEN.add.Tensor,
                CallFunction(
                    ATEN.mean.dim,
                    CallFunction(ATEN.pow.Tensor_Scalar, KeywordArg("x"), 2),
                    Ignored(),
                    Ignored(),
                ),
                Ignored(),
            ),
        ),
    ),
    KeywordArg("weight"),
)
_GATED_BY_HAND = CallFunction(
    ATEN.mul.Tensor,
    CallFunction(
        ATEN.div.Tensor,
        KeywordArg("gate"),
        CallFunction(
            ATEN.add.Tensor,
            CallFunction(ATEN.exp.default, CallFunction(ATEN.neg.default, KeywordArg("gate"))),
            Ignored(),
        ),
    ),
    KeywordArg("x"),
)
_HALVES_BY_HAND = CallFunction(ATEN.slice.Tensor, KeywordArg("x"), Ignored(), Ignored(), Ignored())
_SPLIT_BY_HAND = CallFunction(
    operator.getitem, CallFunction(ATEN.split.Tensor, KeywordArg("x"), Ignored(), Ignored()), 0
)
_QUANTIZED_BY_HAND = CallFunction(
    torch.ops.prims.convert_element_type.default,
    CallFunction(
        ATEN.clamp_max.default, CallFunction(ATEN.clamp_min.default, Ignored(), -448), 448
    ),
    Ignored(),
)
_LINEAR_BY_HAND = CallFunction(
    ATEN.mm.default,
    KeywordArg("x"),
    CallFunction(ATEN.permute.default, KeywordArg("weight"), Ignored()),
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A graph that is the one a pattern is for.

    Attributes:
        by_hand: The pattern, written once; None where it is traced of the graph itself alone.
    """

    call: Callable[..., Any]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    by_hand: Any = None
    dtype: torch.dtype = torch.float32


WANTED: Mapping[str, Wanted] = {
    "norm": Wanted(call=_norm, shapes=((4, 8), (8,)), by_hand=_NORM_BY_HAND),
    "torch_norm": Wanted(call=_torch_norm, shapes=((4, 8), (8,)), by_hand=_NORM_BY_HAND),
    "low_norm": Wanted(call=_low_norm, shapes=((4, 8), (8,)), dtype=torch.bfloat16),
    "gated": Wanted(call=_gated, shapes=((4, 8), (4, 8)), by_hand=_GATED_BY_HAND),
    "rotated": Wanted(call=_rotated, shapes=((4, 8), (4, 4)), by_hand=_SPLIT_BY_HAND),
    "rotated_slices": Wanted(call=_rotated, shapes=((4, 8), (4, 4)), by_hand=_HALVES_BY_HAND),
    "quantized": Wanted(call=_quantized, shapes=((4, 8), (4, 1)), by_hand=_QUANTIZED_BY_HAND),
    "linear": Wanted(call=_linear, shapes=((4, 8), (6, 8)), by_hand=_LINEAR_BY_HAND),
    "attended": Wanted(call=_attended, shapes=((2, 4, 8, 16), (2, 4, 8, 16))),
}


def _make(wanted: Wanted, device: str) -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(shape, device=device, dtype=wanted.dtype) for shape in wanted.shapes]


def _anew(fired: Fired, wanted: Wanted) -> None:
    inputs = _make(wanted, "cpu")
    _traced(fired, wanted.call, wanted.call, lambda: inputs)


def _once(fired: Fired, wanted: Wanted) -> None:
    def handler(match: Match, **_: Any) -> None:
        fired.number += 1

    register_graph_pattern(wanted.by_hand, pass_dict=fired.patterns)(handler)


def _firing(
    wanted: Wanted, register: Callable[[Fired, Wanted], None], device: str, *, dynamic: bool = False
) -> Trial:
    """How often the patterns that ``register`` adds fire on the graph; it is not compiled."""
    fired = Fired()
    register(fired, wanted)
    reached = False

    def custom_pass(graph: fx.Graph) -> None:
        nonlocal reached
        reached = True
        fired.patterns.apply(graph)
        raise StopError

    inputs = _make(wanted, device)
    torch._dynamo.reset()
    if dynamic:
        torch._dynamo.mark_dynamic(inputs[0], 0)
    with torch.no_grad(), no_caches():
        try:
            torch.compile(wanted.call, fullgraph=True, options={POST: custom_pass})(*inputs)
        except Exception:
            if not reached:
                raise
    return Trial(ended=RIGHT if fired.number else OTHERWISE, said=f"fires {fired.number} times")


def _scaled(x: Tensor, scale: Tensor) -> Tensor:
    return OPERATORS.scaled(x, scale)


def _fused(x: Tensor, scale: Tensor) -> Tensor:
    return OPERATORS.fused(x, scale)


def _scaled_into(x: Tensor, scale: Tensor) -> Tensor:
    out = torch.empty_like(x)
    OPERATORS.scale_into(OPERATORS.scaled(x, scale), out, scale)
    return out


def _functional(x: Tensor, out: Tensor, scale: Tensor) -> Tensor:
    """As vLLM writes it."""
    scaled = OPERATORS.scaled(x, scale)
    return auto_functionalized(OPERATORS.scale_into.default, x=scaled, out=out, scale=scale)[1]


def _fused_functional(x: Tensor, out: Tensor, scale: Tensor) -> Tensor:
    fused = OPERATORS.fused(x, scale)
    return auto_functionalized(OPERATORS.scale_into.default, x=fused, out=out, scale=scale)[1]


def _into_fused(
    call: Callable[..., Any],
    register: Callable[[Fired, list[Tensor]], None],
    scale: str,
    device: str,
    context: Callable[[], AbstractContextManager[Any]],
) -> Trial:
    """Compile a graph of calls into libraries with a pattern over them; see what it computes."""
    fired = Fired()
    torch.manual_seed(0)
    inputs = [
        torch.randn(4, 8, device=device),
        torch.ones(4, device=device).to(getattr(torch, scale)),
    ]

    def custom_pass(graph: fx.Graph) -> None:
        fired.patterns.apply(graph)

    torch._dynamo.reset()
    with torch.no_grad(), no_caches(), context():
        register(fired, inputs)
        compiled = torch.compile(call, fullgraph=True, options={POST: custom_pass})
        found = compared(compiled(*inputs), call(*inputs), f"fires {fired.number} times")
    if found.ended == RIGHT and not fired.number:
        return Trial(ended=OTHERWISE, said=found.said)
    return found


def _v1() -> AbstractContextManager[Any]:
    """What vLLM sets."""
    return torch._inductor.config.patch(enable_auto_functionalized_v2=False)


def _by_hand(fired: Fired, _: list[Tensor]) -> None:
    def handler(match: Match, x: fx.Node, scale: fx.Node) -> None:
        fired.number += 1
        match.replace_by_example(_fused, [x, scale])

    pattern = CallFunction(OPERATORS.scaled.default, KeywordArg("x"), KeywordArg("scale"))
    register_graph_pattern(pattern, pass_dict=fired.patterns)(handler)


def _traced_call(fired: Fired, inputs: list[Tensor]) -> None:
    _traced(fired, _scaled, _fused, lambda: inputs)


def _traced_writing(fired: Fired, inputs: list[Tensor]) -> None:
    x, scale = inputs
    _traced(fired, _functional, _fused_functional, lambda: [x, torch.empty_like(x), scale])


def patterns(device: str) -> dict[str, Callable[[], Trial]]:
    """By graph and pattern: whether it fires, and that it does no harm."""
    found: dict[str, Callable[[], Trial]] = {}
    for name, wanted in WANTED.items():
        found[f"traced.{name}"] = partial(_firing, wanted, _anew, device)
        found[f"traced_dynamic.{name}"] = partial(_firing, wanted, _anew, device, dynamic=True)
        if wanted.by_hand is not None:
            found[f"by_hand.{name}"] = partial(_firing, wanted, _once, device)
    for scale in ("float32", "float8_e4m3fn", "float8_e8m0fnu", "int8"):
        for name, call, register, context in (
            ("call_by_hand", _scaled, _by_hand, nullcontext),
            ("call_traced", _scaled, _traced_call, nullcontext),
            ("writing_by_hand", _scaled_into, _by_hand, nullcontext),
            ("writing_traced", _scaled_into, _traced_writing, nullcontext),
            ("writing_traced_v1", _scaled_into, _traced_writing, _v1),
        ):
            found[f"{name}.{scale}"] = partial(_into_fused, call, register, scale, device, context)
    return found


# Asked at default depth.
FEW = frozenset(
    (
        "by_hand.norm",
        "by_hand.gated",
        "traced.norm",
        "call_by_hand.float8_e8m0fnu",
        "writing_by_hand.float8_e8m0fnu",
        "writing_by_hand.float32",
        "writing_traced_v1.float32",
    )
)

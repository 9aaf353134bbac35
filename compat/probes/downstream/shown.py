"""Graphs that custom passes are shown, each stopped before anything is lowered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from compat.probes.caches import no_caches
from compat.probes.downstream.operators import OPERATORS
from compat.probes.models import make_input, make_model

# The config keys that hold a downstream's pass, in the order in which Inductor gets to them.
PASSES = (
    "pre_grad_custom_pass",
    "joint_custom_pre_pass",
    "joint_custom_post_pass",
    "post_grad_custom_pre_pass",
    "post_grad_custom_post_pass",
)
LAST = PASSES[-1]

Inputs = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is compiled up to the last pass.

    Attributes:
        dynamic: Whether dimension 0 of the first input is dynamic.
        trains: Whether gradients are asked for: the forward graph is what the last pass is shown.
    """

    call: Callable[..., Any]
    inputs: Callable[[], Inputs]
    dynamic: bool = False
    trains: bool = False


def _matrices(*shapes: tuple[int, ...]) -> Callable[[], Inputs]:
    return lambda: tuple(torch.randn(shape) for shape in shapes)


def _of_model(name: str) -> Asked:
    model = make_model(name, torch.float32, "cpu")
    held = tuple(dict(model.named_parameters()).values())
    names = tuple(dict(model.named_parameters()))

    def call(x: Tensor, *parameters: Tensor) -> Any:
        return torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), (x,))

    return Asked(call=call, inputs=lambda: (make_input(5, torch.float32, "cpu"), *held))


def _norms(x: Tensor, weight: Tensor) -> Tensor:
    y = nn.functional.rms_norm(x, weight.shape, weight)
    return nn.functional.layer_norm(y + x, weight.shape, weight, weight)


def _loss(x: Tensor, target: Tensor) -> Tensor:
    return nn.functional.cross_entropy(x, target)


def _in_place(x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    y = x.clone()
    y[:, 1:3].add_(1)
    y[index] = 0
    return y, x.add_(1)


def _shuffled(x: Tensor) -> tuple[Tensor, ...]:
    first, second, third = x.chunk(3, dim=-1)
    stacked = torch.stack([second, first, third])
    return torch.cat([first, third, second], -1), stacked.transpose(0, 1).flatten(1), first[::2]


def _attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = q @ k.transpose(-1, -2) / 4.0
    return torch.softmax(scores, -1) @ v


def _masked_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def _writes(x: Tensor) -> Tensor:
    out = torch.empty_like(x)
    OPERATORS.attend(x, out)
    return out


def _writes_a_part(x: Tensor) -> tuple[Tensor, Tensor]:
    out = x.new_zeros(2 * x.shape[0], x.shape[1])
    OPERATORS.attend(x, out[: x.shape[0]])
    return out, out.t()


def _writes_several(x: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
    first, second = torch.empty_like(x), torch.ones_like(x)
    OPERATORS.both(x, first, second)
    OPERATORS.each(second, [first, given])
    return OPERATORS.counted(first, second), second


def _writes_what_is_given(x: Tensor, cache: Tensor) -> Tensor:
    OPERATORS.attend(x, cache[1])
    return cache.sum()


def _scaled(x: Tensor, scale: Tensor) -> Tensor:
    out = torch.empty_like(x)
    OPERATORS.scale_into(OPERATORS.scaled(x, scale), out, scale)
    return out


def _quantized(x: Tensor, weight: Tensor) -> Tensor:
    scale = x.abs().amax(-1, keepdim=True) / 448.0
    quantized = (x / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
    return (quantized.to(torch.float32) * scale) @ weight


def _draws(x: Tensor) -> Tensor:
    return nn.functional.dropout(x, 0.5, training=True) + torch.rand_like(x)


def _either(x: Tensor) -> Tensor:
    return torch.cond(x.sum() > 0, torch.sin, torch.cos, (x,))


def _convolution(x: Tensor, weight: Tensor) -> Tensor:
    y = nn.functional.conv2d(x, weight, padding=1)
    return nn.functional.max_pool2d(nn.functional.silu(y), 2)


def _ranked(x: Tensor) -> tuple[Tensor, ...]:
    values, index = torch.topk(torch.softmax(x, -1), 2)
    return values / values.sum(-1, keepdim=True), index, torch.cumsum(x, 0), x.sort(-1)[0]


def _linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return nn.functional.gelu(nn.functional.linear(x, weight, bias)).unflatten(-1, (2, -1))


def _casts(x: Tensor) -> Tensor:
    y = x.to(torch.bfloat16)
    return (y * 2).float() + y.to(torch.float16).to(torch.float32) + x.view(torch.int32)


def _training(x: Tensor, weight: Tensor) -> Tensor:
    return nn.functional.gelu(x @ weight).sum()


GRAPHS: Mapping[str, Asked] = {
    "mlp": _of_model("mlp"),
    "block": _of_model("block"),
    "linear": Asked(call=_linear, inputs=_matrices((4, 8), (6, 8), (6,)), dynamic=True),
    "norms": Asked(call=_norms, inputs=_matrices((4, 8), (8,))),
    "loss": Asked(call=_loss, inputs=lambda: (torch.randn(4, 8), torch.arange(4))),
    "in_place": Asked(call=_in_place, inputs=lambda: (torch.randn(4, 6), torch.tensor([0, 2]))),
    "shuffled": Asked(call=_shuffled, inputs=_matrices((4, 6)), dynamic=True),
    "attention": Asked(call=_attention, inputs=_matrices(*[(2, 4, 8, 16)] * 3)),
    "causal": Asked(call=_masked_attention, inputs=_matrices(*[(2, 4, 8, 16)] * 3)),
    "writes": Asked(call=_writes, inputs=_matrices((4, 8)), dynamic=True),
    "writes_a_part": Asked(call=_writes_a_part, inputs=_matrices((4, 8))),
    "writes_several": Asked(call=_writes_several, inputs=_matrices((4, 8), (4, 8))),
    "writes_what_is_given": Asked(call=_writes_what_is_given, inputs=_matrices((4, 8), (2, 4, 8))),
    "scaled": Asked(
        call=_scaled,
        inputs=lambda: (torch.randn(4, 8), torch.ones(4).to(torch.float8_e8m0fnu)),
    ),
    "quantized": Asked(call=_quantized, inputs=_matrices((4, 8), (8, 4))),
    "draws": Asked(call=_draws, inputs=_matrices((4, 8))),
    "either": Asked(call=_either, inputs=_matrices((4, 8))),
    "convolution": Asked(call=_convolution, inputs=_matrices((1, 3, 8, 8), (4, 3, 3, 3))),
    "ranked": Asked(call=_ranked, inputs=_matrices((4, 8))),
    "casts": Asked(call=_casts, inputs=_matrices((4, 8))),
    "training": Asked(call=_training, inputs=_matrices((4, 8), (8, 8)), trains=True),
}


class NotReachedError(Exception):
    """A graph was compiled, and the last pass never shown anything."""


class StopError(Exception):
    """Raised by the last pass: nothing after it is asked about."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What one pass was shown.

    Attributes:
        counts: How often each operator is in the graph.
        meta: What stands in the meta of all its calls of operators.
    """

    counts: Mapping[str, int]
    meta: tuple[str, ...]


def show(asked: Asked, device: str) -> dict[str, Shown]:
    """By pass: what it is shown of a graph. A pass that is not reached is not there.

    Raises:
        Exception: Compilation did not come as far as the last pass.
    """
    inputs = tuple(each.to(device) for each in asked.inputs())
    if asked.trains:
        inputs = tuple(each.requires_grad_() for each in inputs)
    if asked.dynamic:
        torch._dynamo.mark_dynamic(inputs[0], 0)
    found: dict[str, Shown] = {}

    def look(name: str) -> Callable[[fx.Graph], None]:
        def custom_pass(graph: fx.Graph) -> None:
            found[name] = Shown(counts=_counted(graph), meta=_meta(graph))
            if name == LAST:
                raise StopError

        return custom_pass

    torch._dynamo.reset()
    with no_caches(), torch.set_grad_enabled(asked.trains):
        call = torch.compile(
            asked.call, fullgraph=True, options={name: look(name) for name in PASSES}
        )
        try:
            call(*inputs)
        except Exception:
            if LAST not in found:
                raise
    if LAST not in found:
        raise NotReachedError(f"compiled without a call of {LAST}")
    return found


def _counted(graph: fx.Graph) -> dict[str, int]:
    counts = Counter(map(operator_of, graph.nodes))
    counts.pop("", None)
    return dict(sorted(counts.items()))


def _meta(graph: fx.Graph) -> tuple[str, ...]:
    keys = [set(node.meta) for node in graph.nodes if operator_of(node)]
    return tuple(sorted(map(str, set.intersection(*keys)))) if keys else ()


def operator_of(node: fx.Node) -> str:
    """What a node calls, in one way in all builds; empty for one that calls nothing.

    Of a higher-order operator, its name; of an operator that one is about, that one as well.
    """
    if node.op == "call_method":
        return f"Tensor.{node.target}"
    if node.op == "call_module":
        return "module"
    if node.op != "call_function":
        return ""
    target: Any = node.target
    name = _name(target)
    about = node.args[0] if node.args else node.kwargs.get("_mutable_op")
    if isinstance(target, torch._ops.HigherOrderOperator) and isinstance(
        about, torch._ops.OpOverload
    ):
        return f"{name}({_name(about)})"
    return name


def _name(target: Any) -> str:
    if isinstance(target, torch._ops.OpOverload):
        return str(target)
    if isinstance(target, torch._ops.HigherOrderOperator):
        return target.name()
    module = getattr(target, "__module__", None) or ""
    return f"{module}.{target.__name__}".removeprefix("_operator.").lstrip(".")


# Asked at default depth.
FEW = frozenset(
    (
        *("linear", "norms", "in_place", "attention", "writes_several", "scaled", "quantized"),
        *("draws", "casts", "training"),
    )
)

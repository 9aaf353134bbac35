"""Splits graphs as vLLM does, and says what goes into each piece, what it holds and returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.split_module import split_module

from compat.interface.surface import accepts
from compat.probes.downstream.operators import OPERATORS
from compat.probes.downstream.trials import compared
from compat.probes.driving import captured
from compat.topics.reach.records import OTHERWISE, WRONG, Trial


class Holding(nn.Module):
    """A parameter, a buffer and a constant that several pieces use."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4), requires_grad=False)
        self.register_buffer("mean", torch.full((4,), 0.5))
        self.constant = torch.full((4,), 3.0)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(x * self.weight + self.constant)
        return torch.relu(y - self.mean + self.constant) * self.weight


def _chain(x: Tensor, y: Tensor) -> Tensor:
    return torch.relu(torch.relu(x + y) * y) - x


def _tuples(x: Tensor) -> tuple[Tensor, Tensor]:
    first, second = (x + 1).chunk(2)
    return torch.relu(first) + second, torch.relu(second)


def _ranked(x: Tensor) -> tuple[Tensor, Tensor]:
    values, index = torch.topk(torch.relu(x), 2)
    return torch.relu(values) + 1, index


def _either(x: Tensor, chosen: Tensor) -> Tensor:
    y = torch.relu(x)
    return torch.relu(torch.cond(chosen, torch.sin, torch.cos, (y,))) + y


def _held_in_branches(x: Tensor, chosen: Tensor) -> Tensor:
    y = torch.relu(x)
    return torch.cond(chosen, lambda t: t + y, lambda t: t - x, (y * 2,)) + torch.relu(y)


def _sizes(x: Tensor) -> Tensor:
    y = torch.relu(x)
    return torch.relu(y.reshape(-1)).reshape(x.shape[0], -1) + x.shape[0]


def _handed_on(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    z = torch.relu(y)
    return x, z, torch.relu(z + 1)


def _unused(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return torch.relu(torch.relu(z) + 1) + x


def _constants(x: Tensor) -> Tensor:
    scale = torch.tensor([1.0, 2.0, 3.0, 4.0])
    return torch.relu(torch.relu(x * scale) + scale) * scale


def _writes(x: Tensor) -> Tensor:
    # Zeros, so that a piece that reads ahead of the one that writes is never right by chance.
    out = torch.zeros_like(x)
    OPERATORS.attend(torch.relu(x), out)
    return torch.relu(out) + out


def _only_writes(x: Tensor, out: Tensor) -> Tensor:
    torch.relu(x)
    OPERATORS.attend(x, out)
    torch.relu(x)
    OPERATORS.attend(out, out)
    return torch.relu(out)


def _without_grad(x: Tensor) -> Tensor:
    y = torch.relu(x) * 2
    with torch.no_grad():
        z = torch.relu(y) + 1
    return z + y


def _cast(x: Tensor) -> Tensor:
    y = torch.relu(x)
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        z = y @ y
        z = torch.relu(z) @ y
    return z + 1


def _twice(x: Tensor) -> tuple[Tensor, Tensor]:
    y = torch.relu(x) + 1
    torch.relu(y)
    return y, y


def _square() -> tuple[Tensor, ...]:
    torch.manual_seed(0)
    return (torch.randn(4, 4),)


def _squares(number: int) -> Callable[[], tuple[Tensor, ...]]:
    return lambda: tuple(torch.randn(4, 4) for _ in range(number))


def _with_choice() -> tuple[Tensor, ...]:
    return (*_square(), torch.tensor(True))


CAPTURED: Mapping[str, tuple[Callable[..., Any], Callable[[], tuple[Tensor, ...]]]] = {
    "chain": (_chain, _squares(2)),
    "tuples": (_tuples, _square),
    "ranked": (_ranked, _square),
    "either": (_either, _with_choice),
    "held_in_branches": (_held_in_branches, _with_choice),
    "sizes": (_sizes, _square),
    "handed_on": (_handed_on, _squares(2)),
    "unused": (_unused, _squares(3)),
    "constants": (_constants, _square),
    "writes": (_writes, _square),
    "only_writes": (_only_writes, _squares(2)),
    "without_grad": (_without_grad, _square),
    "cast": (_cast, _square),
    "twice": (_twice, _square),
}
DYNAMIC = {"sizes", "tuples"}


@cache
def _captured(name: str) -> fx.GraphModule:
    call, inputs = CAPTURED[name]
    given = inputs()
    if name in DYNAMIC:
        torch._dynamo.mark_dynamic(given[0], 0)
    with torch.set_grad_enabled(name == "without_grad"):
        graph, _ = captured(call, *given)
    return graph


def _at_relu(graph: fx.GraphModule) -> Callable[[fx.Node], int]:
    """A piece of its own for each relu, as vLLM's for each attention."""
    pieces: dict[fx.Node, int] = {}
    number = 0
    for node in graph.graph.nodes:
        if node.op in {"placeholder", "output"}:
            continue
        if _is_relu(node):
            number += 1
            pieces[node] = number
            number += 1
        else:
            pieces[node] = number
    return pieces.__getitem__


def _is_relu(node: fx.Node) -> bool:
    return node.op == "call_function" and node.target is torch.relu


HOW: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "in_order": {"keep_original_order": True},
    "tuple_return": {"keep_original_order": True, "tuple_return": True},
    "node_names": {"keep_original_order": True, "keep_original_node_name": True},
    "affix": {"keep_original_order": True, "partition_affix": "compat"},
    "own_names": {"keep_original_order": True, "keep_original_input_name": False},
}


def described(split: fx.GraphModule) -> str:
    """What goes into each piece, what it holds, what comes out."""
    pieces = [
        f"{_inputs(split)} → {_output(split)}{_holds(split, but=dict(split.named_children()))}"
    ]
    for node in split.graph.nodes:
        if node.op == "call_module":
            piece = getattr(split, str(node.target))
            handed = ", ".join(map(str, node.args))
            if isinstance(piece, fx.GraphModule):
                outs = _output(piece)
                pieces.append(f"{node.target}({handed}): {_inputs(piece)} → {outs}{_holds(piece)}")
        elif node.op in {"get_attr", "call_function", "call_method"}:
            pieces.append(f"{node.op} {getattr(node.target, '__name__', node.target)}")
    return "; ".join(pieces)


def _inputs(graph: fx.GraphModule) -> str:
    found = [node for node in graph.graph.nodes if node.op == "placeholder"]
    return f"({', '.join(f'{node.name} {_kind(node)}' for node in found)})"


def _kind(node: fx.Node) -> str:
    """What a placeholder is known to stand for."""
    known = next((node.meta[key] for key in ("example_value", "val") if key in node.meta), None)
    return "?" if known is None else "tensor" if isinstance(known, Tensor) else "size"


def _output(graph: fx.GraphModule) -> str:
    (output,) = (node for node in graph.graph.nodes if node.op == "output")
    return str(output.args[0])


def _holds(graph: fx.GraphModule, but: Mapping[str, Any] | None = None) -> str:
    names = [
        *(name for name, _ in graph.named_parameters(recurse=False)),
        *(name for name, _ in graph.named_buffers(recurse=False)),
        *(name for name, _ in graph.named_children() if name not in (but or {})),
        *sorted(name for name, each in vars(graph).items() if isinstance(each, Tensor)),
    ]
    return f" holds {', '.join(names)}" if names else ""


def _split(graph: fx.GraphModule, inputs: tuple[Tensor, ...], how: Mapping[str, Any]) -> Trial:
    if lacking := [name for name in how if not accepts(split_module, name)]:
        raise TypeError(f"split_module takes no {', '.join(lacking)}")
    names: dict[str, str] = {}
    arguments = dict(how)
    split = split_module(graph, graph, _at_relu(graph), names, **arguments)
    said = described(split)
    if names:
        said += f"; names {', '.join(f'{new} of {old}' for new, old in sorted(names.items()))}"
    sizes = _sizes_for(graph, inputs)
    copies = tuple(each.clone() for each in inputs)
    found = compared(split(*sizes, *copies), graph(*sizes, *inputs), said)
    if found.ended == WRONG and not how.get("keep_original_order"):
        # Nobody promised that what writes stays where it was.
        return Trial(ended=OTHERWISE, said=said)
    return found


def _split_captured(name: str, how: Mapping[str, Any]) -> Trial:
    _, inputs = CAPTURED[name]
    return _split(_captured(name), _used(name, inputs()), how)


def _split_traced(how: Mapping[str, Any]) -> Trial:
    return _split(fx.symbolic_trace(Holding()), _square(), how)


def _sizes_for(graph: fx.GraphModule, inputs: tuple[Tensor, ...]) -> tuple[Any, ...]:
    """Dynamo's graph takes symbolic sizes ahead of the tensors."""
    placeholders = sum(node.op == "placeholder" for node in graph.graph.nodes)
    return (4,) * (placeholders - len(inputs))


def splits(_: str) -> dict[str, Callable[[], Trial]]:
    """By graph and way to split it."""
    found: dict[str, Callable[[], Trial]] = {}
    for how, arguments in HOW.items():
        for name in CAPTURED:
            found[f"{how}.{name}"] = partial(_split_captured, name, arguments)
        found[f"{how}.held"] = partial(_split_traced, arguments)
    return found


def _used(name: str, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Dynamo leaves out what is not used, and orders the rest by first use."""
    if name == "unused":
        return inputs[2], inputs[0]
    return inputs[1:] if name == "handed_on" else inputs


# Asked at default depth.
FEW = frozenset(
    f"{how}.{name}" for how in ("in_order", "tuple_return") for name in (*CAPTURED, "held")
)

"""What a custom pass may do to a graph, and what it finds around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx
from torch._inductor.virtualized import V

from compat.probes.caches import no_caches
from compat.probes.downstream.drives import make_inputs, product
from compat.probes.downstream.operators import OPERATORS
from compat.probes.downstream.shown import LAST, PASSES
from compat.probes.downstream.trials import compared
from compat.topics.reach.records import OTHERWISE, RIGHT, Trial

Rewrite = Callable[[fx.Graph], Any]


def _products(graph: fx.Graph) -> list[fx.Node]:
    return [
        node
        for node in graph.nodes
        if node.op == "call_function" and len(node.all_input_nodes) == len(node.args) == 2
    ]


def _use_instead(old: fx.Node, new: fx.Node, but: set[fx.Node]) -> None:
    old.replace_all_uses_with(new, delete_user_cb=lambda user: user not in but)


def _replaced_without_meta(graph: fx.Graph) -> None:
    """Its node knows no shape: not every downstream's pass says one."""
    for node in _products(graph):
        with graph.inserting_after(node):
            new = graph.call_function(torch.ops.aten.mm.default, node.args)
        node.replace_all_uses_with(new)
        graph.erase_node(node)


def _of_its_own_operator(graph: fx.Graph) -> None:
    for node in _products(graph):
        with graph.inserting_after(node):
            new = graph.call_function(OPERATORS.like.default, (node,))
        new.meta.update(node.meta)
        _use_instead(node, new, but={new})


def _with_a_constant(graph: fx.Graph) -> None:
    """It gives the module a tensor that the graph then reads."""
    module: Any = graph.owning_module
    (node,) = _products(graph)[:1]
    known = node.args[0]
    assert isinstance(known, fx.Node)
    module.register_buffer("compat_constant", torch.eye(8, device=_device_of(known)))
    with graph.inserting_before(node):
        read = graph.get_attr("compat_constant")
    for key in ("val", "example_value"):
        if key in known.meta:
            read.meta[key] = known.meta[key]
    with graph.inserting_after(node):
        new = graph.call_function(torch.ops.aten.mm.default, (node, read))
    new.meta.update(node.meta)
    _use_instead(node, new, but={new})


def _device_of(node: fx.Node) -> str:
    known = node.meta.get("val", node.meta.get("example_value"))
    return str(known.device)


def _writing_in_place(graph: fx.Graph) -> None:
    """As vLLM leaves functional form by hand: a call that returns nothing and writes."""
    for node in _products(graph):
        with graph.inserting_after(node):
            out = graph.call_function(torch.ops.aten.empty_like.default, (node,))
        out.meta.update(node.meta)
        with graph.inserting_after(out):
            write = graph.call_function(OPERATORS.copy_into.default, (node, out))
        write.meta["val"] = None
        _use_instead(node, out, but={out, write})


def _raising(_: fx.Graph) -> None:
    raise ArithmeticError("a downstream's pass raises")


def _compiled(key: str, custom: Rewrite, device: str) -> Tensor:
    torch._dynamo.reset()
    with torch.no_grad(), no_caches():
        return torch.compile(product, fullgraph=True, options={key: custom})(*make_inputs(device))


def _rewritten(key: str, rewrite: Rewrite, device: str) -> Trial:
    done = []

    def custom_pass(graph: fx.Graph) -> None:
        done.append(rewrite(graph))

    got = _compiled(key, custom_pass, device)
    found = compared(got, product(*make_inputs(device)))
    return found if done else Trial(ended=OTHERWISE, said="the pass did not run")


def _raised(key: str, device: str) -> Trial:
    """As which exception a caller gets what a pass raises."""
    try:
        _compiled(key, _raising, device)
    except Exception as error:  # noqa: BLE001  (it is what is asked for)
        types: list[str] = []
        seen: BaseException | None = error
        while seen is not None:
            types.append(type(seen).__name__)
            seen = getattr(seen, "inner_exception", None) or seen.__cause__
        return Trial(ended=RIGHT, said=" from ".join(types))
    return Trial(ended=OTHERWISE, said="nobody is told")


def _around(key: str, device: str) -> Trial:
    """What a pass finds besides the graph: its module, the fake mode, the tracing context."""
    found: list[str] = []

    def custom_pass(graph: fx.Graph) -> None:
        context = torch._guards.TracingContext.try_get()
        found.append(f"called with a {type(graph).__name__}")
        found.append(f"owned by {type(graph.owning_module).__name__}")
        found.append("a fake mode" if _is_there(lambda: V.fake_mode) else "no fake mode")
        found.append("a tracing context" if context is not None else "no tracing context")
        names = [node.name for node in graph.nodes if node.op == "placeholder"]
        found.append(f"inputs {', '.join(names)}")
        output = next(node for node in graph.nodes if node.op == "output")
        found.append(f"returns a {type(output.args[0]).__name__}")

    got = _compiled(key, custom_pass, device)
    return compared(got, product(*make_inputs(device)), "; ".join(found))


def _is_there(look: Callable[[], Any]) -> bool:
    value = look()
    return type(value).__name__ == "FakeTensorMode"


REWRITES: Mapping[str, Rewrite] = {
    "replaced_without_meta": _replaced_without_meta,
    "own_operator": _of_its_own_operator,
    "constant": _with_a_constant,
    "writing_in_place": _writing_in_place,
}


def rewrites(device: str) -> dict[str, Callable[[], Trial]]:
    """By what a pass does, and which one it is."""
    found: dict[str, Callable[[], Trial]] = {}
    for key in PASSES:
        for name, rewrite in REWRITES.items():
            found[f"{name}.{key}"] = partial(_rewritten, key, rewrite, device)
        found[f"raises.{key}"] = partial(_raised, key, device)
        found[f"finds.{key}"] = partial(_around, key, device)
    return found


# Asked at default depth.
FEW = frozenset({f"finds.{LAST}", f"raises.{LAST}", f"replaced_without_meta.{LAST}"})

"""Parts of a graph compiled by themselves: by Inductor, by annotation, from Dynamo's context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch._inductor.config as inductor_config
from torch import Tensor, fx
from torch._inductor import utils

from compat.probes.caches import no_caches
from compat.probes.downstream.operators import OPERATORS
from compat.probes.downstream.shown import operator_of
from compat.probes.downstream.trials import compared
from compat.probes.driving import captured, inside_dynamo
from compat.topics.reach.records import OTHERWISE, Trial


def _attends(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    y = x @ weight
    out = torch.empty_like(y)
    OPERATORS.attend(y, out)
    z = out @ weight
    second = torch.empty_like(z)
    OPERATORS.attend(z, second)
    return second @ weight, second


def _calls(x: Tensor, weight: Tensor) -> Tensor:
    return OPERATORS.scaled(OPERATORS.scaled(x @ weight, weight) @ weight, weight)


def _unsafe(x: Tensor, weight: Tensor) -> Tensor:
    return OPERATORS.unsafe(OPERATORS.unsafe(x @ weight) @ weight) @ weight


def _square(device: str) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(4, 4, device=device), torch.randn(4, 4, device=device)


class Wrapper:
    """A downstream's wrapper of each partition that Inductor makes."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.ran = 0

    def __call__(self, function: Callable[..., Any], metadata: Any) -> Callable[..., Any]:
        self.made.append(
            ", ".join(f"{name} {value}" for name, value in sorted(vars(metadata).items()))
        )

        def run(*args: Any) -> Any:
            self.ran += 1
            return function(*args)

        return run


def _partitioned(
    call: Callable[..., Any],
    device: str,
    *,
    operators: tuple[str, ...],
    wrapped: bool,
    standalone: bool = False,
) -> Trial:
    """Inductor cuts at operators of a downstream, which wraps what lies between."""
    options: dict[str, Any] = {"graph_partition": True}
    if hasattr(inductor_config, "custom_should_partition_ops"):
        options["custom_should_partition_ops"] = list(operators)
    inputs = _square(device)
    wrapper = Wrapper()
    torch._dynamo.reset()
    if wrapped:
        utils.set_customized_partition_wrappers(wrapper)
    try:
        with torch.no_grad(), no_caches():
            if standalone:
                got = _standalone(call, inputs, options)
            else:
                got = torch.compile(call, fullgraph=True, options=options)(*inputs)
            wanted = call(*inputs)
    finally:
        if wrapped:
            utils.set_customized_partition_wrappers(None)
    made = f"; {'; '.join(wrapper.made)}" if wrapper.made else ""
    return compared(
        got, wanted, f"wrapped {len(wrapper.made)} partitions, which ran {wrapper.ran} times{made}"
    )


def _standalone(call: Callable[..., Any], inputs: tuple[Any, ...], options: Any) -> Any:
    graph, given = captured(call, *inputs)
    compiled = torch._inductor.standalone_compile(
        graph, given, dynamic_shapes="from_graph", options={"config_patches": options}
    )
    got = compiled(*given)
    return got if len(got) > 1 else got[0]


def _annotated(device: str, mark: Any = 0) -> Trial:
    """A region that is marked is compiled by Inductor, the rest runs as it is."""
    from torch._dynamo.backends.common import aot_autograd
    from torch.fx.passes.regional_inductor import regional_inductor

    def call(x: Tensor, weight: Tensor) -> Tensor:
        y = x @ weight
        with torch.fx.traceback.annotate({"compile_with_inductor": mark}):
            z = y @ weight
        return z @ weight

    real = torch._inductor.standalone_compile
    compiled: list[str] = []

    def spy(graph: fx.GraphModule, *args: Any, **kwargs: Any) -> Any:
        calls = sum(operator_of(node) == "aten.mm.default" for node in graph.graph.nodes)
        compiled.append(f"{calls} products, {', '.join(sorted(kwargs))}")
        return real(graph, *args, **kwargs)

    def compiler(graph: fx.GraphModule, inputs: Any) -> Any:
        return regional_inductor(graph, *inputs)

    inputs = _square(device)
    torch._dynamo.reset()
    torch._inductor.standalone_compile = spy
    try:
        with no_caches(), torch.no_grad(), torch.fx.traceback.preserve_node_meta(enable=False):
            got = torch.compile(call, backend=aot_autograd(fw_compiler=compiler), fullgraph=True)(
                *inputs
            )
    finally:
        torch._inductor.standalone_compile = real
    found = compared(got, call(*inputs), f"compiled {len(compiled)}: {'; '.join(compiled)}")
    return found if compiled else Trial(ended=OTHERWISE, said=found.said)


def _nested(device: str) -> Trial:
    """A region marked as repeated is one graph that is called several times."""
    from torch.compiler import nested_compile_region

    @nested_compile_region
    def layer(x: Tensor, weight: Tensor) -> Tensor:
        return x @ weight

    def call(x: Tensor, weight: Tensor) -> Tensor:
        return layer(layer(layer(x, weight), weight), weight)

    inputs = _square(device)
    graph, _ = captured(call, *inputs)
    counts = Counter(filter(None, map(operator_of, graph.graph.nodes)))
    said = f"{len(list(graph.named_children()))} graphs; {dict(sorted(counts.items()))}"
    torch._dynamo.reset()
    with torch.no_grad(), no_caches():
        return compared(torch.compile(call, fullgraph=True)(*inputs), call(*inputs), said)


def _from_context(device: str) -> Trial:
    """standalone_compile takes its shapes from the context that Dynamo traces in."""
    x, weight = _square(device)

    def body(graph: fx.GraphModule, inputs: Any) -> Any:
        compiled = torch._inductor.standalone_compile(
            graph, inputs, dynamic_shapes="from_tracing_context", options={}
        )
        return compiled, [type(each).__name__ for each in inputs]

    call: Any = lambda x: x @ weight  # noqa: E731
    torch._dynamo.reset()
    compiled, kinds = inside_dynamo(call, x, body, dynamic=True)
    given = {"SymInt": x.shape[0], "Tensor": x, "FakeTensor": x, "Parameter": weight}
    arguments = [given[kind] for kind in kinds]
    if kinds.count("Tensor") > 1:
        arguments[-1] = weight
    (got,) = compiled(*arguments)
    return compared(got, x @ weight, f"given {', '.join(kinds)}")


def _proposed(device: str) -> Trial:
    """Which parts a downstream's partitioner cuts out of a graph."""
    from torch.fx.passes.infra.partitioner import CapabilityBasedPartitioner
    from torch.fx.passes.operator_support import create_op_support

    def call(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        z = torch.relu(x + y) * y
        return torch.sin(z) + z, z - torch.cos(y)

    inputs = _square(device)
    graph, _ = captured(call, *inputs)
    supported = create_op_support(
        lambda _, node: node.op == "call_function" and "sin" not in node.name
    )
    partitioner = CapabilityBasedPartitioner(graph, supported, allows_single_node_partition=True)
    parts = partitioner.propose_partitions()
    said = " | ".join(sorted(" ".join(sorted(node.name for node in part.nodes)) for part in parts))
    fused = partitioner.fuse_partitions(parts)
    return compared(fused(*inputs), call(*inputs), said)


def _tagged(device: str) -> Trial:
    """A graph split by the tags of its nodes."""
    from torch.fx.passes.split_utils import split_by_tags

    def call(x: Tensor, y: Tensor) -> Tensor:
        return torch.relu(torch.relu(x + y) * y) - x

    inputs = _square(device)
    graph, _ = captured(call, *inputs)
    tag = 0
    for node in graph.graph.nodes:
        if node.op == "call_function":
            node.tag = f"part{tag}"
            tag += node.target is torch.relu
    split: Any = split_by_tags(graph, [f"part{each}" for each in range(tag + 1)])
    said = "; ".join(
        f"{name}({', '.join(n.name for n in piece.graph.nodes if n.op == 'placeholder')})"
        for name, piece in split.named_children()
    )
    return compared(split(*inputs), call(*inputs), said)


OTHERS: Mapping[str, Callable[[str], Trial]] = {
    "annotated": _annotated,
    "annotated_with_options": partial(
        _annotated, mark={"inductor_configs": {"max_autotune": False, "triton.cudagraphs": False}}
    ),
    "nested": _nested,
    "from_tracing_context": _from_context,
    "proposed": _proposed,
    "tagged": _tagged,
}
ATTEND = ("compat_downstream::attend",)
SCALED = ("compat_downstream::scaled",)


def regions(device: str) -> dict[str, Callable[[], Trial]]:
    """By who cuts, and at what."""
    found: dict[str, Callable[[], Trial]] = {
        name: partial(trial, device) for name, trial in OTHERS.items()
    }
    for name, call, operators in (
        ("writing", _attends, ATTEND),
        ("functional", _calls, SCALED),
        ("overload", _calls, ("compat_downstream::scaled.default",)),
        ("nowhere", _calls, ()),
        ("tagged", _unsafe, ()),
    ):
        for wrapped in (False, True):
            for standalone in (False, True):
                key = (
                    f"{'standalone' if standalone else 'compiled'}_"
                    f"{'wrapped' if wrapped else 'unwrapped'}.{name}"
                )
                found[key] = partial(
                    _partitioned,
                    call,
                    device,
                    operators=operators,
                    wrapped=wrapped,
                    standalone=standalone,
                )
    return found


# Asked at default depth.
FEW = frozenset(
    (
        "annotated",
        "nested",
        "from_tracing_context",
        "tagged",
        "proposed",
        "standalone_wrapped.writing",
        "compiled_wrapped.functional",
    )
)

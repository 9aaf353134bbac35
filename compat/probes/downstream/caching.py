"""A custom pass on caches: does it run again, and does a changed one get its own result?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx
from torch._inductor.custom_graph_pass import CustomGraphPass, CustomPartitionerFn

from compat.probes.caches import caches_below
from compat.probes.downstream.drives import captured, make_inputs, product
from compat.probes.downstream.shown import PASSES
from compat.probes.downstream.trials import compared
from compat.topics.reach.records import WRONG, Trial

KINDS = ("uuid", "no_uuid", "uuid_none")
PARTITIONER = "custom_partitioner_fn"


@dataclass
class Runs:
    """How often the passes ran so far."""

    number: int = field(default=0)


def _swap(graph: fx.Graph) -> None:
    """Let the first product of matrices be of the other order; the graph stays valid."""
    for node in graph.nodes:
        if node.op == "call_function" and len(node.all_input_nodes) == len(node.args) == 2:
            node.args = node.args[::-1]
            return


def make_pass(kind: str, version: str, runs: Runs) -> Callable[[fx.Graph], None]:
    """A pass that leaves the graph as it is, or, in version ``swaps``, does not."""

    def run(graph: fx.Graph) -> None:
        runs.number += 1
        if version == "swaps":
            _swap(graph)

    if kind == "no_uuid":
        return run

    class Pass(CustomGraphPass):
        def __call__(self, graph: fx.Graph) -> None:
            run(graph)

        def uuid(self) -> str | None:
            return version if kind == "uuid" else None

    return Pass()


def make_partitioner(kind: str, version: str, runs: Runs) -> Any:
    """A partitioner that does what torch's own does."""
    from torch._functorch.partitioners import min_cut_rematerialization_partition as partition

    class Partitioner(CustomPartitionerFn):
        def __call__(self, graph: Any, inputs: Sequence[object], **kwargs: Any) -> Any:
            runs.number += 1
            return partition(graph, inputs, **kwargs)

        def uuid(self) -> str | None:
            return version if kind == "uuid" else None

    return Partitioner()


def kept(
    key: str,
    kind: str,
    folder: Path,
    device: str,
    run: Callable[[str, Any, str], Any],
) -> Trial:
    """Twice a pass, then a changed one, then the first one again, on one cache."""
    runs = Runs()
    said: list[str] = []
    right = True
    x, weight = make_inputs(device)
    with caches_below(folder):
        for version in ("leaves", "leaves", "swaps", "leaves"):
            before = runs.number
            make = make_partitioner if key == PARTITIONER else make_pass
            got = run(key, make(kind, version, runs), device)
            swapped = version == "swaps" and key != PARTITIONER
            wanted = product(weight, x) if swapped else product(x, weight)
            right = right and compared(got, wanted).ended != WRONG
            said.append(str(runs.number - before))
    ended = compared(x, x).ended if right else WRONG
    return Trial(ended=ended, said=f"ran {', '.join(said)} times")


def compiled_with(key: str, custom: Any, device: str) -> Tensor:
    torch._dynamo.reset()
    grad = key == PARTITIONER
    inputs = make_inputs(device, grad=grad)
    with torch.set_grad_enabled(grad):
        return torch.compile(product, fullgraph=True, options={key: custom})(*inputs)


def standalone_with(key: str, custom: Any, device: str) -> Any:
    graph, inputs = captured(device)
    with torch.no_grad():
        return torch._inductor.standalone_compile(
            graph,
            inputs,
            dynamic_shapes="from_graph",
            options={"config_patches": {key: custom}},
        )(*inputs)[0]


def passes_kept(folder: Path, device: str) -> dict[str, Callable[[], Trial]]:
    """By kind, config key and path: how often a pass ran."""
    found: dict[str, Callable[[], Trial]] = {}
    for kind in KINDS:
        keys = PASSES if kind == "no_uuid" else (*PASSES, PARTITIONER)
        below = folder / kind
        for key in keys:
            found[f"{kind}.{key}"] = partial(kept, key, kind, below / key, device, compiled_with)
        found[f"{kind}.standalone"] = partial(
            kept, PASSES[-1], kind, below / "standalone", device, standalone_with
        )
    return found


# Asked at default depth.
FEW = frozenset({"uuid.pre_grad_custom_pass", "uuid.post_grad_custom_post_pass"})

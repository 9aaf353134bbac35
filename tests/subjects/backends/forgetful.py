"""A Dynamo backend whose ShapeEnv stand-in lacks what torch reads since 2.11 (vllm#41940)."""

from unittest.mock import patch

import torch._functorch.config
from torch._inductor.codecache import FxGraphCache
from torch._inductor.compile_fx import compile_fx


class AlwaysHit:
    guards = ()

    def evaluate_guards_expression(self, *args, **kwargs):
        return True

    def get_pruned_guards(self, *args, **kwargs):
        return []

    def produce_guards_expression(self, *args, **kwargs):
        return ""


def compile(graph, example_inputs):
    fakes = [node.meta["example_value"] for node in graph.graph.find_nodes(op="placeholder")]
    with (
        patch.object(FxGraphCache, "_get_shape_env", lambda *args: AlwaysHit()),
        torch._functorch.config.patch(enable_autograd_cache=False),
    ):
        return compile_fx(graph, fakes, config_patches={"fx_graph_cache": True})

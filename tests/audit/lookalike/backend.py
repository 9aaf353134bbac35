import os
from contextlib import contextmanager
from unittest.mock import patch

import torch
import torch._guards
import torch._inductor.config as inductor_config

from .version import is_torch_equal_or_newer, release

THREADS = os.environ.get("TORCHINDUCTOR_COMPILE_THREADS", "4")
OLD = release < (2, 5)


class AnyShapeEnv:
    def __init__(self):
        self.guards = []

    def evaluate_guards_expression(self, *args):
        return True

    def get_pruned_guards(self, *args):
        return []


@contextmanager
def no_context():
    before = torch._guards.TracingContext.try_get()
    torch._guards._TLS.tracing_context = None
    try:
        yield
    finally:
        torch._guards._TLS.tracing_context = before


def compile_piece(graph, inputs):
    from torch._inductor import standalone_compile
    from torch._inductor.codecache import FxGraphCache

    keywords = {"dynamic_shapes": "from_graph"}
    if is_torch_equal_or_newer("2.13.0.dev"):
        keywords["donate_graph_module"] = True
    with (
        inductor_config.patch(fx_graph_cache=True),
        patch("torch._inductor.compile_fx._recursive_pre_grad_passes", lambda gm, _: gm),
        patch.object(FxGraphCache, "_get_shape_env", AnyShapeEnv),
    ):
        return standalone_compile(graph, inputs, **keywords)

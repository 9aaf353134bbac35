"""Ways to break what reaches a downstream's passes, patches and pieces."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import fx

from compat.probes.downstream import splits
from tests.probes.sabotages.registry import sabotage_of


@sabotage_of("passes.census[few")
def no_pass_is_run_after_the_gradients(patch: pytest.MonkeyPatch) -> None:
    from torch._inductor import compile_fx

    patch.setattr(compile_fx, "_recursive_post_grad_passes", lambda *_, **__: None)


@sabotage_of("passes.census[few")
def views_stay_views(patch: pytest.MonkeyPatch) -> None:
    from torch._inductor import compile_fx

    patch.setattr(compile_fx, "view_to_reshape", lambda _: None)


@sabotage_of("passes.few")
def keys_forget_the_passes(patch: pytest.MonkeyPatch) -> None:
    from torch._inductor import codecache

    details = codecache.FxGraphHashDetails
    patch.setattr(details, "_get_custom_pass_detail", lambda *_: None)


@sabotage_of("passes.few")
def no_pattern_is_tried(patch: pytest.MonkeyPatch) -> None:
    from torch._inductor import pattern_matcher

    patch.setattr(pattern_matcher.PatternMatcherPass, "apply", lambda *_: 0)


@sabotage_of("passes.few")
def what_is_compiled_is_off(patch: pytest.MonkeyPatch) -> None:
    real = torch.compile

    def broken(*args: Any, **kwargs: Any) -> Callable[..., Any]:
        compiled = real(*args, **kwargs)

        def call(*inputs: Any) -> Any:
            result = compiled(*inputs)
            if isinstance(result, torch.Tensor) and result.is_floating_point():
                return result * 1.5
            return result

        return call

    patch.setattr(torch, "compile", broken)


@sabotage_of("patches.reached")
def no_function_is_compiled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(torch, "compile", lambda function, **_: function)


@sabotage_of("patches.reached")
def a_keyword_is_new(patch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.backends import common

    simplified, call = common.aot_module_simplified, common.AotAutograd.__call__

    def without(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("compat_is_new", None)
        return simplified(*args, **kwargs)

    def with_one_more(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.kwargs["compat_is_new"] = True
        return call(self, *args, **kwargs)

    patch.setattr(common, "aot_module_simplified", without)
    patch.setattr(common.AotAutograd, "__call__", with_one_more)


def wrap_split_module(
    patch: pytest.MonkeyPatch, wrapper: Callable[[Callable[..., Any], bool], fx.GraphModule]
) -> None:
    """Put ``wrapper(real, keep_original_order)`` in the place of ``split_module``.

    ``real`` has its graph and takes how to split it; no piece returns a tuple for one value.
    """
    real = splits.split_module

    def broken(
        graph: Any,
        root: Any,
        callback: Any,
        names: Any = None,
        *,
        keep_original_order: bool = False,
        keep_original_input_name: bool = True,
        tuple_return: bool = False,
    ) -> fx.GraphModule:
        return wrapper(partial(real, graph, root, callback, names), keep_original_order)

    patch.setattr(splits, "split_module", broken)


@sabotage_of("passes.few")
def pieces_get_their_inputs_in_another_order(patch: pytest.MonkeyPatch) -> None:
    def turned(real: Callable[..., fx.GraphModule], _: bool) -> fx.GraphModule:
        split = real(keep_original_order=True)
        for node in split.graph.nodes:
            if node.op == "call_module":
                node.args = node.args[::-1]
        split.recompile()
        return split

    wrap_split_module(patch, turned)


@sabotage_of("passes.few")
def pieces_name_their_inputs_otherwise(patch: pytest.MonkeyPatch) -> None:
    wrap_split_module(
        patch,
        lambda real, in_order: real(keep_original_order=in_order, keep_original_input_name=False),
    )

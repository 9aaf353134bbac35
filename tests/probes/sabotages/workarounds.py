"""Builds that need a workaround, and builds that no longer do.

A sabotage of the first kind brings back what the workaround guards against, where the workaround
still reaches it; one of the second kind mends the build.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._functorch.config
import torch._inductor
import torch._inductor.compile_fx
import torch._inductor.config
from torch import fx
from torch._dynamo import convert_frame
from torch._inductor import codecache, compile_fx, graph, ir, lowering, scheduler
from torch._inductor.codegen import cpp
from torch._inductor.exc import OperatorIssue
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx._graph_pickler import GraphPickler

from compat.probes import test_workarounds
from compat.probes.workarounds import TRIALS
from compat.probes.workarounds.capture import constructor_disabled
from compat.probes.workarounds.lowering import filter_builtin_operators_only
from tests.probes.sabotages.registry import sabotage_of
from tests.probes.sabotages.seam import wrap_standalone_compile


@sabotage_of(*(f"workarounds.needed[{name}" for name in TRIALS))
def no_workaround_helps(patch: pytest.MonkeyPatch) -> None:
    """What goes wrong without them does with them: a cell is red where that is something."""
    useless = {name: replace(each, with_it=each.without) for name, each in TRIALS.items()}
    patch.setattr(test_workarounds, "TRIALS", useless)


def needs(name: str) -> Callable[[Any], Any]:
    return sabotage_of(f"workarounds.needed[{name}")


@needs("fake-mode-patch")
def needs_fake_mode_patch(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, piece: Any, inputs: Any, **kwargs: Any) -> Any:
        module = sys.modules["torch._inductor.standalone_compile"]
        if kwargs["dynamic_shapes"] == "from_example_inputs" and (
            module.FakeTensorMode is FakeTensorMode  # type: ignore[attr-defined]
        ):
            raise AssertionError("the modes do not match")
        return real(piece, inputs, **kwargs)

    wrap_standalone_compile(patch, wrapper)


@needs("scalar-mask")
def needs_scalar_mask(patch: pytest.MonkeyPatch) -> None:
    real = cpp.CppVecKernel.indirect_assert

    def indirect_assert(self: Any, var: Any, lower: Any, upper: Any, mask: Any = None) -> Any:
        line = real(self, var, lower, upper, mask)
        if not var.is_vec or not mask or getattr(mask, "is_vec", False):
            return line
        kind = self._get_mask_type(var.dtype)
        return line.replace(f"{kind}::from({mask})", f"{kind}({mask})")

    patch.setattr(cpp.CppVecKernel, "indirect_assert", indirect_assert)


@needs("unsupported-dtype")
def mends_unsupported_dtype(patch: pytest.MonkeyPatch) -> None:
    filter_builtin_operators_only().__enter__()


@needs("fallback-allow-list")
def needs_fallback_allow_list(patch: pytest.MonkeyPatch) -> None:
    real = graph.GraphLowering.call_function

    def call_function(self: Any, target: Any, args: Any, kwargs: Any) -> Any:
        name = target.name() if isinstance(target, torch._ops.OpOverload) else ""
        if name.startswith("compat_workarounds::") and name not in graph.FALLBACK_ALLOW_LIST:
            OperatorIssue.operator_str(target, args, kwargs)
        return real(self, target, args, kwargs)

    patch.setattr(graph.GraphLowering, "call_function", call_function)


@needs("size-asserts")
def mends_size_asserts(patch: pytest.MonkeyPatch) -> None:
    for key in ("size_asserts", "alignment_asserts", "scalar_asserts"):
        patch.setattr(torch._inductor.config, key, False)


@needs("opaque-strides")
def needs_opaque_strides(patch: pytest.MonkeyPatch) -> None:
    def constrain(fx_node: fx.Node, *args: Any, **kwargs: Any) -> Any:
        def one(arg: Any, fx_arg: Any) -> Any:
            if isinstance(fx_arg, fx.Node):
                fx_arg.meta["val"].stride()
            return arg

        return tuple(map(one, args, fx_node.args)), kwargs

    patch.setattr(lowering, "constrain_to_fx_strides", constrain)


@needs("graph-copy")
def needs_graph_copy(patch: pytest.MonkeyPatch) -> None:
    real = compile_fx.compile_fx

    def broken(piece: fx.GraphModule, *args: Any, **kwargs: Any) -> Any:
        first = next(iter(piece.graph.nodes))
        with piece.graph.inserting_after(first):
            piece.graph.call_function(torch.neg, (first,))
        return real(piece, *args, **kwargs)

    patch.setattr(compile_fx, "compile_fx", broken)


@needs("partition-rule")
def needs_partition_rule(patch: pytest.MonkeyPatch) -> None:
    real = scheduler.Scheduler.should_partition

    def should_partition(self: Any, node: Any, *args: Any, **kwargs: Any) -> bool:
        assert not isinstance(node.node, ir.FallbackKernel), "it has no origin"
        return bool(real(self, node, *args, **kwargs))

    patch.setattr(scheduler.Scheduler, "should_partition", should_partition)


@needs("cache-value-error")
def needs_cache_value_error(patch: pytest.MonkeyPatch) -> None:
    real = codecache.FxGraphCachePickler.dumps

    def dumps(self: Any, what: object) -> bytes:
        try:
            return bytes(real(self, what))
        except codecache.BypassFxGraphCache as error:
            raise ValueError("not caught") from error

    patch.setattr(codecache.FxGraphCachePickler, "dumps", dumps)


@needs("runtime-builtins")
def needs_runtime_builtins(patch: pytest.MonkeyPatch) -> None:
    real = convert_frame.GraphCaptureOutput.get_runtime_env

    def get_runtime_env(self: Any) -> Any:
        found = real(self)
        for name in [each for each in found.used_globals if each.startswith("__builtins_dict__")]:
            del found.used_globals[name]
        return found

    patch.setattr(convert_frame.GraphCaptureOutput, "get_runtime_env", get_runtime_env)


@needs("pre-grad-passes")
def needs_pre_grad_passes(patch: pytest.MonkeyPatch) -> None:
    """A build has the setting, or is of those that run them early always."""
    if hasattr(torch._inductor.config, "pre_grad_pass_timing"):
        patch.setattr(torch._inductor.config, "pre_grad_pass_timing", "early")


@needs("view-of-input")
def needs_view_of_input(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, piece: fx.GraphModule, inputs: Any, **kwargs: Any) -> Any:
        (output,) = piece.graph.find_nodes(op="output")
        if any(each.target == "view" for each in output.all_input_nodes):
            raise AttributeError("Can't pickle local object")
        return real(piece, inputs, **kwargs)

    wrap_standalone_compile(patch, wrapper)


@needs("bare-result")
def mends_bare_result(patch: pytest.MonkeyPatch) -> None:
    real = torch._inductor.CompiledArtifact.load

    def load(**kwargs: Any) -> Any:
        loaded = real(**kwargs)
        return lambda *args: loaded(*args)[0]

    patch.setattr(torch._inductor.CompiledArtifact, "load", staticmethod(load))


@needs("saveable")
def needs_saveable(patch: pytest.MonkeyPatch) -> None:
    module: Any = sys.modules["torch._inductor.standalone_compile"]
    for kind in vars(module).values():
        if isinstance(kind, type) and "is_saveable" in vars(kind):
            patch.delattr(kind, "is_saveable")


@needs("pickled-slices")
def needs_pickled_slices(patch: pytest.MonkeyPatch) -> None:
    from torch.utils import _pytree as pytree

    real = GraphPickler.dumps

    def dumps(piece: fx.GraphModule, options: Any) -> bytes:
        sliced = any(isinstance(each, slice) for n in piece.graph.nodes for each in _leaves(n.args))
        if sliced and slice not in pytree.SUPPORTED_NODES:
            raise AssertionError("Unexpected raw Node during pickling")
        return bytes(real(piece, options))

    patch.setattr(GraphPickler, "dumps", staticmethod(dumps))


def _leaves(value: Any) -> list[Any]:
    return [x for each in value for x in _leaves(each)] if isinstance(value, tuple) else [value]


@needs("pickled-symbols")
def needs_pickled_symbols(patch: pytest.MonkeyPatch) -> None:
    real = GraphPickler.reducer_override

    def reducer_override(self: Any, each: Any) -> Any:
        if isinstance(each, FakeTensorMode):
            raise AttributeError("Can't pickle a mode")
        return real(self, each)

    patch.setattr(GraphPickler, "reducer_override", reducer_override)


@needs("atomic-save")
def needs_atomic_save(patch: pytest.MonkeyPatch) -> None:
    def write(path: str, content: str | bytes, *_: Any, **__: Any) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content.encode() if isinstance(content, str) else content)

    patch.setattr(codecache, "write_atomic", write)


@needs("nested-trace")
def mends_nested_trace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(torch._dynamo.config, "error_on_nested_fx_trace", False)


@needs("fake-mode-in-dynamo")
def mends_fake_mode_in_dynamo(patch: pytest.MonkeyPatch) -> None:
    constructor_disabled().__enter__()


@needs("float8-rows")
def needs_float8_rows(patch: pytest.MonkeyPatch) -> None:
    real = torch.Tensor.__getitem__

    def getitem(self: torch.Tensor, index: Any) -> torch.Tensor:
        if self.dtype is torch.float8_e4m3fn:
            raise NotImplementedError("index_cpu is not implemented for Float8_e4m3fn")
        return real(self, index)

    patch.setattr(torch.Tensor, "__getitem__", getitem)

"""Wraps what downstreams wrap, where they wrap it, and sees whether a compilation gets there.

Who imported a function by name ahead of the patch goes on calling the old one: a patch that is not
reached is what a downstream finds out last.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
from torch._dynamo.backends.registry import lookup_backend

from compat.interface.surface import resolve
from compat.topics.reach.records import Patch

# What public projects wrap or replace, and the functions that such a patch stands for on a build
# that has moved them. Not those that a cache key holds, as select_decomp_table: what wraps them is
# not to be pickled, and nothing is cached any more.
TARGETS = (
    "torch._dynamo.backends.common.AotAutograd.__call__",
    "torch._dynamo.backends.common.AotAutograd.__init__",
    "torch._dynamo.backends.common.aot_autograd",
    "torch._dynamo.backends.common.aot_module_simplified",
    "torch._dynamo.convert_frame.compile_frame",
    "torch._dynamo.output_graph.OutputGraph._call_user_compiler",
    "torch._dynamo.output_graph.OutputGraph.call_user_compiler",
    "torch._dynamo.symbolic_convert.InliningInstructionTranslator.inline_call",
    "torch._dynamo.symbolic_convert.InliningInstructionTranslator.inline_call_",
    "torch._functorch._aot_autograd.autograd_cache.AOTAutogradCache._get_shape_env",
    "torch._functorch._aot_autograd.autograd_cache.AOTAutogradCache._lookup",
    "torch._functorch._aot_autograd.autograd_cache.AOTAutogradCache.load",
    "torch._functorch._aot_autograd.autograd_cache.AOTAutogradCache.save",
    "torch._functorch._aot_autograd.autograd_cache.AOTAutogradCache.try_load",
    "torch._functorch._aot_autograd.autograd_cache.autograd_cache_key",
    "torch._functorch._aot_autograd.autograd_cache.check_cacheable",
    "torch._functorch._aot_autograd.graph_compile.aot_dispatch_base_graph",
    "torch._functorch.aot_autograd.aot_module_simplified",
    "torch._functorch.aot_autograd.aot_stage1_graph_capture",
    "torch._functorch.aot_autograd.aot_stage2_compile",
    "torch._functorch.aot_autograd.autograd_cache_key",
    "torch._functorch.aot_autograd.create_aot_dispatcher_function",
    "torch._functorch.aot_autograd.create_aot_state",
    "torch._functorch.partitioners.default_partition",
    "torch._functorch.partitioners.min_cut_rematerialization_partition",
    "torch._guards.detect_fake_mode",
    "torch._inductor.codecache.FxGraphCache._check_can_cache",
    "torch._inductor.codecache.FxGraphCache._get_shape_env",
    "torch._inductor.codecache.FxGraphCache._lookup_graph",
    "torch._inductor.codecache.FxGraphCache._save_graph",
    "torch._inductor.codecache.FxGraphCache.load",
    "torch._inductor.codecache.FxGraphCache.load_with_key",
    "torch._inductor.codecache.FxGraphCache.prepare_key",
    "torch._inductor.codecache.PyCodeCache.load_by_key_path",
    "torch._inductor.codecache.compiled_fx_graph_hash",
    "torch._inductor.codegen.wrapper.PythonWrapperCodegen.memory_plan_reuse",
    "torch._inductor.compile_fx._compile_fx_inner",
    "torch._inductor.compile_fx._recursive_joint_graph_passes",
    "torch._inductor.compile_fx._recursive_post_grad_passes",
    "torch._inductor.compile_fx._recursive_pre_grad_passes",
    "torch._inductor.compile_fx.aot_autograd",
    "torch._inductor.compile_fx.aot_module_simplified",
    "torch._inductor.compile_fx.compile_fx",
    "torch._inductor.compile_fx.compile_fx_inner",
    "torch._inductor.compile_fx.fx_codegen_and_compile",
    "torch._inductor.compile_fx.joint_graph_passes",
    "torch._inductor.compile_fx.partition_fn",
    "torch._inductor.compile_fx.post_grad_passes",
    "torch._inductor.compile_fx.pre_grad_passes",
    "torch._inductor.compile_fx.view_to_reshape",
    "torch._inductor.fx_passes.joint_graph.joint_graph_passes",
    "torch._inductor.fx_passes.post_grad.decompose_auto_functionalized",
    "torch._inductor.fx_passes.post_grad.post_grad_passes",
    "torch._inductor.fx_passes.pre_grad.pre_grad_passes",
    "torch._inductor.graph.GraphLowering.__init__",
    "torch._inductor.graph.GraphLowering._update_scheduler",
    "torch._inductor.graph.GraphLowering.codegen",
    "torch._inductor.graph.GraphLowering.compile_to_fn",
    "torch._inductor.graph.GraphLowering.compile_to_module",
    "torch._inductor.output_code.CompiledFxGraph.post_compile",
    "torch._inductor.output_code.CompiledFxGraph.prepare_for_serialization",
    "torch._inductor.scheduler.Scheduler.__init__",
    "torch._inductor.scheduler.Scheduler._codegen",
    "torch._inductor.scheduler.Scheduler.get_graph_partition_signature",
    "torch._inductor.scheduler.Scheduler.should_partition",
    "torch._inductor.standalone_compile",
    "torch._inductor.standalone_compile.standalone_compile",
)


def import_all() -> None:
    """Import what registers backends, so that no registration is taken for a compilation."""
    for backend in torch._dynamo.list_backends(exclude_tags=()):
        with suppress(Exception):  # One may need a package that is not there.
            lookup_backend(backend)


@contextmanager
def spying() -> Iterator[Callable[[], dict[str, Patch]]]:
    """All targets wrapped; gives what says, at any time, what each of them saw."""
    seen: dict[str, set[str]] = {}
    with ExitStack() as stack:
        for path in TARGETS:
            try:
                owner, name, found = _owner_of(path)
            except (ImportError, AttributeError):
                continue
            if isinstance(found, ModuleType):
                continue  # It is called what a function of another build is called.
            seen[path] = set()
            stack.enter_context(patch.object(owner, name, _wrapped(found, seen[path])))

        def told() -> dict[str, Patch]:
            return {path: _told(seen.get(path)) for path in TARGETS}

        yield told


def _told(ways: set[str] | None) -> Patch:
    return Patch(there=ways is not None, saw=tuple(sorted(ways or ())))


def _owner_of(path: str) -> tuple[Any, str, Any]:
    """What holds a name, the name, and what is there as it was put there."""
    within, _, name = path.rpartition(".")
    owner: Any
    if path == "torch._inductor.standalone_compile.standalone_compile":
        # On the package the function of that name hides the module.
        owner = sys.modules["torch._inductor.standalone_compile"]
    else:
        owner = resolve(within)
    return owner, name, inspect.getattr_static(owner, name)


def _wrapped(found: Any, ways: set[str]) -> Any:
    if isinstance(found, (staticmethod, classmethod)):
        return type(found)(_wrapped(found.__func__, ways))
    owned = "self" in list(inspect.signature(found).parameters)[:1]

    @functools.wraps(found)
    def spy(*args: Any, **kwargs: Any) -> Any:
        positional = len(args) - owned
        ways.add(f"({', '.join(['…'] * positional + sorted(kwargs))})")
        return found(*args, **kwargs)

    return spy

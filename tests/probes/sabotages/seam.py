"""Ways to break what compiles, saves and loads a graph, and the interface around it."""

from __future__ import annotations

import copy
import inspect
import os
import pkgutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch._guards
import torch._inductor
from torch import fx
from torch._inductor import codecache

from compat.interface import compilers, settings, shapes, tracing_context
from compat.probes import calls as calls_of
from compat.probes import (
    real_models,
    test_artifacts,
    test_context_inputs,
    test_gates,
    test_settings,
    test_tracing_context,
)
from compat.probes.driving import SINGLE_SIZE
from compat.probes.graphs import GRAPHS
from tests.probes.sabotages.registry import sabotage_of


def wrap_standalone_compile(patch: pytest.MonkeyPatch, wrapper: Callable[..., Any]) -> None:
    """Put ``wrapper(real, graph, inputs, **kwargs)`` in the place of ``standalone_compile``."""
    real = torch._inductor.standalone_compile

    def broken(graph: fx.GraphModule, inputs: Any, **kwargs: Any) -> Any:
        return wrapper(real, graph, inputs, **kwargs)

    broken.__signature__ = inspect.signature(real)  # type: ignore[attr-defined]
    patch.setattr(torch._inductor, "standalone_compile", broken)


class Off:
    """A compiled artifact whose numbers are off."""

    def __init__(self, artifact: Any) -> None:
        self._artifact = artifact

    def __call__(self, *args: Any) -> Any:
        result = self._artifact(*args)
        if isinstance(result, torch.Tensor):
            return result + 0.1
        return tuple(each + 0.1 for each in result)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._artifact, name)


@sabotage_of("surface.name[torch._guards.tracing", "surface.name[torch._guards._TLS")
def name_is_gone(patch: pytest.MonkeyPatch) -> None:
    patch.delattr(torch._guards, "tracing")
    patch.delattr(torch._guards, "_TLS")


@sabotage_of("surface.name[torch._inductor.standalone_compile-")
def parameter_is_gone(patch: pytest.MonkeyPatch) -> None:
    def narrower(graph: Any, inputs: Any, *, options: Any = None) -> None: ...

    patch.setattr(torch._inductor, "standalone_compile", narrower)


@sabotage_of("surface.used[torch._inductor")
def a_name_of_a_subject_is_gone(patch: pytest.MonkeyPatch) -> None:
    from torch._inductor import pattern_matcher

    patch.delattr(pattern_matcher, "PatternMatcherPass")


@sabotage_of("surface.config[torch._functorch.config")
def a_key_of_the_interface_is_gone(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(torch._functorch.config._config, "bundled_autograd_cache")


@sabotage_of("surface.config[torch._dynamo.config")
def a_default_moves(patch: pytest.MonkeyPatch) -> None:
    import torch._dynamo.config

    entry = torch._dynamo.config._config["recompile_limit"]
    patch.setattr(entry, "default", 77)


@sabotage_of("surface.config[torch._dynamo.config")
def a_setting_of_this_process(patch: pytest.MonkeyPatch) -> None:
    """No default moves with what somebody sets."""
    import torch._dynamo.config

    torch._dynamo.config.recompile_limit = 77


@sabotage_of("surface.operators[aten")
def an_operator_is_gone(patch: pytest.MonkeyPatch) -> None:
    real = torch._C._jit_get_operation

    def lacking(name: str) -> Any:
        if name == "aten::mm":
            raise RuntimeError("No such operator aten::mm")
        return real(name)

    patch.setattr(torch._C, "_jit_get_operation", lacking)
    patch.delattr(torch.ops.aten, "mm", raising=False)


@sabotage_of("gates.capability[aot")
def flag_is_gone(patch: pytest.MonkeyPatch) -> None:
    def narrower(
        graph: Any, inputs: Any, *, dynamic_shapes: str = "from_graph", options: Any = None
    ) -> None: ...

    patch.setattr(torch._inductor, "standalone_compile", narrower)


@sabotage_of("gates.shared_fake_mode[monkeypatch")
def mode_is_not_shared(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: Any, inputs: Any, **kwargs: Any) -> Any:
        module = sys.modules["torch._inductor.standalone_compile"]
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(module, "FakeTensorMode", torch._subclasses.FakeTensorMode)
            if kwargs["dynamic_shapes"] == "from_example_inputs":
                raise AssertionError("Mixing fake modes NYI")
            return real(graph, inputs, **kwargs)

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("gates.patch_target[module")
def patched_module_is_not_the_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(test_gates, "patch", SimpleNamespace(object=lambda *_: nullcontext()))


@sabotage_of("gates.patch_target[string")
def name_finds_the_function(patch: pytest.MonkeyPatch) -> None:
    """vllm#37858: on Python 3.10 the dotted name is the function of the same name."""
    module = sys.modules["torch._inductor.standalone_compile"]
    function = torch._inductor.standalone_compile
    real = pkgutil.resolve_name
    patch.setattr(
        pkgutil, "resolve_name", lambda name: function if name == module.__name__ else real(name)
    )


@sabotage_of("donation.flag")
def gate_is_ignored(patch: pytest.MonkeyPatch) -> None:
    real = compilers.StandaloneCompiler.uses

    def wrong(self: Any, feature: str) -> bool:
        return real(self, feature) is not (feature == "donate_graph_module")

    def drop(real_compile: Any, graph: Any, inputs: Any, **kwargs: Any) -> Any:
        kwargs.pop("donate_graph_module", None)
        return real_compile(graph, inputs, **kwargs)

    # Below the probe's spy, so that builds without the flag compile all the same.
    wrap_standalone_compile(patch, drop)
    patch.setattr(compilers.StandaloneCompiler, "uses", wrong)


@sabotage_of("donation.copies[donated", "donation_cost.memory")
def donated_graph_is_copied(patch: pytest.MonkeyPatch) -> None:
    wrap_standalone_compile(
        patch, lambda real, graph, inputs, **kwargs: real(copy.deepcopy(graph), inputs, **kwargs)
    )


@sabotage_of("donation_cost.time[100-")
def nothing_is_compiled(patch: pytest.MonkeyPatch) -> None:
    wrap_standalone_compile(patch, lambda real, graph, inputs, **kwargs: graph)


@sabotage_of("donation.outputs")
def donation_moves_the_outputs(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: Any, inputs: Any, **kwargs: Any) -> Any:
        artifact = real(graph, inputs, **kwargs)
        return Off(artifact) if kwargs.get("donate_graph_module") else artifact

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("donation.donor[standalone")
def kept_graph_is_rewritten(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **kwargs: Any) -> Any:
        artifact = real(graph, inputs, **kwargs)
        first = next(iter(graph.graph.nodes))
        with graph.graph.inserting_after(first):
            graph.graph.call_function(torch.neg, (first,))
        graph.recompile()
        return artifact

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("donation.reuse")
def donor_is_used_up(patch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()

    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **kwargs: Any) -> Any:
        if id(graph) in seen:
            raise RuntimeError("this graph was donated before")
        seen.add(id(graph))
        return real(graph, inputs, **kwargs)

    wrap_standalone_compile(patch, wrapper)


def crash_in_context(patch: pytest.MonkeyPatch, always: bool = False) -> None:
    """compile_fx refuses foreign fakes inside a tracing context, as 2.10 does."""
    real = compilers.inductor.compile_fx

    def refuse(*args: Any, **kwargs: Any) -> Any:
        if always or torch._guards.TracingContext.try_get() is not None:
            raise AssertionError("fake mode from tracing context doesn't match")
        return real(*args, **kwargs)

    patch.setattr(compilers.inductor, "compile_fx", refuse)


@sabotage_of("tracing_context.needed[static")
def context_crashes(patch: pytest.MonkeyPatch) -> None:
    crash_in_context(patch)


@sabotage_of(
    "tracing_context.needed[dynamic", "context_inputs.models[block-float32-dynamic-foreign-hiding"
)
def hiding_does_not_help(patch: pytest.MonkeyPatch) -> None:
    crash_in_context(patch, always=True)


@sabotage_of("tracing_context.strategy[tls-static", "tracing_context.restored[tls-success")
def tls_is_dead(patch: pytest.MonkeyPatch) -> None:
    """Whoever assigns the old name talks to nobody."""
    guards = copy.copy(torch._guards.__dict__)
    guards["_TLS"] = type("Unread", (), {})()
    view = type("torch", (), {"_guards": type("guards", (), guards)})
    patch.setattr(tracing_context, "torch", view)
    crash_in_context(patch)


@sabotage_of("tracing_context.restored[tracing")
def tracing_does_not_restore(patch: pytest.MonkeyPatch) -> None:
    real = torch._guards.tracing

    @contextmanager
    def forgetful(context: Any) -> Iterator[Any]:
        if context is not None:
            with real(context) as entered:
                yield entered
            return
        saved = torch._guards.TracingContext.try_get()
        torch._guards._TLS.tracing_context = None
        yield None
        torch._guards._TLS.tracing_context = saved and copy.copy(saved)

    patch.setattr(torch._guards, "tracing", forgetful)


@sabotage_of("tracing_context.fallback")
def chain_never_falls_back(patch: pytest.MonkeyPatch) -> None:
    first = next(iter(tracing_context.STRATEGIES.values()))
    patch.setattr(test_tracing_context, "choose_strategy", lambda: first)


@sabotage_of(
    "parity.outputs[mlp-float32-static-standalone",
    "parity.outputs[reduction-bfloat16-static-standalone",
)
def standalone_is_off(patch: pytest.MonkeyPatch) -> None:
    wrap_standalone_compile(patch, lambda real, *args, **kwargs: Off(real(*args, **kwargs)))


@sabotage_of("parity.outputs[reduction-float32-static-standalone")
def outputs_are_noisy(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: Any, inputs: Any, **kwargs: Any) -> Any:
        artifact = real(graph, inputs, **kwargs)
        noise = iter([0.0, 1e-6])

        def call(*args: Any) -> Any:
            moved = next(noise)
            return tuple(each + moved for each in artifact(*args))

        call.save = artifact.save  # type: ignore[attr-defined]
        return call

    wrap_standalone_compile(patch, wrapper)


def change_compile_fx(
    patch: pytest.MonkeyPatch, change: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    """Change the first output of what the compile_fx path compiles, and nothing else."""
    real = compilers.CompileFxCompiler.compile

    def compile_changed(*args: Any, **kwargs: Any) -> Any:
        compiled, handle = real(*args, **kwargs)

        def call(*inputs: Any) -> Any:
            result = compiled(*inputs)
            if isinstance(result, torch.Tensor):
                return change(result)
            first, *others = result
            return (change(first), *others)

        return call, handle

    patch.setattr(compilers.CompileFxCompiler, "compile", compile_changed)


def off_by_steps(output: torch.Tensor, steps: int) -> torch.Tensor:
    """The largest element, moved by so many rounding steps of the dtype."""
    moved = output.clone()
    flat = moved.view(-1)
    place = flat.abs().argmax()
    for _ in range(steps):
        flat[place] = torch.nextafter(flat[place], flat[place] * 2)
    return moved


@sabotage_of(
    "parity.outputs[reduction-bfloat16-static-compile_fx",
    "parity.outputs[reduction-bfloat16-static-standalone",
    "parity.outputs[reduction-float32-static-compile_fx",
    "settings.standalone_switch[bfloat16",
)
def bfloat16_is_off_by_two_percent(patch: pytest.MonkeyPatch) -> None:
    change_compile_fx(
        patch, lambda output: output * 1.02 if output.dtype is torch.bfloat16 else output
    )


@sabotage_of(
    "parity.outputs[block-float32-static-compile_fx",
    "parity.outputs[reduction-float32-static-compile_fx",
    "parity.outputs[reduction-bfloat16-static-compile_fx",
)
def float32_is_off_by_a_thousandth(patch: pytest.MonkeyPatch) -> None:
    change_compile_fx(
        patch, lambda output: output * 1.001 if output.dtype is torch.float32 else output
    )


@sabotage_of(
    "parity.outputs[reduction-bfloat16-static-compile_fx",
    "parity.outputs[reduction-float32-static-compile_fx",
    "parity.outputs[reduction-float32-static-eager",
)
def one_element_is_off_by_ten_steps(patch: pytest.MonkeyPatch) -> None:
    change_compile_fx(patch, lambda output: off_by_steps(output, 10))


@sabotage_of(
    "parity.outputs[reduction-bfloat16-static-compile_fx",
    "parity.outputs[reduction-float32-static-compile_fx",
)
def one_element_is_off_by_a_step(patch: pytest.MonkeyPatch) -> None:
    change_compile_fx(patch, lambda output: off_by_steps(output, 1))


@sabotage_of(
    "parity.outputs[reduction-float32-static-compile_fx",
    "parity.outputs[reduction-float32-dynamic-compile_fx",
)
def the_second_batch_size_is_wrong(patch: pytest.MonkeyPatch) -> None:
    change_compile_fx(
        patch, lambda output: output * 1.001 if len(output) == SINGLE_SIZE else output
    )


@sabotage_of(
    "parity.outputs[mlp-bfloat16-static-compile_fx",
    "parity.outputs[mlp-float32-static-compile_fx",
)
def bfloat16_comes_as_float32(patch: pytest.MonkeyPatch) -> None:
    change_compile_fx(patch, lambda output: output.float())


@sabotage_of(
    "parity.outputs[mlp-float32-static-compile_fx", "parity.outputs[mlp-float32-static-aot"
)
def outputs_lie_the_other_way(patch: pytest.MonkeyPatch) -> None:
    change_compile_fx(patch, lambda output: output.t().contiguous().t())


@sabotage_of("parity.outputs[mlp-float32-static-aot", "parity.outputs[reduction-float32-static-aot")
def a_bare_output_comes_in_a_list(patch: pytest.MonkeyPatch) -> None:
    real = torch.compile

    def compile_changed(*args: Any, **kwargs: Any) -> Callable[..., Any]:
        compiled = real(*args, **kwargs)

        def call(*inputs: Any) -> Any:
            result = compiled(*inputs)
            return [result] if isinstance(result, torch.Tensor) else result

        return call

    patch.setattr(torch, "compile", compile_changed)


CORPUS = tuple(f"corpus.right[{name}-standalone" for name in GRAPHS)


def changed(output: Any) -> Any:
    """A little larger, or another value altogether where that would change nothing."""
    if not isinstance(output, torch.Tensor):
        return output
    if not output.numel():
        return output.new_zeros(1)
    if output.dtype is torch.bool:
        return ~output
    if not output.is_floating_point():
        return output + 1
    larger = torch.where(output == 0, torch.ones_like(output), output * 1.02)
    return torch.where(output.isfinite(), larger, torch.zeros_like(output))


@sabotage_of(*CORPUS)
def graphs_are_not_compiled(patch: pytest.MonkeyPatch) -> None:
    """The control of what follows: the graph as it was captured is right."""
    wrap_standalone_compile(patch, lambda real, graph, inputs, **kwargs: graph)


@sabotage_of(*CORPUS)
def graphs_are_off(patch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled, and the first output is changed."""

    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **kwargs: Any) -> Any:
        def call(*args: Any) -> Any:
            first, *others = graph(*args)
            return (changed(first), *others)

        return call

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("artifacts.reload[binary", "artifacts.reload[unpacked")
def loaded_artifact_is_off(patch: pytest.MonkeyPatch) -> None:
    real = torch._inductor.CompiledArtifact.load
    patch.setattr(
        torch._inductor.CompiledArtifact,
        "load",
        staticmethod(lambda **kwargs: Off(real(**kwargs))),
    )


@sabotage_of("artifacts.reload[fx-graph-cache")
def cache_forgets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(codecache.FxGraphCache, "_lookup_graph", staticmethod(lambda *args: (None, {})))


@sabotage_of("settings.standalone_switch[float32")
def switch_is_dead(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        test_settings.Settings, "from_environment", classmethod(lambda cls: settings.Settings())
    )


@sabotage_of("surface.name[torch._inductor.codecache.torch_key")
def process_aborts(patch: pytest.MonkeyPatch) -> None:
    os.kill(os.getpid(), signal.SIGABRT)


@sabotage_of("surface.name[torch._inductor.codecache.torch_key")
def python_hangs(patch: pytest.MonkeyPatch) -> None:
    time.sleep(600)


@sabotage_of("shape_env.reads")
def cache_asks_the_shape_env_for_more(patch: pytest.MonkeyPatch) -> None:
    """pytorch#187728: saving a graph calls a method that downstream's stand-in does not have."""
    real = codecache.FxGraphCache._save_graph

    def save(*args: Any, **kwargs: Any) -> Any:
        codecache.FxGraphCache._get_shape_env().freeze_hints()
        return real(*args, **kwargs)

    patch.setattr(codecache.FxGraphCache, "_save_graph", staticmethod(save))


@sabotage_of("shape_env.needs[guards")
def cache_needs_another_member(patch: pytest.MonkeyPatch) -> None:
    """vllm#41940: a member that no one read before is needed from one build to the next."""
    real = codecache.FxGraphCache._save_graph

    def save(*args: Any, **kwargs: Any) -> Any:
        len(codecache.FxGraphCache._get_shape_env().guards)
        return real(*args, **kwargs)

    patch.setattr(codecache.FxGraphCache, "_save_graph", staticmethod(save))


@sabotage_of("artifacts.reload[aot", "artifacts.saved[aot-")
def aot_artifacts_are_not_saved(patch: pytest.MonkeyPatch) -> None:
    """pytorch#184550: saving fails under the AOT setting."""

    def wrapper(real: Any, graph: Any, inputs: Any, **kwargs: Any) -> Any:
        artifact = real(graph, inputs, **kwargs)

        def save(**_: Any) -> None:
            raise RuntimeError("AOTCompiledArtifact: cannot be serialized")

        if kwargs.get("aot"):
            object.__setattr__(artifact, "save", save)
        return artifact

    wrap_standalone_compile(patch, wrapper)


@sabotage_of(
    "parity.outputs[block-float32-dynamic-aot",
    "real_models.outputs[llama-float32-dynamic-eager",
)
def numbers_drift(patch: pytest.MonkeyPatch) -> None:
    """pytorch#187735: what is compiled computes other numbers than it did."""
    real = torch.nn.functional.silu

    def rough(x: torch.Tensor, inplace: bool = False) -> torch.Tensor:
        return real(x) * 1.001 if torch.compiler.is_compiling() else real(x)

    patch.setattr(torch.nn.functional, "silu", rough)


@sabotage_of("real_models.outputs[qwen3_moe-float32-dynamic-eager")
def tokens_go_to_other_experts(patch: pytest.MonkeyPatch) -> None:
    real = torch.topk

    def astray(scores: torch.Tensor, k: int, dim: int) -> Any:
        values, experts = real(scores, k, dim=dim)
        if torch.compiler.is_compiling():
            experts = (experts + 1) % scores.shape[dim]
        return values, experts

    patch.setattr(torch, "topk", astray)


@sabotage_of("real_models.embeddings[minilm-bfloat16-dynamic-eager")
def embeddings_turn(patch: pytest.MonkeyPatch) -> None:
    """The elements of a unit vector are small: in absolute numbers it is hardly off."""
    real = torch.nn.functional.gelu

    def rough(x: torch.Tensor) -> torch.Tensor:
        return real(x) * 1.1 if torch.compiler.is_compiling() else real(x)

    patch.setattr(torch.nn.functional, "gelu", rough)


@sabotage_of("real_models.embeddings[minilm-float32-dynamic-eager")
def weights_are_not_real(patch: pytest.MonkeyPatch) -> None:
    real = real_models.SentenceEncoder.__init__

    def forget(self: Any, dtype: torch.dtype) -> None:
        real(self, dtype)
        for weight in self.parameters():
            torch.nn.init.normal_(weight, std=0.02)

    patch.setattr(real_models.SentenceEncoder, "__init__", forget)


@sabotage_of("parity.random_numbers[standalone")
def other_random_numbers(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: Any, inputs: Any, **kwargs: Any) -> Any:
        artifact = real(graph, inputs, **kwargs)

        def call(*args: Any) -> Any:
            torch.rand(1)
            return artifact(*args)

        call.save = artifact.save  # type: ignore[attr-defined]
        return call

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("parity.outputs[buffer-float32-static-standalone")
def buffers_stay_as_they_were(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: Any, inputs: Any, **kwargs: Any) -> Any:
        artifact = real(graph, inputs, **kwargs)

        def call(*args: Any) -> Any:
            return artifact(*(arg.clone() if torch.is_tensor(arg) else arg for arg in args))

        call.save = artifact.save  # type: ignore[attr-defined]
        return call

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("context_inputs.inputs[own-static-tls")
def hidden_context_is_touched(patch: pytest.MonkeyPatch) -> None:
    real = torch._guards.TracingContext.try_get
    contexts = []

    def remember() -> Any:
        contexts.append(real())
        return contexts[-1]

    compile_fx = compilers.inductor.compile_fx

    def touch(*args: Any, **kwargs: Any) -> Any:
        next(each for each in contexts if each is not None).params_flat = [1, 2]
        return compile_fx(*args, **kwargs)

    patch.setattr(torch._guards.TracingContext, "try_get", staticmethod(remember))
    patch.setattr(compilers.inductor, "compile_fx", touch)


@sabotage_of(
    "context_inputs.inputs[foreign-dynamic-none", "context_inputs.inputs[foreign-dynamic-tls"
)
def leak_breaks_the_frame(patch: pytest.MonkeyPatch) -> None:
    """Seen on 2.11 with CUDA: a guard on a foreign symbol, which Dynamo then cannot place."""
    real = test_context_inputs.inside_dynamo

    def broken(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        raise IndexError("list index out of range")

    patch.setattr(test_context_inputs, "inside_dynamo", broken)


@sabotage_of(
    "context_inputs.inputs[foreign-dynamic-thread",
    "context_inputs.models[buffer-float32-dynamic-real",
    "context_inputs.models[llama-bfloat16-dynamic-own",
)
def compile_fx_is_off(patch: pytest.MonkeyPatch) -> None:
    real = compilers.inductor.compile_fx
    patch.setattr(compilers.inductor, "compile_fx", lambda *a, **k: Off(real(*a, **k)))


@sabotage_of("context_inputs.inputs[real-static-tls")
def compile_fx_returns_a_bare_tensor(patch: pytest.MonkeyPatch) -> None:
    real = compilers.inductor.compile_fx

    def compile_fx(*args: Any, **kwargs: Any) -> Callable[..., Any]:
        compiled = real(*args, **kwargs)
        return lambda *inputs: compiled(*inputs)[0]

    patch.setattr(compilers.inductor, "compile_fx", compile_fx)


@sabotage_of("tracing_context.strategy[thread-static")
def outputs_are_not_finite(patch: pytest.MonkeyPatch) -> None:
    real = compilers.inductor.compile_fx

    def compile_fx(*args: Any, **kwargs: Any) -> Callable[..., Any]:
        compiled = real(*args, **kwargs)
        return lambda *inputs: [each * torch.nan for each in compiled(*inputs)]

    patch.setattr(compilers.inductor, "compile_fx", compile_fx)


@sabotage_of(
    "donation.afterwards[call-tuple-standalone", "donation.afterwards[call-bare-standalone"
)
def kept_graph_is_emptied(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **kwargs: Any) -> Any:
        artifact = real(graph, inputs, **kwargs)
        graph.forward = None  # type: ignore[assignment]
        return artifact

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("donation.afterwards[call-tuple-donated")
def donated_graph_is_wrong(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **kwargs: Any) -> Any:
        artifact = real(graph, inputs, **kwargs)
        (output,) = graph.graph.find_nodes(op="output")
        with graph.graph.inserting_before(output):
            negated = graph.graph.call_function(torch.neg, (output.args[0][0],))
        output.args = ((negated,),)
        graph.recompile()
        return artifact

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("donation.afterwards[call-tuple-standalone", "donation.afterwards[call-tuple-donated")
def output_becomes_a_list(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **kwargs: Any) -> Any:
        artifact = real(graph, inputs, **kwargs)
        (output,) = graph.graph.find_nodes(op="output")
        output.args = (list(output.args[0]),)
        graph.recompile()
        return artifact

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("cost.work[1-compile_fx", "cost.work[1-standalone")
def nothing_is_broken(patch: pytest.MonkeyPatch) -> None:
    """The control of what follows."""


@sabotage_of("cost.work[1-compile_fx", "cost.work[1-standalone")
def nothing_is_broken_again(patch: pytest.MonkeyPatch) -> None:
    """In a process of its own."""


@sabotage_of("cost.work[1-compile_fx", "cost.work[1-standalone")
def compile_fx_does_its_work_twice(patch: pytest.MonkeyPatch) -> None:
    real = compilers.inductor.compile_fx
    busy = []

    def twice(graph: fx.GraphModule, *args: Any, **kwargs: Any) -> Any:
        # It calls itself.
        if not busy:
            busy.append(True)
            with torch._inductor.config.patch(force_disable_caches=True):
                real(copy.deepcopy(graph), *args, **kwargs)
            busy.clear()
        return real(graph, *args, **kwargs)

    patch.setattr(compilers.inductor, "compile_fx", twice)


@sabotage_of("artifacts.damaged[binary-truncated")
def damage_goes_unnoticed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(test_artifacts, "DAMAGES", dict.fromkeys(test_artifacts.DAMAGES, lambda _: None))


@sabotage_of("artifacts.placed[binary-moved")
def artifacts_know_their_place(patch: pytest.MonkeyPatch) -> None:
    real = torch._inductor.CompiledArtifact.load

    def load(*, path: str, format: str) -> Any:
        assert "elsewhere" not in path, "saved at another place"
        return real(path=path, format=format)

    patch.setattr(torch._inductor.CompiledArtifact, "load", staticmethod(load))


@sabotage_of("artifacts.placed[unpacked-moved")
def loading_kills_the_process(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        torch._inductor.CompiledArtifact, "load", staticmethod(lambda **kwargs: os.abort())
    )


@sabotage_of("artifacts.reload[unpacked")
def loading_compiles(patch: pytest.MonkeyPatch) -> None:
    def load(self: Any, handle: Any, graph: fx.GraphModule, inputs: Any) -> Any:
        compiled, _ = self.compile(graph, inputs, shapes.CompileRange(1, 8192), key="again")
        return compilers.with_convention_of(graph, compiled)

    patch.setattr(compilers.StandaloneCompiler, "load", load)


@sabotage_of("artifacts.reload[binary")
def loaded_artifact_returns_other_strides(patch: pytest.MonkeyPatch) -> None:
    """Of the last piece alone: in those ahead of it, generated code would refuse them."""
    real = test_artifacts.pack

    def pack(calls: Any) -> bytes:
        turned = (each.result.mT.contiguous().mT for each in calls)
        return real([calls_of.Call(result) for result in turned])

    patch.setattr(test_artifacts, "pack", pack)


@sabotage_of("artifacts.damaged[aot-raw-bit-flipped")
def a_flipped_bit_moves_the_numbers(patch: pytest.MonkeyPatch) -> None:
    real = test_artifacts.RawAotCompiler.load
    patch.setattr(test_artifacts.RawAotCompiler, "load", lambda *args: Off(real(*args)))


@sabotage_of("artifacts.saved_by_two[binary")
def savers_overwrite_each_other(patch: pytest.MonkeyPatch) -> None:
    real = torch._inductor.CompiledArtifact.load
    patch.setattr(
        torch._inductor.CompiledArtifact,
        "load",
        staticmethod(lambda **kwargs: Off(real(**kwargs))),
    )


@sabotage_of("tracing_context.reentrant[another")
def hiding_forgets_the_outer_context(patch: pytest.MonkeyPatch) -> None:
    real = test_tracing_context.compile_and_check

    def forget(*args: Any) -> None:
        real(*args)
        torch._guards._TLS.tracing_context = None

    patch.setattr(test_tracing_context, "compile_and_check", forget)

"""Donation, tracing contexts and fake modes that behave otherwise."""

from __future__ import annotations

import copy
import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import torch._guards
import torch._inductor
from torch import fx
from torch._inductor import compile_fx as inductor

from tests.mutations.breaking import change_standalone, wrap_compile_fx
from tests.mutations.catalogue import (
    COMPILED,
    CONTEXT,
    DONATION,
    PYTORCH,
    SAME_BITS,
    VLLM,
    mutation,
)
from tests.probes.sabotages import seam as sabotages
from tests.probes.sabotages.seam import wrap_standalone_compile

SINCE = "2.12"
GATES = ("gates.shared_fake_mode", "gates.patch_target")


def _ends(output: fx.Node) -> tuple[Any, ...]:
    (returned,) = output.args
    return tuple(returned) if isinstance(returned, (tuple, list)) else (returned,)


@mutation(r"donation.copies\[donated.*: (lost|worse)", asks=DONATION, quick=True, since=SINCE)
def donation_still_copies(patch: pytest.MonkeyPatch) -> None:
    """donate_graph_module=True is taken, and the graph is copied all the same."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        donated = keywords.get("donate_graph_module")
        return real(copy.deepcopy(graph) if donated else graph, inputs, **keywords)

    wrap_standalone_compile(patch, wrapper)


@mutation(r"donation.copies\[donated.*: (lost|worse)", asks=DONATION, since=SINCE)
def donation_is_ignored(patch: pytest.MonkeyPatch) -> None:
    """donate_graph_module is taken and ignored."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        keywords.pop("donate_graph_module", None)
        return real(graph, inputs, **keywords)

    wrap_standalone_compile(patch, wrapper)


@mutation(r"donation.copies\[donated\] copies: worse", asks=DONATION, also=(r"donation.copies",))
def every_graph_is_copied_twice(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile copies the graph once more."""
    sabotages.donated_graph_is_copied(patch)


@mutation(
    r"donation.outputs.*: (lost|worse)",
    asks=DONATION,
    also=(r"donated", r"donation", r"aot\]", SAME_BITS),
    quick=True,
    since=SINCE,
)
def donation_moves_the_outputs(patch: pytest.MonkeyPatch) -> None:
    """What is compiled of a donated graph is off by a tenth of a per cent."""
    change_standalone(patch, lambda output: output * 1.001, "donate_graph_module")


@mutation(r"donation.reuse.*: (lost|worse)", asks=DONATION, also=(r"donat", r"aot\]"), since=SINCE)
def a_donor_is_used_up(patch: pytest.MonkeyPatch) -> None:
    """A graph that was donated once is refused the second time."""
    seen: set[int] = set()

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        if id(graph) in seen and keywords.get("donate_graph_module"):
            raise RuntimeError("this graph was donated before")
        seen.add(id(graph))
        return real(graph, inputs, **keywords)

    wrap_standalone_compile(patch, wrapper)


@mutation(r"donation.donor\[standalone.*: (lost|worse)", asks=DONATION, also=(r"donat",))
def a_kept_graph_is_rewritten(patch: pytest.MonkeyPatch) -> None:
    """A graph that was not donated has one node more afterwards."""

    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **keywords: Any) -> Any:
        artifact = real(graph, inputs, **keywords)
        if not keywords.get("donate_graph_module"):
            first = next(iter(graph.graph.nodes))
            with graph.graph.inserting_after(first):
                graph.graph.call_function(torch.neg, (first,))
            graph.recompile()
        return artifact

    wrap_standalone_compile(patch, wrapper)


@mutation(
    r"donation.afterwards\[call-tuple-donated",
    asks=("donation.afterwards[call",),
    also=(r"donation.afterwards.*donated",),
    since=SINCE,
)
def a_donor_returns_another_type(patch: pytest.MonkeyPatch) -> None:
    """A donated graph, called afterwards, returns a list in the place of a tuple."""

    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **keywords: Any) -> Any:
        artifact = real(graph, inputs, **keywords)
        if keywords.get("donate_graph_module"):
            (output,) = graph.graph.find_nodes(op="output")
            output.args = ([*_ends(output)],)
            graph.recompile()
        return artifact

    wrap_standalone_compile(patch, wrapper)


@mutation(
    r"donation.afterwards\[call-(tuple|bare)-standalone.*: (lost|worse)",
    asks=("donation.afterwards[call", "donation.donor"),
    also=(r"donation",),
)
def a_kept_graph_is_emptied(patch: pytest.MonkeyPatch) -> None:
    """A graph that was not donated cannot be called afterwards."""

    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **keywords: Any) -> Any:
        artifact = real(graph, inputs, **keywords)
        if not keywords.get("donate_graph_module"):
            graph.forward = None  # type: ignore[assignment]
        return artifact

    wrap_standalone_compile(patch, wrapper)


@mutation(
    r"donation.(flag|copies).*: (lost|worse)",
    asks=DONATION,
    also=(r"donat", r"aot\]"),
    since=SINCE,
)
def donation_is_refused(patch: pytest.MonkeyPatch) -> None:
    """donate_graph_module=True ends with an error."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        if keywords.get("donate_graph_module"):
            raise NotImplementedError("donation is not supported here")
        return real(graph, inputs, **keywords)

    wrap_standalone_compile(patch, wrapper)


@mutation(
    r"tracing_context.needed.*",
    asks=CONTEXT,
    also=(r"tracing_context",),
    through=(COMPILED,),
    quick=True,
    since="2.11",
    replays=f"{VLLM}/pull/38015",
)
def compile_fx_refuses_a_context(patch: pytest.MonkeyPatch) -> None:
    """compile_fx refuses fakes of another mode inside a tracing context, as 2.10 does."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        if torch._guards.TracingContext.try_get() is not None:
            raise AssertionError("fake mode from tracing context doesn't match")
        return real(graph, inputs, **keywords)

    wrap_compile_fx(patch, wrapper)


@mutation(
    r"context_inputs.models\[buffer-.* needed: lost",
    asks=("tracing_context.needed", "context_inputs.models[buffer", "context_inputs.models[block"),
    also=(r"context_inputs.models\[buffer-",),
)
def compile_fx_refuses_the_context_of_a_buffer(patch: pytest.MonkeyPatch) -> None:
    """Inside a tracing context, compile_fx refuses graphs that change a buffer, and no others."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        changes = any(str(node.target).endswith("mul_") for node in graph.graph.nodes)
        if changes and torch._guards.TracingContext.try_get() is not None:
            raise AssertionError("fake mode from tracing context doesn't match")
        return real(graph, inputs, **keywords)

    wrap_compile_fx(patch, wrapper)


@mutation(
    r"tracing_context.strategy.*: (lost|worse)",
    r"parity.outputs\[mlp-float32-static-compile_fx.*: (lost|worse)",
    asks=CONTEXT,
    also=(r"tracing_context", r"compile_fx"),
)
def compile_fx_always_refuses(patch: pytest.MonkeyPatch) -> None:
    """compile_fx refuses every graph from outside."""

    def wrapper(*_: Any, **__: Any) -> Any:
        raise AssertionError("fake mode from tracing context doesn't match")

    wrap_compile_fx(patch, wrapper)


@mutation(
    r"tracing_context.restored\[tracing.*: (lost|worse)", asks=CONTEXT, also=(r"tracing_context",)
)
def a_copy_of_the_context_is_restored(patch: pytest.MonkeyPatch) -> None:
    """tracing(None) leaves a copy of the tracing context behind."""
    sabotages.tracing_does_not_restore(patch)


@mutation(
    r"tracing_context.*: (lost|worse)",
    asks=CONTEXT,
    also=(r"tracing_context", r"compile_fx"),
)
def tracing_none_hides_nothing(patch: pytest.MonkeyPatch) -> None:
    """tracing(None) leaves the tracing context where it is, and compile_fx refuses it."""
    real = torch._guards.tracing

    @contextmanager
    def blind(context: Any) -> Iterator[Any]:
        if context is None:
            yield None
            return
        with real(context) as entered:
            yield entered

    patch.setattr(torch._guards, "tracing", blind)
    compile_fx_refuses_a_context(patch)


@mutation(
    r"gates.shared_fake_mode.*: (lost|worse)",
    asks=GATES,
    also=(r"gates", r"parity.*(standalone|aot|donated)", r"donation"),
)
def the_fake_mode_is_not_shared(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile makes a fake mode of its own for example inputs."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        if keywords.get("dynamic_shapes") == "from_example_inputs":
            raise AssertionError("Mixing fake modes NYI")
        return real(graph, inputs, **keywords)

    wrap_standalone_compile(patch, wrapper)


@mutation(
    r"gates.patch_target\[string.*", asks=GATES, also=(r"gates",), replays=f"{VLLM}/issues/37858"
)
def a_dotted_name_finds_the_function(patch: pytest.MonkeyPatch) -> None:
    """The dotted name of standalone_compile's module is the function of that name (vllm#37858)."""
    sabotages.name_finds_the_function(patch)


@mutation(
    r"parity.outputs\[mlp-float32-static-standalone.*: (lost|worse)",
    also=(r"standalone", r"aot", r"donat", r"gates"),
    through=(COMPILED,),
    quick=True,
)
def standalone_compile_crashes(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile ends its process with a signal."""
    wrap_standalone_compile(patch, lambda *_, **__: os.kill(os.getpid(), signal.SIGABRT))


@mutation(
    r"parity.outputs\[mlp-float32-static-standalone.*: (lost|worse)",
    also=(r"standalone", r"aot", r"donat", r"gates"),
)
def standalone_compile_is_deprecated(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile warns that it will go, and somebody made warnings into errors."""

    def wrapper(*_: Any, **__: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.warn("standalone_compile is deprecated", DeprecationWarning, stacklevel=2)

    wrap_standalone_compile(patch, wrapper)


@mutation(asks=DONATION)
def torch_talks(patch: pytest.MonkeyPatch) -> None:
    """Each compilation prints ten thousand lines: nothing may be told."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        os.write(1, b"all work and no play\n" * 10_000)
        return real(graph, inputs, **keywords)

    wrap_standalone_compile(patch, wrapper)


@mutation(asks=DONATION)
def names_of_nodes_differ(patch: pytest.MonkeyPatch) -> None:
    """Dynamo calls the nodes of a graph otherwise: nothing may be told."""
    real = fx.graph._Namespace.create_name
    patch.setattr(
        fx.graph._Namespace,
        "create_name",
        lambda self, candidate, *rest: (
            real(self, f"{candidate}_x", *rest)
            if candidate in {"linear", "relu", "gelu", "add"}
            else real(self, candidate, *rest)
        ),
    )


@mutation(
    r"parity.outputs\[silent-float32-static-standalone\] outcome: lost",
    asks=("parity.outputs[silent-float32-static",),
    also=(r"parity.outputs\[silent.*(standalone|aot|donated)\]", SAME_BITS),
    since="2.12",
    replays=f"{PYTORCH}/issues/151945",
)
def a_graph_without_outputs_has_no_fake_mode(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile takes another fake mode for a graph that returns nothing, as 2.10 does."""

    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **keywords: Any) -> Any:
        (output,) = graph.graph.find_nodes(op="output")
        if not _ends(output):
            raise AssertionError("fake mode from tracing context 0 doesn't match mode 1")
        return real(graph, inputs, **keywords)

    wrap_standalone_compile(patch, wrapper)


@mutation(
    r"parity.outputs\[mlp-float32-static-compile_fx.*: (lost|worse)",
    also=(r"compile_fx", SAME_BITS),
)
def compile_fx_returns_a_bare_tensor(patch: pytest.MonkeyPatch) -> None:
    """What compile_fx compiles returns its only output without the tuple around it."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        compiled = real(graph, inputs, **keywords)
        return lambda *given: compiled(*given)[0]

    wrap_compile_fx(patch, wrapper)


@mutation(r"donation.copies\[compile_fx", also=(r"donation.copies",))
def compile_fx_copies_no_more(patch: pytest.MonkeyPatch) -> None:
    """compile_fx no longer copies the graph that it is given: better, and to be told as well."""
    patch.setattr(inductor, "copy", _Shallow(), raising=False)
    real = copy.deepcopy
    patch.setattr(
        copy, "deepcopy", lambda value, *rest: value if _is_graph(value) else real(value, *rest)
    )


class _Shallow:
    deepcopy = staticmethod(lambda value, *_: value)
    copy = staticmethod(copy.copy)


def _is_graph(value: Any) -> bool:
    return isinstance(value, fx.GraphModule)

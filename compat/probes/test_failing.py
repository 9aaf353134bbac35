"""What a compilation that fails leaves behind."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import fx
from torch._inductor import compile_fx as inductor

from compat.interface.shapes import LARGEST, CompileRange
from compat.probes.conftest import Record, Require
from compat.probes.driving import PATHS, inside_dynamo
from compat.probes.failing import (
    NO_COMPILER,
    PLACES,
    WIDTH,
    BoomError,
    ancestry,
    backward_fails,
    changed,
    compare,
    make_model,
    places_on,
    state_of_graph,
    state_of_process,
)
from compat.probes.parity import NEEDS
from compat.probes.training import Captured, capture_lesson, once, step, told
from compat.runs.signature import signature_of, unwrapped
from compat.topics.failing.records import RIGHT, Aftermath, Failed, FailedBackward

# Of this one alone the default depth asks: a failed compile_fx leaves such a graph changed.
DEFAULT = ("compile_fx", "bare")
CASES = [
    pytest.param(path, returns, marks=() if (path, returns) == DEFAULT else pytest.mark.full)
    for path in ("compile_fx", "standalone", "donated", "aot")
    for returns in ("tuple", "bare")
]


@pytest.mark.parametrize(("path", "returns"), CASES)
def test_compilation(
    path: str, returns: str, device: str, record: Record, require: Require
) -> None:
    """After a compilation that failed, the process is as it was, and the next one is right.

    It fails in one place after the other: for want of a C++ compiler, which only a CPU needs, in
    AOTAutograd's tracing, in the inner compilation, in a lowering, in a custom pass. A graph that
    torch said it copies is as it was; what else is left of the caller's graph, and what is raised,
    is recorded.
    """
    if path in NEEDS:
        require(NEEDS[path])
    after = {place: fail(place, path, returns, device) for place in places_on(device)}
    record(Failed(places=after))
    for place, each in after.items():
        assert each.reached, f"{place}: it failed elsewhere: {each.signature}"
        assert not each.left, f"{place}: left behind: {', '.join(each.left)}"
        assert each.next == RIGHT, f"{place}: the next compilation: {each.next}"
        # The others donate it, or hand it over as it is.
        if path == "standalone":
            assert each.eager == RIGHT, f"{place}: the caller's graph, run eagerly: {each.eager}"
            assert each.copied == RIGHT, f"{place}: a copy of the caller's graph: {each.copied}"


@pytest.mark.parametrize(
    "path",
    [
        "standalone",
        *(pytest.param(each, marks=pytest.mark.full) for each in ("compile_fx", "donated", "aot")),
    ],
)
def test_backward(path: str, device: str, record: Record, require: Require) -> None:
    """After a backward graph failed to compile, no input has a gradient, and the next is right.

    When it fails is recorded: at once, or at the first step back, when nobody thinks of compilation
    any more.
    """
    if path in NEEDS:
        require(NEEDS[path])
    captured = capture_lesson("matmul", device)
    before = state_of_process()
    inputs, stage, call = captured.take(), "compile", None
    raised: Exception | None = None
    with backward_fails():
        try:
            call = compile_with(path, captured.graph, captured.inputs)
            stage = "forward"
            (output,) = call(*inputs)
            stage = "backward"
            output.sum().backward()
        except Exception as error:  # noqa: BLE001  (what is raised is an answer)
            raised = error
    after = FailedBackward(
        stage="never" if raised is None else stage,
        raised="" if raised is None else ancestry(raised),
        signature="" if raised is None else signature_of(raised),
        left=changed(before, state_of_process()),
        gradients=sum(each.grad is not None for each in inputs),
        eager=_step("matmul", captured, captured.graph),
        again="" if call is None else _step("matmul", captured, call),
        next=_next_step(path, device),
    )
    record(after)
    assert raised is not None, "nothing failed"
    assert _is_meant(raised), f"it failed elsewhere: {after.signature}"
    assert not after.gradients, f"{after.gradients} inputs got a gradient all the same"
    assert not after.left, f"left behind: {', '.join(after.left)}"
    assert after.eager == RIGHT, f"the caller's graph, run eagerly: {after.eager}"
    assert after.next == RIGHT, f"the next compilation: {after.next}"


def _step(lesson: str, captured: Captured, call: Callable[..., Any]) -> str:
    try:
        return told(step(call, captured.take(), backward=once), lesson, captured, once)
    except Exception as error:  # noqa: BLE001  (that it runs is an answer)
        return signature_of(error)


def _next_step(path: str, device: str) -> str:
    captured = capture_lesson("matmul", device)
    try:
        call = compile_with(path, captured.graph, captured.inputs)
    except Exception as error:  # noqa: BLE001  (that it compiles is an answer)
        return signature_of(error)
    return _step("matmul", captured, call)


def fail(place: str, path: str, returns: str, device: str) -> Aftermath:
    """Compile inside Dynamo's tracing context, where it fails; then again, where it does not."""
    body = partial(_fail_here, place, path, returns)
    inputs = torch.linspace(-1, 1, 3 * WIDTH, device=device).view(3, WIDTH)
    after: Aftermath = inside_dynamo(make_model(place).to(device), inputs, body, dynamic=False)
    torch._dynamo.reset()
    again = partial(_compile_again, path, returns)
    said: str = inside_dynamo(make_model(place).to(device), inputs, again, dynamic=False)
    torch._dynamo.reset()
    return Aftermath(**{**vars(after), "next": said})


def _fail_here(
    place: str, path: str, returns: str, graph: fx.GraphModule, inputs: Sequence[Any]
) -> Aftermath:
    if returns == "bare":
        return_bare(graph)
    with torch.no_grad():
        wanted = graph(*inputs)
    of_graph, of_process = state_of_graph(graph), state_of_process()
    raised: Exception | None = None
    with PLACES[place]():
        try:
            call = compile_with(path, graph, inputs)
            call(*inputs)
        except Exception as error:  # noqa: BLE001  (what is raised is an answer)
            raised = error
    return Aftermath(
        reached=raised is not None and _is_meant(raised),
        raised="" if raised is None else ancestry(raised),
        broke="" if raised is None else ancestry(unwrapped(raised)),
        signature="" if raised is None else signature_of(raised),
        changed=changed(of_graph, state_of_graph(graph)),
        left=changed(of_process, state_of_process()),
        eager=compare(graph, inputs, wanted),
        copied=compare(copy.deepcopy(graph), inputs, wanted),
        next="",
    )


def _is_meant(error: Exception) -> bool:
    """Whether it is of our making: of what was raised, or of what an exception tells of that."""
    told = f"{error!r} {unwrapped(error)!r} {error.__cause__!r} {error}"
    return BoomError.__name__ in told or NO_COMPILER in told


def _compile_again(path: str, returns: str, graph: fx.GraphModule, inputs: Sequence[Any]) -> str:
    if returns == "bare":
        return_bare(graph)
    with torch.no_grad():
        wanted = copy.deepcopy(graph)(*inputs)
    try:
        call = compile_with(path, graph, inputs)
    except Exception as error:  # noqa: BLE001  (that it compiles is an answer)
        return signature_of(error)
    # Compilers return a list for a tuple, which every caller unpacks.
    return compare(
        lambda *args: type(wanted)(call(*args)) if returns == "tuple" else call(*args),
        inputs,
        wanted,
    )


def compile_with(path: str, graph: fx.GraphModule, inputs: Sequence[Any]) -> Callable[..., Any]:
    """Compile the very graph that is given: the interface's own ``compile_fx`` copies it first."""
    if path == "compile_fx":
        compiled: Callable[..., Any] = inductor.compile_fx(graph, list(inputs))
        return compiled
    compiler = PATHS[path]()
    compiler.initialize_cache(None, disable_cache=True)  # type: ignore[arg-type]
    return compiler.compile(graph, inputs, CompileRange(1, LARGEST), key="graph")[0]


def return_bare(graph: fx.GraphModule) -> None:
    """Let a graph of one output return it as it is, as pieces of a split graph do."""
    output = graph.graph.output_node()
    output.args = (output.args[0][0],)
    graph.recompile()

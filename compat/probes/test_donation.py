"""``donate_graph_module``: who passes it, what it saves and what it leaves behind."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import fx

from compat.interface.compilers import StandaloneCompiler
from compat.interface.features import FEATURES
from compat.interface.shapes import CompileRange, symbolic_inputs
from compat.probes.agreement import STRUCTURE, Reference, judge
from compat.probes.calls import Call, digest
from compat.probes.conftest import Record, Require
from compat.probes.driving import (
    PATHS,
    SINGLE_SIZE,
    call_with,
    capture,
    counted_copies,
    drive,
    initialized,
    inside_dynamo,
    make_batches,
    run_eagerly,
    spied_arguments,
)
from compat.probes.models import make_input, make_model
from compat.runs.signature import signature_of
from compat.topics.donation.records import Afterwards, Copies, Donor, Flag, Outputs, Reuse


@pytest.mark.parametrize("batch", ["static", "dynamic"])
def test_flag(batch: str, device: str, record: Record, tmp_path: Path) -> None:
    """The interface passes donate_graph_module=True exactly where the gate is open."""
    model = make_model("mlp", torch.float32, device)
    with spied_arguments() as calls:
        drive(
            model,
            initialized(StandaloneCompiler(), tmp_path),
            make_batches(batch, torch.float32, device),
        )
    gate = FEATURES["donate_graph_module"].gate_open()
    passed = [call.get("donate_graph_module", False) for call in calls]
    record(Flag(gate=gate, passed=sum(passed), calls=len(calls)))
    assert passed, "standalone_compile was not called"
    assert all(flag is gate for flag in passed), f"passed {passed} while the gate is {gate}"


@pytest.mark.parametrize("path", ["standalone", "donated", "compile_fx"])
def test_copies(path: str, device: str, record: Record, require: Require, tmp_path: Path) -> None:
    """How often a path deep-copies the graph it is given; donated, not once (pytorch#179910)."""
    if path == "donated":
        require("donate_graph_module")
    model = make_model("mlp", torch.float32, device)
    with counted_copies() as copied:
        driven = drive(
            model,
            initialized(PATHS[path](), tmp_path),
            make_batches("static", torch.float32, device),
        )
    pieces = [piece.graph for piece in driven.backend.pieces]
    copies = sum(any(graph is piece for piece in pieces) for graph in copied)
    record(Copies(copies=copies))
    assert path != "donated" or copies == 0, f"the donated graph was copied {copies} times"


def test_outputs(device: str, record: Record, require: Require, tmp_path: Path) -> None:
    """Donating the graph changes no bit of the outputs; on a GPU, nothing beyond the tolerance.

    There each compilation tunes its kernels anew, and another choice rounds otherwise.
    """
    require("donate_graph_module")
    model = make_model("block", torch.float32, device)
    batches = make_batches("static", torch.float32, device)
    kept, donated = (
        drive(model, initialized(PATHS[path](), tmp_path / path), batches).calls
        for path in ("standalone", "donated")
    )
    seen = judge(donated, run_eagerly(model, batches))
    bitwise, tuned = digest(kept) == digest(donated), device == "cuda"
    record(Outputs(max_abs=seen.max_abs, bitwise=bitwise, tuned=tuned))
    assert seen.agrees, f"donated, the outputs are {seen}"
    assert bitwise or tuned, f"donation moves the outputs: they are {seen}"


@pytest.mark.parametrize("path", ["standalone", "donated", "compile_fx"])
def test_donor(path: str, device: str, record: Record, require: Require, tmp_path: Path) -> None:
    """What a compilation does to the graph it was given; not donated, nothing at all."""
    if path == "donated":
        require("donate_graph_module")
    graph = capture(
        make_model("mlp", torch.float32, device),
        make_input(SINGLE_SIZE, torch.float32, device),
        dynamic=False,
    )
    nodes, code = len(graph.graph.nodes), graph.code
    initialized(PATHS[path](), tmp_path).compile(
        graph, symbolic_inputs(graph), CompileRange(1, SINGLE_SIZE), key="piece"
    )
    record(
        Donor(
            nodes_before=nodes,
            nodes_after=len(graph.graph.nodes),
            code_changed=graph.code != code,
        )
    )
    assert path == "donated" or graph.code == code, "a graph that was not donated was rewritten"


def test_reuse(device: str, record: Record, require: Require, tmp_path: Path) -> None:
    """A donated graph can be compiled again: vLLM donates one graph once for each batch size."""
    require("donate_graph_module")
    model = make_model("block", torch.float32, device)
    batches = make_batches("dynamic", torch.float32, device)
    driven = drive(model, initialized(PATHS["donated"](), tmp_path), batches)
    seen = judge(driven.calls, run_eagerly(model, batches))
    compilations = {len(piece.compiled) for piece in driven.backend.pieces}
    record(Reuse(max_abs=seen.max_abs, compilations=max(compilations)))
    assert compilations == {2}, f"{compilations} compilations a piece instead of 2"
    assert seen.agrees, f"the second compilation is {seen}"


def compiled_again(path: str) -> Callable[[fx.GraphModule, Path], Callable[..., Any]]:
    def compile_it(graph: fx.GraphModule, cache_dir: Path) -> Callable[..., Any]:
        compiler = initialized(PATHS[path](), cache_dir)
        compiled, _ = compiler.compile(
            graph, symbolic_inputs(graph), CompileRange(1, SINGLE_SIZE), key="again"
        )
        return compiled

    return compile_it


# What a downstream may want to do with a graph after it was compiled; each gives a callable.
USES: Mapping[str, Callable[[fx.GraphModule, Path], Callable[..., Any]]] = {
    "call": lambda graph, _: graph,
    "compile": compiled_again("standalone"),
    "donate": compiled_again("donated"),
    "deepcopy": lambda graph, _: copy.deepcopy(graph),
    # What this process wrote itself may be unpickled.
    "pickle": lambda graph, _: pickle.loads(pickle.dumps(graph)),  # noqa: S301
}


def make_output_bare(graph: fx.GraphModule) -> None:
    """Let a graph return its only output as it is, as the pieces of older builds do."""
    (node,) = graph.graph.find_nodes(op="output")
    node.args = (node.args[0][0],)
    graph.recompile()


@dataclass(frozen=True, kw_only=True)
class Used:
    """What came of using a graph: the signature of what it raised, or what it returned."""

    failure: str = ""
    returned: str = ""
    right: bool = False
    max_abs: float | None = field(default=None, compare=False)


def use_it(use: Callable[[], Call], expected: Reference) -> Used:
    """Call it, and compare its numbers with the ``expected`` ones; what they come in is told."""
    try:
        call = use()
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
        return Used(failure=signature_of(error))
    seen = judge([call], expected, left_out=(STRUCTURE,))
    return Used(returned=call.structure, right=seen.agrees, max_abs=seen.max_abs)


@pytest.mark.full
@pytest.mark.parametrize("flag", ["standalone", "donated"])
@pytest.mark.parametrize("output", ["tuple", "bare"])
@pytest.mark.parametrize("use", USES)
def test_afterwards(
    use: str, output: str, flag: str, device: str, record: Record, require: Require, tmp_path: Path
) -> None:
    """May a graph still be used in this way after it was compiled, kept or donated?

    A graph that was not donated may be used as before. One that was donated may refuse, or return
    its output in another structure, a list where a tensor was: that is recorded as a plain verdict.
    But what it then computes is right.
    """
    if "donated" in (flag, {"donate": "donated"}.get(use)):
        require("donate_graph_module")
    model = make_model("mlp", torch.float32, device)
    batch = make_input(SINGLE_SIZE, torch.float32, device)

    def used(*, after: Path | None) -> Used:
        """A graph of its own, as it is, or after it was compiled in a folder."""
        graph, real = inside_dynamo(
            model, batch, lambda graph, examples: (graph, list(examples)), dynamic=False
        )
        if output == "bare":
            make_output_bare(graph)
        # Of the graph as it was: what it returned, it returns.
        expected = run_eagerly(graph, [tuple(real)])
        if after is not None:
            initialized(PATHS[flag](), after).compile(
                graph, symbolic_inputs(graph), CompileRange(1, SINGLE_SIZE), key="first"
            )
        torch._dynamo.reset()
        again = tmp_path / ("before" if after is None else "after")
        return use_it(lambda: call_with(USES[use](graph, again), graph, tuple(real)), expected)

    before, after = used(after=None), used(after=tmp_path / "first")
    record(
        Afterwards(
            works_before=before.right,
            works=after.right and (bool(before.failure) or after.returned == before.returned),
            failure=after.failure,
            max_abs=after.max_abs,
            returned_before=before.returned,
            returned=after.returned,
        )
    )
    assert flag == "donated" or after == before, (
        f"a graph that was kept is no longer fit for it: it was {before} and is {after}"
    )
    assert after.right or after.failure, f"a donated graph is wrong: {after}"

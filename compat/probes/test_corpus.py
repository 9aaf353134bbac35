"""Are small graphs that once went wrong right now."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from compat.probes.agreement import judge
from compat.probes.conftest import Record, Require
from compat.probes.corpus import (
    Backend,
    compiled_with,
    differences,
    judge_draws,
    run,
    run_eagerly,
)
from compat.probes.driving import PATHS
from compat.probes.graphs import FIRST, GRAPHS, QUICK
from compat.probes.parity import NEEDS
from compat.runs.signature import signature_of
from compat.topics.corpus.records import GraphRun

# What one path compiles wrong all do, as a rule: of the first graphs the others are asked as well.
MORE_PATHS = ("compile_fx", "donated", "aot")

CASES = [
    *(
        pytest.param(graph, "standalone", marks=() if graph in QUICK else pytest.mark.full)
        for graph in GRAPHS
    ),
    *(
        pytest.param(graph, path, marks=pytest.mark.full)
        for graph in GRAPHS
        if graph in FIRST
        for path in MORE_PATHS
    ),
]


@pytest.mark.parametrize(("graph", "path"), CASES)
def test_right(
    graph: str,
    path: str,
    device: str,
    record: Record,
    require: Require,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """A graph from a public report of a wrong number, a failed compilation or a crash is right now.

    Integers and booleans are eager's; the error of floating point numbers against float64 is a
    small multiple of eager's at most; dtypes, strides, aliases and what becomes of the inputs are
    eager's. Random numbers come again under their seed and are distributed as eager's are.
    """
    if path in NEEDS:
        require(NEEDS[path])
    asked = GRAPHS[graph]
    if lacking := asked.lacks():
        request.node.unsupported = f"this build has no {lacking}"
        pytest.skip(request.node.unsupported)
    try:
        reference = run_eagerly(asked, device)
    except Exception as error:
        # A CPU has every operator that a graph without needs calls.
        if not asked.needs and device == "cpu":
            raise
        request.node.unsupported = f"without a compiler, this build refuses: {signature_of(error)}"
        pytest.skip(request.node.unsupported)
    compiler = PATHS[path]()
    compiler.initialize_cache(tmp_path, disable_cache=True)
    backend = Backend(compiler)
    call = compiled_with(asked, backend)
    started = perf_counter()
    try:
        calls = run(asked, call, device)
        seconds = perf_counter() - started
        draws = judge_draws(asked, call, calls, reference.eager) if asked.draws else ()
    except Exception as error:
        record(
            GraphRun(
                link=asked.link,
                compiles=bool(backend.compiled),
                failure=signature_of(error),
                share=None,
                max_abs=None,
                contract=(),
                draws=(),
                seconds=round(perf_counter() - started, 3),
            )
        )
        raise
    seen = judge(calls, reference)
    contract = differences(calls, reference.eager) if asked.draws else seen.contract
    share = 0.0 if asked.draws else max(seen.ratio, seen.bias_ratio, seen.element_ratio)
    record(
        GraphRun(
            link=asked.link,
            compiles=True,
            failure="",
            share=share,
            max_abs=0.0 if asked.draws else seen.max_abs,
            contract=contract,
            draws=draws,
            seconds=round(seconds, 3),
        )
    )
    assert backend.compiled, "nothing was compiled"
    if asked.draws:
        wrong = [
            *(f"numbers {each}" for each in draws),
            *(f"{each} not as eager" for each in contract),
        ]
        assert not wrong, f"it draws {', '.join(wrong)}: {asked.link}"
    else:
        assert seen.agrees, f"outputs are {seen}: {asked.link}"

"""Cells of the corpus, made by hand."""

from __future__ import annotations

from typing import Any

from compat.runs.model import Cell, Outcome
from compat.topics.corpus.records import GraphRun
from tests.topics.cells import make_cell

LINK = "https://github.com/pytorch/pytorch/issues/1"


def make_run(**changes: Any) -> GraphRun:
    values: dict[str, Any] = {
        "link": LINK,
        "compiles": True,
        "failure": "",
        "share": 0.2,
        "max_abs": 1e-7,
        "contract": (),
        "draws": (),
        "seconds": 1.5,
    }
    return GraphRun(**{**values, **changes})


def failed_run(*, compiles: bool = False) -> GraphRun:
    return make_run(compiles=compiles, failure="CppCompileError: no", share=None, max_abs=None)


def graph_cell(
    build: str,
    graph: str = "rows",
    outcome: Outcome = Outcome.PASS,
    *,
    path: str = "standalone",
    record: GraphRun | None = None,
    **changes: Any,
) -> Cell:
    """Its record is ``record`` if there is one, or else what comes of ``changes``."""
    ended = outcome in {Outcome.PASS, Outcome.FAIL, Outcome.ERROR}
    return make_cell(
        build,
        (record or make_run(**changes)) if ended else None,
        outcome,
        probe="corpus.right",
        params={"graph": graph, "path": path},
    )

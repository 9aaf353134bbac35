"""A vLLM that pins 2.11.0 and breaks there, and on 2.13.0, for which it was not made."""

from __future__ import annotations

from typing import Any

from compat.adapters.protocol import Verdict
from compat.runs.ids import BuildId
from compat.runs.model import Cell, Outcome, Pair, Subject
from compat.topics.matrix import Matrix
from compat.topics.subjects.records import Compiled
from tests.topics.cells import make_cell, make_matrix

VLLM = Subject(id="vllm-0.20.2", requested="vllm==0.20.2", requires="==2.11.0")
OLD, NEW = BuildId("2.11.0-cpu"), BuildId("2.13.0-cpu")
PAIRS = (
    Pair(subject=VLLM.id, build=OLD, supported=True),
    Pair(subject=VLLM.id, build=NEW, supported=False),
)
LACKS = "vllm.AlwaysHitShapeEnv.var_to_hint_override"


def params(path: str) -> dict[str, str]:
    return {"path": path, "model": "mlp", "shape": "range", "place": "inside"}


def compiled(**changes: Any) -> Compiled:
    values: dict[str, Any] = {
        "agrees": True,
        "contract": (),
        "compilations": 1,
        "copies": 1,
        "passed": {"standalone_compile": ("dynamic_shapes=from_graph",)},
        "gates": {"donate_graph_module": Verdict.MISSED},
        "patched": (),
        "missing": (),
    }
    return Compiled(**{**values, **changes})


def works(build: str, verdict: Verdict = Verdict.MISSED) -> Cell:
    record = compiled(gates={"donate_graph_module": verdict})
    return make_cell(build, record, params=params("standalone"), subject=VLLM.id)


def broke(build: str, outcome: Outcome) -> Cell:
    return make_cell(
        build,
        compiled(agrees=None, compilations=0, gates={}, missing=(LACKS,)),
        outcome,
        params=params("legacy"),
        subject=VLLM.id,
        reason="it has no var_to_hint_override",
        signature="AttributeError: var_to_hint_override @ torch.x:y",
    )


def matrix(*cells: Cell) -> Matrix:
    return make_matrix(*cells, subjects=(VLLM,), pairs=PAIRS)

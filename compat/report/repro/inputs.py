"""Files of what compile_fx is given within Dynamo's tracing context, hidden or not."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from compat.errors import UsageError
from compat.report.repro.maker import Maker, fields_of, prose, rendered
from compat.report.repro.source import module_of, names, taken
from compat.runs.model import Build, Cell

_PROBE = "compat.probes.test_context_inputs"
_STRATEGIES = "compat.interface.tracing_context"
_NOT_HIDDEN = "none"


def _shows(cell: Cell) -> bool:
    """That inputs are refused fails no cell. Where nothing is hidden, it is what it answers."""
    refused = cell.params["way"] == _NOT_HIDDEN and bool(fields_of(cell).get("failure"))
    there = module_of(_PROBE).entry_of("INPUTS", cell.params["inputs"])
    return (cell.outcome.bad or refused) and there is not None


def _write(cell: Cell, build: Build) -> str:
    way = cell.params["way"]
    function = module_of(_PROBE).entry_of("INPUTS", cell.params["inputs"])
    if not isinstance(function, ast.Name):
        raise UsageError(f"{cell.params['inputs']}: expected inputs of this project as it is now")
    where, run = ("compat.probes.driving", "unhidden")
    if way != _NOT_HIDDEN:
        where, run = _STRATEGIES, _strategy(way)
    wanted = [
        *names("compat.probes.driving", "SINGLE_SIZE"),
        *names("compat.probes.models", "WIDTH", "Mlp"),
        *names(_PROBE, "real_inputs", function.id),
        *names(where, run),
    ]
    return rendered(
        "inputs",
        cell,
        build,
        says=prose(cell, cell.reason or str(fields_of(cell).get("failure", ""))),
        inputs=cell.params["inputs"],
        way=way,
        dynamic=cell.params["batch"] == "dynamic",
        function=function.id,
        run=run,
        parts=taken(*wanted, imports=("import copy", "import sys", "import torch")),
    )


MAKER = Maker(shows=_shows, write=_write)


def _strategy(way: str) -> str:
    """The function of a strategy by its name."""
    for name, function in _strategies():
        if name == way:
            return function
    raise UsageError(f"{way}: expected a way of this project as it is now")


def _strategies() -> Iterator[tuple[str, str]]:
    for node in ast.walk(module_of(_STRATEGIES).tree):
        match node:
            case ast.Call(
                keywords=[
                    ast.keyword(arg="name", value=ast.Constant(value=str(name))),
                    ast.keyword(arg="run", value=ast.Name(id=function)),
                ]
            ):
                yield name, function

"""Files of what compile_fx is given within Dynamo's tracing context, hidden or not."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import cache

from compat.report.repro.maker import BATCHES, Maker, fields_of, prose, rendered
from compat.report.repro.source import module_of, names, taken
from compat.runs.model import Build, Cell

_PROBE = "compat.probes.test_context_inputs"
_STRATEGIES = "compat.interface.tracing_context"
_NOT_HIDDEN = "none"


def _shows(cell: Cell) -> bool:
    """That inputs are refused fails no cell. Where nothing is hidden, it is what it answers."""
    refused = cell.params["way"] == _NOT_HIDDEN and bool(fields_of(cell).get("failure"))
    return cell.outcome.bad or refused


@cache
def _parameters() -> Mapping[str, Collection[str]]:
    return {
        "inputs": _functions(),
        "batch": BATCHES,
        "way": {_NOT_HIDDEN, *_strategies()},
    }


def _functions() -> Mapping[str, str]:
    """What makes each kind of inputs."""
    return module_of(_PROBE).names_of("INPUTS")


def _write(cell: Cell, build: Build) -> str:
    way = cell.params["way"]
    function = _functions()[cell.params["inputs"]]
    where, run = ("compat.probes.driving", "unhidden")
    if way != _NOT_HIDDEN:
        where, run = _STRATEGIES, _strategies()[way]
    wanted = [
        *names("compat.probes.driving", "SINGLE_SIZE"),
        *names("compat.probes.models", "WIDTH", "Mlp"),
        *names(_PROBE, "real_inputs", function),
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
        function=function,
        run=run,
        parts=taken(*wanted, imports=("import copy", "import sys", "import torch")),
    )


MAKER = Maker(parameters=_parameters, shows=_shows, write=_write)


def _strategies() -> Mapping[str, str]:
    """The function of each way to hide the context."""
    found = {}
    for node in ast.walk(module_of(_STRATEGIES).tree):
        match node:
            case ast.Call(
                keywords=[
                    ast.keyword(arg="name", value=ast.Constant(value=str(name))),
                    ast.keyword(arg="run", value=ast.Name(id=function)),
                ]
            ):
                found[name] = function
    return found

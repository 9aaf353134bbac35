"""Files of what compile_fx is given within Dynamo's tracing context, hidden or not."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import cache

from compat.report.repro.maker import BATCHES, Maker, fields_of, prose, rendered
from compat.report.repro.source import module_of, names, taken
from compat.runs.model import Build, Cell

_PROBE = "compat.probes.test_context_inputs"
_MODELS = "compat.probes.models"
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
    dynamic = cell.params["batch"] == "dynamic"
    return _file(cell, build, model="mlp", dtype="float32", way=cell.params["way"], dynamic=dynamic)


def _models() -> Mapping[str, str]:
    """The class of each model; what needs more than torch is none of them."""
    return module_of(_MODELS).names_of("MODELS")


@cache
def _parameters_of_models() -> Mapping[str, Collection[str]]:
    return {
        "model": _models(),
        "dtype": module_of("compat.probes.driving").entries_of("DTYPES"),
        "batch": {"dynamic"},
        "inputs": _functions(),
    }


def _model_shows(cell: Cell) -> bool:
    """That inputs are refused fails no cell: it is what it answers where nothing is hidden."""
    return bool(fields_of(cell).get("unhidden") or fields_of(cell).get("hidden"))


def _write_model(cell: Cell, build: Build) -> str:
    model, dtype = cell.params["model"], cell.params["dtype"]
    way = _NOT_HIDDEN if fields_of(cell).get("unhidden") else next(iter(_strategies()))
    return _file(cell, build, model=model, dtype=dtype, way=way, dynamic=True)


def _file(cell: Cell, build: Build, *, model: str, dtype: str, way: str, dynamic: bool) -> str:
    function = _functions()[cell.params["inputs"]]
    kind = _models()[model]
    where, run = ("compat.probes.driving", "unhidden")
    if way != _NOT_HIDDEN:
        where, run = _STRATEGIES, _strategies()[way]
    wanted = [
        *names("compat.probes.driving", "SINGLE_SIZE"),
        *names(_MODELS, "WIDTH", kind),
        *names(_PROBE, "real_inputs", "_copied", function),
        *names(where, run),
    ]
    says = fields_of(cell)
    return rendered(
        "inputs",
        cell,
        build,
        says=prose(
            cell,
            cell.reason
            or str(says.get("failure") or says.get("unhidden") or says.get("hidden") or ""),
        ),
        inputs=cell.params["inputs"],
        way=way,
        dynamic=dynamic,
        kind=kind,
        dtype=dtype,
        function=function,
        run=run,
        parts=taken(*wanted, imports=("import copy", "import sys", "import torch")),
    )


MAKER = Maker(parameters=_parameters, shows=_shows, write=_write)
OF_MODELS = Maker(parameters=_parameters_of_models, shows=_model_shows, write=_write_model)


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

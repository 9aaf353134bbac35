"""Files of parity: a model, its inputs, and a path that compiles it as one piece."""

from __future__ import annotations

import ast

from compat.errors import UsageError
from compat.report.repro.maker import Maker, prose, rendered
from compat.report.repro.source import module_of, names, taken
from compat.runs.model import Build, Cell

_MODELS = "compat.probes.models"
_IMPORTS = ("import copy", "import sys", "import torch")
# It is cut at its attention, and compiled in pieces.
_IN_PIECES = "block"
_KEPT = ("standalone", "donated", "aot")


def _shows(cell: Cell) -> bool:
    model = cell.params["model"]
    there = module_of(_MODELS).entry_of("MODELS", model)
    return cell.outcome.bad and model != _IN_PIECES and there is not None


def _write(cell: Cell, build: Build) -> str:
    model, path = cell.params["model"], cell.params["path"]
    models = module_of(_MODELS)
    kind = models.entry_of("MODELS", model)
    if not isinstance(kind, ast.Name):
        raise UsageError(f"{model}: expected a model of this project as it is now")
    dynamic, kept = cell.params["batch"] == "dynamic", path in _KEPT
    sizes = ("RANGE_SIZE", "SINGLE_SIZE") if dynamic else ("RANGE_SIZE",)
    wanted = [
        *names("compat.probes.driving", *sizes),
        *names(_MODELS, "TOKENS" if model == "embedding" else "WIDTH", kind.id),
        *names("compat.interface.shapes", "symbolic_inputs"),
    ]
    if dynamic:
        wanted += names("compat.interface.shapes", "concrete_inputs")
        wanted += names("compat.interface.backend", "_find_batch")
    if dynamic and kept:
        wanted += names("compat.interface.compilers", "_fake_mode_of", "_standalone_compile_reuses")
    return rendered(
        "parity",
        cell,
        build,
        says=prose(cell, cell.reason),
        model=model,
        dtype=cell.params["dtype"],
        path=path,
        kind=kind.id,
        dynamic=dynamic,
        kept=kept,
        sizes=f"[{', '.join(sizes)}]",
        parts=taken(*wanted, imports=(*_IMPORTS, *(("import tempfile",) if kept else ()))),
    )


MAKER = Maker(shows=_shows, write=_write)

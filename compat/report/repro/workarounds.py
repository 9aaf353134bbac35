"""Files of what a downstream's workaround guards against, tried without it."""

from __future__ import annotations

import ast

from compat.errors import UsageError
from compat.report.repro.maker import Maker, fields_of, prose, rendered
from compat.report.repro.source import Module, modules_in, taken
from compat.runs.model import Build, Cell
from compat.topics.workarounds.table import WORKAROUNDS

_TRIALS = "compat.probes.workarounds"
_IMPORTS = (
    "import sys",
    "import tempfile",
    "from pathlib import Path",
    "import torch",
)


def _shows(cell: Cell) -> bool:
    """That a build needs a workaround fails no cell: it is what the cell answers."""
    return bool(fields_of(cell).get("without")) and _trial(cell.params["name"]) is not None


def _write(cell: Cell, build: Build) -> str:
    name = cell.params["name"]
    found = _trial(name)
    if found is None:
        raise UsageError(f"{name}: expected a workaround as it is now")
    module, without = found
    return rendered(
        "workarounds",
        cell,
        build,
        says=prose(cell, str(fields_of(cell)["without"])),
        name=name,
        guards=WORKAROUNDS[name].guards,
        upstream=WORKAROUNDS[name].upstream,
        without=module.lines_of(without),
        parts=taken((module, without), imports=_IMPORTS, given=frozenset({"captured"})),
    )


MAKER = Maker(shows=_shows, write=_write)


def _trial(name: str) -> tuple[Module, ast.expr] | None:
    """What goes wrong without a workaround, and the module that it stands in."""
    for module in modules_in(_TRIALS):
        match module.entry_of("TRIALS", name):
            case ast.Call(keywords=[ast.keyword(arg="without", value=without), *_]):
                return module, without
    return None

"""Files of what a downstream's workaround guards against, tried without it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import cache

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
    return bool(fields_of(cell).get("without"))


@cache
def _parameters() -> Mapping[str, Collection[str]]:
    return {"name": _trials().keys() & WORKAROUNDS.keys()}


def _write(cell: Cell, build: Build) -> str:
    name = cell.params["name"]
    module, without = _trials()[name]
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


MAKER = Maker(parameters=_parameters, shows=_shows, write=_write)


def _trials() -> Mapping[str, tuple[Module, ast.expr]]:
    """What goes wrong without each workaround, and the module that it stands in."""
    found = {}
    for module in modules_in(_TRIALS):
        for name, trial in module.entries_of("TRIALS").items():
            match trial:
                case ast.Call(keywords=[ast.keyword(arg="without", value=without), *_]):
                    found[name] = (module, without)
    return found

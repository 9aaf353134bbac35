"""Files of how much device memory it takes to compile from fakes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

from compat.report.repro.maker import PATHS, Maker, ended_badly, prose, rendered
from compat.report.repro.source import names, taken
from compat.runs.model import Build, Cell

_PROBE = "compat.probes.test_cuda"
_SINGLE = "single"
_IMPORTS = ("import copy", "import os", "import sys", "import tempfile", "import torch")


@cache
def _parameters() -> Mapping[str, Collection[str]]:
    return {"sizes": {_SINGLE, "range"}, "path": PATHS}


def _write(cell: Cell, build: Build) -> str:
    single, path = cell.params["sizes"] == _SINGLE, cell.params["path"]
    # Only standalone_compile would make another mode than that of the inputs.
    shared_mode = single and path != "compile_fx"
    wanted = [
        *names(_PROBE, "ROWS", "measured_growth"),
        *names("compat.probes.models", "WIDTH", "Mlp"),
        *names("compat.interface.shapes", "concrete_inputs" if single else "symbolic_inputs"),
    ]
    if shared_mode:
        wanted += names("compat.interface.compilers", "_fake_mode_of", "_standalone_compile_reuses")
    return rendered(
        "fakes",
        cell,
        build,
        says=prose(cell, cell.reason),
        path=path,
        single=single,
        shared_mode=shared_mode,
        parts=taken(*wanted, imports=_IMPORTS),
    )


MAKER = Maker(parameters=_parameters, shows=ended_badly, write=_write)

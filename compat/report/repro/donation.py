"""Files of how a graph can be used after it was compiled, kept or donated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

from compat.report.repro.maker import Maker, prose, record_of, rendered
from compat.report.repro.source import names, taken
from compat.runs.model import Build, Cell
from compat.topics.donation.records import Afterwards

_IMPORTS = ("import copy", "import pickle", "import sys", "import torch")
_BARE = "bare"
# What the template knows to write.
_USES = ("call", "compile", "donate", "deepcopy", "pickle")
_OUTPUTS = ("tuple", _BARE)
_FLAGS = ("standalone", "donated")


def _shows(cell: Cell) -> bool:
    """That a donated graph is fit for less fails no cell: it is what the cell answers."""
    found = record_of(cell, Afterwards)
    return found is not None and found.works_before and not found.works


@cache
def _parameters() -> Mapping[str, Collection[str]]:
    return {"use": _USES, "output": _OUTPUTS, "flag": _FLAGS}


def _write(cell: Cell, build: Build) -> str:
    found = record_of(cell, Afterwards)
    wanted = [
        *names("compat.probes.driving", "SINGLE_SIZE"),
        *names("compat.probes.models", "WIDTH", "Mlp"),
        *names("compat.interface.shapes", "symbolic_inputs"),
    ]
    if cell.params["output"] == _BARE:
        wanted += names("compat.probes.test_donation", "make_output_bare")
    said = cell.reason
    if found is not None and not said:
        said = found.failure or f"{found.returned or 'other numbers'}, not {found.returned_before}"
    return rendered(
        "donation",
        cell,
        build,
        says=prose(cell, said),
        use=cell.params["use"],
        bare=cell.params["output"] == _BARE,
        donated=cell.params["flag"] == "donated",
        parts=taken(*wanted, imports=_IMPORTS),
    )


MAKER = Maker(parameters=_parameters, shows=_shows, write=_write)

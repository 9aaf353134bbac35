"""Small trees made by hand, and a matrix to judge them by."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from packaging.specifiers import SpecifierSet

from compat.audit.judge import Audit, judge
from compat.audit.known import Known
from compat.audit.model import Tree
from compat.audit.source import Sources
from compat.audit.tree import read_tree
from compat.runs.model import Cell, Outcome
from compat.topics.gates.records import Capability
from compat.topics.stand_in.records import Needs, Reads
from compat.topics.surface.records import Name
from tests.topics.cells import make_cell, make_matrix

MEMBERS = {"evaluate_guards_expression", "get_pruned_guards", "var_to_hint_override"}
OLD, MIDDLE, NEW = "2.10.0-cpu", "2.11.0-cpu", "2.13.0-cpu"


def tree_of(folder: Path, files: dict[str, str] | str) -> Tree:
    """What is found in files with these texts; a text alone is one of them."""
    for name, text in ({"a.py": files} if isinstance(files, str) else files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return read_tree(Sources.at(folder), MEMBERS)


def capability(build: str, feature: str, there: bool) -> Cell:
    record = Capability(gate=there, capability=there, floor=None, source="")
    return make_cell(build, record, params={"feature": feature})


def name(build: str, path: str, signature: str | None = "function(a, *, b=…)") -> Cell:
    """A watched name; without a signature the build lacks it."""
    record = Name(there=signature is not None, signature=signature or "", refused=())
    outcome = Outcome.FAIL if signature is None else Outcome.PASS
    return make_cell(build, record, outcome, params={"name": path})


def members(build: str, *needed: str) -> list[Cell]:
    """What torch reads of a stand-in on a build, and without what it fails."""
    return [
        make_cell(build, Reads(reads=tuple(sorted(MEMBERS)), unknown=())),
        *(
            make_cell(
                build,
                Needs(needed=member in needed, failure="", read=True),
                params={"member": member},
            )
            for member in sorted(MEMBERS)
        ),
    ]


def known_of(*cells: Cell, versions: str = "") -> Known:
    return Known(make_matrix(*cells), SpecifierSet(versions))


def audit_of(folder: Path, files: dict[str, str] | str, *cells: Cell, versions: str = "") -> Audit:
    return judge("a tree", tree_of(folder, files), known_of(*cells, versions=versions))

"""Cells of private names."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.surface.records import Name
from tests.topics.cells import make_cell

LOCAL, STORAGE = "value of type _thread._local", "value of type torch._guards._TLSStorage"


def there(build: str, name: str, signature: str = LOCAL, *refused: str) -> Cell:
    record = Name(there=True, signature=signature, refused=refused)
    outcome = Outcome.FAIL if refused else Outcome.PASS
    return make_cell(build, record, outcome, params={"name": name})


def gone(build: str, name: str) -> Cell:
    record = Name(there=False, signature="", refused=())
    return make_cell(build, record, Outcome.FAIL, params={"name": name})


def unknown(build: str, name: str, outcome: Outcome = Outcome.CRASH) -> Cell:
    return make_cell(build, None, outcome, probe="surface.name", params={"name": name})

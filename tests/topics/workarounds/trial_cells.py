"""Cells of workarounds, made by hand."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.workarounds.records import Tried
from tests.topics.cells import make_cell

TROUBLE = "NeededError: it went wrong"


def needed(build: str, name: str, *, with_it: str = "") -> Cell:
    return _cell(build, name, Tried(without=TROUBLE, with_it=with_it))


def free(build: str, name: str) -> Cell:
    return _cell(build, name, Tried(without="", with_it=""))


def unknown(build: str, name: str, outcome: Outcome = Outcome.NOT_RUN) -> Cell:
    params = {"name": name}
    return make_cell(build, None, outcome, probe="workarounds.needed", params=params)


def absent(build: str, name: str) -> Cell:
    return unknown(build, name, Outcome.UNSUPPORTED)


def _cell(build: str, name: str, record: Tried) -> Cell:
    bad = record.without and record.with_it
    outcome = Outcome.FAIL if bad else Outcome.PASS
    return make_cell(build, record, outcome, params={"name": name})

"""Files of training: a computation, and a step with what a path makes of it."""

from __future__ import annotations

import ast
from typing import Any

from compat.errors import UsageError
from compat.report.repro.maker import Maker, fields_of, prose, rendered
from compat.report.repro.source import module_of, names, taken
from compat.runs.model import Build, Cell

_LESSONS = "compat.probes.training"


def _shows(cell: Cell) -> bool:
    """What is saved and loaded is no part of a file, nor are numbers that are drawn."""
    found = fields_of(cell)
    share = found.get("share")
    step = bool(found.get("failure")) or (cell.outcome.bad and (share is None or share > 1))
    lesson = _lesson(cell.params["lesson"])
    return step and lesson is not None and "replay" not in lesson


def _write(cell: Cell, build: Build) -> str:
    lesson = _lesson(cell.params["lesson"])
    if lesson is None:
        raise UsageError(f"{cell.params['lesson']}: expected a lesson as it is now")
    function = lesson["call"]
    return rendered(
        "training",
        cell,
        build,
        says=prose(cell, cell.reason or str(fields_of(cell).get("failure", ""))),
        lesson=cell.params["lesson"],
        path=cell.params["path"],
        function=function,
        arguments=lesson["arguments"],
        dynamic=lesson.get("dynamic", False),
        parts=taken(
            *names(_LESSONS, "ROWS", "make_tensors", function, "_loss"),
            imports=("import copy", "import sys", "import torch"),
        ),
    )


MAKER = Maker(shows=_shows, write=_write)


def _lesson(name: str) -> dict[str | None, Any] | None:
    """What a lesson is made with: names of functions, and plain values."""
    match module_of(_LESSONS).entry_of("LESSONS", name):
        case ast.Call(keywords=keywords):
            return {
                each.arg: each.value.id
                if isinstance(each.value, ast.Name)
                else ast.literal_eval(each.value)
                for each in keywords
            }
    return None

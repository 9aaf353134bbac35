"""Files of training: a computation, and a step with what a path makes of it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from compat.report.repro.maker import PATHS, Maker, fields_of, prose, rendered
from compat.report.repro.source import module_of, names, taken
from compat.runs.model import Build, Cell

_LESSONS = "compat.probes.training"


def _shows(cell: Cell) -> bool:
    """What is saved and loaded is no part of a file."""
    found = fields_of(cell)
    share = found.get("share")
    step_is_right = isinstance(share, int | float) and share <= 1
    return bool(found.get("failure")) or (cell.outcome.bad and not step_is_right)


@cache
def _parameters() -> Mapping[str, Collection[str]]:
    """Numbers that are drawn are none of a file's."""
    lessons = {name for name, lesson in _lessons().items() if "replay" not in lesson}
    return {"lesson": lessons, "path": PATHS}


def _write(cell: Cell, build: Build) -> str:
    lesson = _lessons()[cell.params["lesson"]]
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


MAKER = Maker(parameters=_parameters, shows=_shows, write=_write)


def _lessons() -> Mapping[str, Mapping[str | None, Any]]:
    """What each lesson is made with: names of functions, and plain values."""
    return {
        name: {each.arg: _plain(each.value) for each in lesson.keywords}
        for name, lesson in module_of(_LESSONS).entries_of("LESSONS").items()
        if isinstance(lesson, ast.Call)
    }


def _plain(value: ast.expr) -> Any:
    return value.id if isinstance(value, ast.Name) else ast.literal_eval(value)

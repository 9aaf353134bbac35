"""Given to a command that runs in a build: says, as data, of what a Python process died.

The standard library only. Whatever ``sitecustomize`` the environment itself has runs as well.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import TracebackType

_HERE = Path(__file__).resolve().parent


def _tell(error: BaseException) -> None:
    # What really broke: Dynamo wraps what a backend raises.
    while isinstance(inner := getattr(error, "inner_exception", None), BaseException):
        error = inner
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    modules = [str(frame.f_globals.get("__name__", "")) for frame in frames]
    torch = [n for n, module in enumerate(modules) if module.partition(".")[0] == "torch"]
    told = {
        "raised": type(error).__name__,
        "message": str(error),
        "frame": f"{modules[torch[-1]]}:{frames[torch[-1]].f_code.co_name}" if torch else "",
        "by_torch": bool(torch) and torch[-1] == len(frames) - 1,
    }
    with Path(os.environ["COMPAT_TOLD"]).open("a", encoding="utf-8", errors="replace") as file:
        file.write(json.dumps(told) + "\n")


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(error, KeyboardInterrupt):
        try:
            _tell(error)
        except Exception as problem:  # noqa: BLE001  (the error itself is shown all the same)
            print(f"could not be told: {problem}", file=sys.stderr)
    sys.__excepthook__(kind, error, trace)


if "COMPAT_TOLD" in os.environ:
    sys.excepthook = _hook
_others = [each for each in sys.path if Path(each).resolve() != _HERE]
_spec = PathFinder.find_spec("sitecustomize", _others)
if _spec is not None and _spec.loader is not None:
    _spec.loader.exec_module(module_from_spec(_spec))

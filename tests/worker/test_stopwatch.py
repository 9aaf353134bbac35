"""What a cell spent, as torch times it, and as builds may have it one day."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from compat.worker.stopwatch import count_from_here, spent

MODULE = "torch._dynamo.utils"


class Refuses(ModuleType):
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} is not for you")


def module_with(timers: object) -> ModuleType:
    module = ModuleType(MODULE)
    module.compilation_time_metrics = timers  # type: ignore[attr-defined]
    return module


def test_timers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = {
        "_compile.compile_inner": [3.0, 4.0],
        "OutputGraph.call_user_compiler": [5.0],
        "create_aot_dispatcher_function": [4.0],
        "compile_fx_inner": [3.0],
    }
    monkeypatch.setitem(sys.modules, MODULE, module_with(timers))
    parts = spent()
    assert (parts["dynamo"], parts["aot_autograd"], parts["inductor"]) == (2, 1, 3)
    assert parts["loading"] == parts["compiler"] == 0


@pytest.fixture
def callbacks() -> Iterator[None]:
    before = gc.callbacks[:]
    yield
    gc.callbacks[:] = before


@pytest.mark.usefixtures("callbacks")
def test_what_the_parent_compiled_is_no_part_of_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = {"compile_fx_inner": [6.0], "compile_file": [2.0]}
    monkeypatch.setitem(sys.modules, MODULE, module_with(timers))
    count_from_here()
    assert (spent()["inductor"], spent()["compiler"]) == (0, 0)
    timers["compile_fx_inner"] = [1.5]
    assert spent()["inductor"] == 1.5


@pytest.mark.usefixtures("callbacks")
@pytest.mark.parametrize(
    "module",
    [
        ModuleType(MODULE),
        Refuses(MODULE),
        module_with(None),
        module_with([1.0]),
        module_with({"compile_fx_inner": 3.0}),
        module_with({"compile_fx_inner": ["a while"]}),
        None,
    ],
)
def test_a_build_with_something_else_there_loses_no_cell(
    module: ModuleType | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, MODULE, module)
    assert not any(seconds for name, seconds in spent().items() if name != "garbage")
    # Nor its worker. Last, since it empties what can be emptied.
    before = len(gc.callbacks)
    count_from_here()
    assert len(gc.callbacks) == before + 1

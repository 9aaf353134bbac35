"""Where a probe's time goes: into capturing and compiling, and into what within that."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import perf_counter


class Stopwatch:
    """Adds up the seconds between entering and leaving; entered again inside, it counts once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._started = 0.0
        self._depth = 0

    def start(self) -> None:
        if not self._depth:
            self._started = perf_counter()
        self._depth += 1

    def stop(self) -> None:
        self._depth -= 1
        if not self._depth:
            self.seconds += perf_counter() - self._started

    @contextmanager
    def running(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self.stop()


COMPILING = Stopwatch()
_COLLECTING = Stopwatch()

# What torch times itself, by ``torch._dynamo.utils.dynamo_timed``, with what it calls in its turn.
_FRAME = "_compile.compile_inner"
_BACKEND = "OutputGraph.call_user_compiler"
_AOT = "create_aot_dispatcher_function"
_INDUCTOR = "compile_fx_inner"
_LOADING = "PyCodeCache.load_by_key_path"
_CXX = "compile_file"


def count_from_here() -> None:
    """Have :func:`spent` leave out what this process compiled so far, and its garbage.

    Called before the forks whose time is counted: each would find it on its own timers. Forgotten
    and not subtracted, since ``torch._dynamo.reset`` forgets it in a fork.
    """
    with suppress(Exception):
        sys.modules["torch._dynamo.utils"].compilation_time_metrics.clear()
    gc.callbacks.append(
        lambda phase, _: _COLLECTING.start() if phase == "start" else _COLLECTING.stop()
    )


def spent() -> dict[str, float]:
    """Seconds of this process since it was forked; see :class:`compat.runs.contents.Spent`.

    What torch spent in a process of its own is not among them, and nothing is where it has no such
    timers (``torch._dynamo.utils.compilation_time_metrics``).
    """
    timed = _timed()
    parts = {
        "dynamo": timed[_FRAME] - timed[_BACKEND],
        "aot_autograd": timed[_AOT] - timed[_INDUCTOR],
        "inductor": timed[_INDUCTOR] - timed[_LOADING],
        "loading": timed[_LOADING] - timed[_CXX],
        "compiler": timed[_CXX],
        "garbage": _COLLECTING.seconds,
    }
    return {name: round(max(0.0, seconds), 3) for name, seconds in parts.items()}


def _timed() -> Mapping[str, float]:
    """The seconds of each timer; 0 of all where a build has something else in their place."""
    names = (_FRAME, _BACKEND, _AOT, _INDUCTOR, _LOADING, _CXX)
    try:
        timers = sys.modules["torch._dynamo.utils"].compilation_time_metrics
        return {name: float(sum(timers.get(name, ()))) for name in names}
    except Exception:  # noqa: BLE001  (whatever it is, it may cost no cell)
        return dict.fromkeys(names, 0.0)

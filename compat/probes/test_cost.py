"""The work that a compilation takes, counted rather than timed.

Seconds differ from run to run, counts do not; torch's own ``benchmarks/dynamo/pr_time_benchmarks``
counts instructions for the same reason.
"""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from torch import nn
from torch._C import _instruction_counter
from torch._inductor.utils import clear_caches

from compat.interface.shapes import CompileRange, symbolic_inputs
from compat.probes.conftest import Record, Require
from compat.probes.driving import PATHS, SINGLE_SIZE, capture, initialized
from compat.probes.models import Mlp, make_input
from compat.probes.parity import NEEDS
from compat.topics.cost.records import Work

COMPILED = ("compile_fx", "standalone", "donated", "aot")
LAYERS = ("1", pytest.param("3", marks=pytest.mark.full))
# A compilation of the smaller graph calls a hundred times as many.
FEWEST_CALLS = 1000


@pytest.mark.parametrize("path", COMPILED)
@pytest.mark.parametrize("layers", LAYERS)
def test_work(
    layers: str, path: str, device: str, record: Record, require: Require, tmp_path: Path
) -> None:
    """How many Python functions a compilation calls, and how many instructions it executes.

    Of a graph of so many MLPs, in fresh caches, without Dynamo's part. One was compiled before:
    what a process imports and sets up once does not count.
    """
    if path in NEEDS:
        require(NEEDS[path])
    torch.manual_seed(0)
    model = nn.Sequential(*(Mlp() for _ in range(int(layers)))).to(device).requires_grad_(False)
    batch = make_input(SINGLE_SIZE, torch.float32, device)

    def prepared(folder: str) -> Callable[[], None]:
        """A compilation of a graph of its own, in caches of its own."""
        torch._dynamo.reset()
        clear_caches()
        graph = capture(model, batch, dynamic=False)
        compiler = initialized(PATHS[path](), tmp_path / folder)

        def compile_it() -> None:
            compiler.compile(
                graph, symbolic_inputs(graph), CompileRange(1, SINGLE_SIZE), key="piece"
            )

        return compile_it

    prepared("first")()
    calls = calls_of(prepared("calls"))
    instructions = instructions_of(prepared("instructions")) if can_count_instructions() else None
    record(Work(calls=calls, instructions=instructions))
    assert calls > FEWEST_CALLS, f"{calls} calls are too few for a compilation: the count is blind"


def calls_of(work: Callable[[], None]) -> int:
    """How many Python functions ``work`` calls in this thread; to resume a generator is a call.

    Raises:
        RuntimeError: Something took the profile hook away.
    """
    seen = itertools.count()

    def hook(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            next(seen)

    with no_garbage_collection():
        sys.setprofile(hook)
        try:
            work()
            kept = sys.getprofile() is hook
        finally:
            sys.setprofile(None)
    if not kept:
        raise RuntimeError("something took the profile hook away: its count says nothing")
    return next(seen)


def can_count_instructions() -> bool:
    """Whether this machine lets a process count its own: virtual ones often do not."""
    counter = _instruction_counter.start()
    if counter < 0:
        return False
    _instruction_counter.end(counter)
    return True


def instructions_of(work: Callable[[], None]) -> int:
    """How many instructions ``work`` executes in this thread, by torch's own counter."""
    with no_garbage_collection():
        counter = _instruction_counter.start()
        try:
            work()
        finally:
            counted: int = _instruction_counter.end(counter)
    return counted


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """When Python collects, and what it then finds and finalises, depends on what came before."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

"""Which kernels a GPU really runs, and whether the paths, or two processes, differ in them.

What Inductor generates says little: ``standalone_compile`` also generates code that tunes kernels
while it compiles, ``compile_fx`` tunes when they first run. So kernels are counted as the GPU's own
trace names them, in a call after the first ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from compat.probes.agreement import judge
from compat.probes.calls import digest
from compat.probes.conftest import FreshProcess, Record
from compat.probes.driving import (
    DTYPES,
    PATHS,
    drive,
    generated_kernels,
    initialized,
    make_batches,
    run_eagerly,
)
from compat.probes.models import make_model
from compat.topics.devices.records import KernelRuns, PathKernels

pytestmark = [pytest.mark.cuda, pytest.mark.full]

COMPARED = ("compile_fx", "standalone")
# Inductor times block sizes of its own kernels, and whether padding a product pays: what is fastest
# in one process need not be in another. In deterministic mode it times nothing.
TUNING: dict[str, dict[str, Any]] = {"off": {"deterministic": True}, "on": {}}


@dataclass(frozen=True)
class Ran:
    """What one process saw of a path.

    Attributes:
        launches: Of each kernel, in the order in which they ran: its name, grid and block.
        generated: How many kernels Inductor generated, those that it only tries included.
        bits: Equal for the same outputs only.
        verdict: What is wrong with the outputs; empty where nothing is.
    """

    launches: tuple[tuple[str, str], ...]
    generated: int
    bits: str
    verdict: str


@pytest.mark.parametrize("tuning", TUNING)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ["mlp", "block", "reduction"])
def test_launched(
    model: str,
    dtype: str,
    tuning: str,
    fresh_process: FreshProcess,
    device: str,
    record: Record,
    tmp_path: Path,
) -> None:
    """The kernels that run in one call: of each path twice, each time in a process of its own.

    What differs between two processes of one path is noise of tuning; what differs between the
    paths beyond that is theirs.
    """
    ran = {
        path: [
            fresh_process(run_traced, model, dtype, tuning, path, device, tmp_path / f"{path}-{n}")
            for n in range(2)
        ]
        for path in COMPARED
    }
    first = {path: runs[0] for path, runs in ran.items()}
    record(
        KernelRuns(
            paths={
                path: PathKernels(
                    launched=len(runs[0].launches),
                    generated=runs[0].generated,
                    same_kernels=same(runs, names),
                    same_launches=same(runs, lambda each: each.launches),
                    same_bits=same(runs, lambda each: each.bits),
                )
                for path, runs in ran.items()
            },
            same_kernels=same(first.values(), names),
            same_launches=same(first.values(), lambda each: each.launches),
            same_bits=same(first.values(), lambda each: each.bits),
        )
    )
    silent = [path for path, runs in ran.items() if not all(each.launches for each in runs)]
    assert not silent, f"no kernel is seen to run on {', '.join(silent)}: the trace is blind"
    wrong = {path: each.verdict for path, each in first.items() if each.verdict}
    assert not wrong, f"outputs are {wrong}"


def same(runs: Iterable[Ran], of: Callable[[Ran], object]) -> bool:
    """Whether all that ran agree in something."""
    return len({of(each) for each in runs}) == 1


def names(ran: Ran) -> tuple[str, ...]:
    return tuple(name for name, _ in ran.launches)


def run_traced(model: str, dtype: str, tuning: str, path: str, device: str, folder: Path) -> Ran:
    """Compile and call a model, then trace one more call."""
    module = make_model(model, DTYPES[dtype], device)
    batches = make_batches("static", DTYPES[dtype], device, model)
    folder.mkdir()
    with generated_kernels() as kernels:
        driven = drive(module, initialized(PATHS[path](), folder), batches, options=TUNING[tuning])
        with torch.no_grad():
            # The first calls tune.
            driven.call(*batches)
            launches = traced(lambda: driven.call(*batches), folder / "trace.json")
    seen = judge(driven.calls, run_eagerly(module, batches))
    return Ran(launches, len(kernels), digest(driven.calls), "" if seen.agrees else str(seen))


def traced(call: Callable[[], object], file: Path) -> tuple[tuple[str, str], ...]:
    """The kernels that a call runs on the GPU, in their order: name, and grid with block."""
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as profiler:
        call()
        torch.cuda.synchronize()
    profiler.export_chrome_trace(str(file))
    return launches_in(json.loads(file.read_text())["traceEvents"])


def launches_in(events: Sequence[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Those of a trace, as ``torch.profiler`` exports it."""
    kernels = sorted(
        (event for event in events if event.get("cat") == "kernel"), key=lambda event: event["ts"]
    )
    return tuple(
        (event["name"], f"{event['args'].get('grid')} {event['args'].get('block')}")
        for event in kernels
    )

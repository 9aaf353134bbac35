"""What was compiled and saved, loaded again in a process that compiled nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from compat.interface.compilers import (
    CompileFxCompiler,
    Compiler,
    Handle,
    StandaloneCompiler,
)
from compat.probes.agreement import TOLERANCES, difference, digest
from compat.probes.conftest import FreshProcess, Record, Require
from compat.probes.driving import drive, initialized, make_batches
from compat.probes.models import make_model

KINDS: Mapping[str, Callable[[], Compiler]] = {
    "binary": StandaloneCompiler,
    "unpacked": lambda: StandaloneCompiler(save_format="unpacked"),
    "aot": lambda: StandaloneCompiler(aot=True),
    "fx-graph-cache": CompileFxCompiler,
}


@pytest.mark.parametrize("kind", KINDS)
def test_reload(
    kind: str,
    fresh_process: FreshProcess,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """A new process loads what this one saved, compiles nothing, and computes the same numbers.

    ``fx-graph-cache`` is the compile_fx path's lookup of its own cache, through a stand-in
    ShapeEnv, from inside Dynamo's context.
    """
    if kind == "aot":
        require("aot")
    model = make_model("block", torch.float32, device)
    compiler = initialized(KINDS[kind](), tmp_path)
    driven = drive(model, compiler, make_batches("dynamic", torch.float32, device))
    lists, compilations = fresh_process(load, kind, device, tmp_path, driven.backend.handles)
    loaded = [torch.tensor(output, device=device) for output in lists]
    seen = difference(loaded, driven.outputs, TOLERANCES[torch.float32])
    record(
        max_abs=seen.max_abs,
        bitwise=digest(loaded) == digest(driven.outputs),
        handles=len(driven.backend.handles),
        compilations=compilations,
    )
    assert len(driven.backend.handles) == 4, f"saved only {sorted(driven.backend.handles)}"
    assert compilations == 0, f"the new process compiled {compilations} times"
    assert seen.within_tolerance, f"the loaded artifact's outputs are off by {seen.max_abs:.3g}"


def load(
    kind: str, device: str, cache_dir: Path, handles: Mapping[str, Handle]
) -> tuple[list[list[list[float]]], int]:
    """Run the model from ``handles`` alone; its outputs and how often it compiled."""
    compiler = initialized(KINDS[kind](), cache_dir)
    with patch.object(type(compiler), "compile", autospec=True) as compile_again:
        compile_again.side_effect = AssertionError("asked to compile what was saved")
        driven = drive(
            make_model("block", torch.float32, device),
            compiler,
            make_batches("dynamic", torch.float32, device),
            handles=handles,
        )
    return [output.tolist() for output in driven.outputs], compile_again.call_count

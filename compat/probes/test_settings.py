"""The environment variables that choose a path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from compat.interface.compilers import make_compiler
from compat.interface.settings import Settings
from compat.probes.agreement import TOLERANCES, difference
from compat.probes.conftest import FreshProcess, Record
from compat.probes.driving import drive, make_batches, spied_arguments
from compat.probes.models import make_model


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_standalone_switch(
    dtype: str, fresh_process: FreshProcess, device: str, record: Record, tmp_path: Path
) -> None:
    """COMPAT_USE_STANDALONE_COMPILE=0 and =1, in a process each, give the same outputs.

    The variable really switches the path: with 0 nothing goes through standalone_compile.
    """
    legacy, legacy_calls = fresh_process(run_with, "0", dtype, device, tmp_path / "0")
    standalone, standalone_calls = fresh_process(run_with, "1", dtype, device, tmp_path / "1")
    actual, expected = (list(map(torch.tensor, outputs)) for outputs in (legacy, standalone))
    seen = difference(actual, expected, TOLERANCES[getattr(torch, dtype)])
    record(max_abs=seen.max_abs, bitwise=legacy == standalone)
    assert legacy_calls == 0, f"the legacy path called standalone_compile {legacy_calls} times"
    assert standalone_calls > 0, "the standalone path did not call standalone_compile"
    assert seen.within_tolerance, f"the two paths are {seen.max_abs:.3g} apart"


def run_with(
    switch: str, dtype: str, device: str, cache_dir: Path
) -> tuple[list[list[list[float]]], int]:
    """The block's outputs under a setting, and how often ``standalone_compile`` was called."""
    os.environ["COMPAT_USE_STANDALONE_COMPILE"] = switch
    torch_dtype = getattr(torch, dtype)
    with spied_arguments() as calls:
        driven = drive(
            make_model("block", torch_dtype, device),
            make_compiler(Settings.from_environment(), cache_dir),
            make_batches("dynamic", torch_dtype, device),
        )
    return [output.float().tolist() for output in driven.outputs], len(calls)

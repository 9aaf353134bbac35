"""The environment variables that choose a path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from compat.interface.compilers import make_compiler
from compat.interface.settings import Settings
from compat.probes.agreement import judge
from compat.probes.calls import digest, pack, unpack
from compat.probes.conftest import FreshProcess, Record
from compat.probes.driving import drive, make_batches, run_eagerly, spied_arguments
from compat.probes.models import make_model
from compat.topics.settings.records import Switch


@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=pytest.mark.full)])
def test_standalone_switch(
    dtype: str, fresh_process: FreshProcess, device: str, record: Record, tmp_path: Path
) -> None:
    """COMPAT_USE_STANDALONE_COMPILE=0 and =1, in a process each, compute what eager computes.

    The variable really switches the path: with 0 nothing goes through standalone_compile.
    """
    model = make_model("block", getattr(torch, dtype), device)
    reference = run_eagerly(model, make_batches("dynamic", getattr(torch, dtype), device))
    packed, legacy_calls = fresh_process(run_with, "0", dtype, device, tmp_path / "0")
    legacy = unpack(packed)
    packed, standalone_calls = fresh_process(run_with, "1", dtype, device, tmp_path / "1")
    standalone = unpack(packed)
    seen = {"legacy": judge(legacy, reference), "standalone": judge(standalone, reference)}
    record(
        Switch(
            max_abs=max(each.max_abs for each in seen.values()),
            bitwise=digest(legacy) == digest(standalone),
            legacy_calls=legacy_calls,
            standalone_calls=standalone_calls,
        )
    )
    assert legacy_calls == 0, f"the legacy path called standalone_compile {legacy_calls} times"
    assert standalone_calls > 0, "the standalone path did not call standalone_compile"
    for path, judged in seen.items():
        assert judged.agrees, f"the {path} path's outputs are {judged}"


def run_with(switch: str, dtype: str, device: str, cache_dir: Path) -> tuple[bytes, int]:
    """The block's calls under a setting, packed, and how often it called ``standalone_compile``."""
    os.environ["COMPAT_USE_STANDALONE_COMPILE"] = switch
    torch_dtype = getattr(torch, dtype)
    with spied_arguments() as calls:
        driven = drive(
            make_model("block", torch_dtype, device),
            make_compiler(Settings.from_environment(), cache_dir),
            make_batches("dynamic", torch_dtype, device),
        )
    return pack(driven.calls), len(calls)

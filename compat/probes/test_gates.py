"""What each gate answers on this build, and whether the build agrees."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from compat.interface.compilers import StandaloneCompiler
from compat.interface.features import FEATURES
from compat.probes.agreement import judge
from compat.probes.conftest import Record, Require
from compat.probes.driving import drive, initialized, make_batches, run_eagerly, spied_arguments
from compat.probes.models import make_model
from compat.runs.signature import signature_of
from compat.topics.gates.records import Capability, PatchTarget, SharedFakeMode


@pytest.mark.parametrize("feature", FEATURES)
def test_capability(feature: str, record: Record) -> None:
    """Where the gate is open the build has the feature: else the interface raises TypeError."""
    asked = FEATURES[feature]
    gate, capability = asked.gate_open(), asked.capability()
    record(Capability(gate=gate, capability=capability, floor=asked.floor, source=asked.source))
    assert capability or not gate, (
        f"the gate for {feature} (floor {asked.floor}) is open and the build does not have it"
    )


@pytest.mark.parametrize("way", ["argument", "monkeypatch"])
def test_shared_fake_mode(
    way: str, device: str, record: Record, require: Require, tmp_path: Path
) -> None:
    """standalone_compile takes over the FakeTensorMode of the inputs, by argument or by patch.

    With a mode of its own it refuses a single size's concrete fakes (pytorch#176562).
    """
    if way == "argument":
        require("fake_mode")
    compiler = StandaloneCompiler(features={"fake_mode": way == "argument"})
    model = make_model("mlp", torch.float32, device)
    batches = make_batches("dynamic", torch.float32, device)
    with spied_arguments() as calls:
        driven = drive(model, initialized(compiler, tmp_path), batches)
    passed = [call for call in calls if "fake_mode" in call]
    assert bool(passed) == (way == "argument"), f"fake_mode was passed in {len(passed)} calls"
    seen = judge(driven.calls, run_eagerly(model, batches))
    record(SharedFakeMode(max_abs=seen.max_abs))
    assert seen.agrees, f"outputs are {seen}"


@pytest.mark.parametrize("way", ["string", "module"])
def test_patch_target(way: str, record: Record) -> None:
    """Does patching FakeTensorMode by its dotted name reach the module standalone_compile is in?

    On Python 3.10 the name finds the function of the same name instead (vllm#37858); the module
    object, which the interface patches, is always the right one.
    """
    module = sys.modules["torch._inductor.standalone_compile"]
    marker = object()
    target = (
        patch("torch._inductor.standalone_compile.FakeTensorMode", marker)
        if way == "string"
        else patch.object(module, "FakeTensorMode", marker)
    )
    failure = ""
    try:
        with target:
            reaches = module.FakeTensorMode is marker
    except AttributeError as error:
        reaches, failure = False, signature_of(error)
    record(PatchTarget(reaches=reaches, failure=failure))
    assert reaches or way == "string", "patching the module object does not reach it"

"""The stand-in that the compile_fx path offers where torch expects a ShapeEnv.

A piece that is compiled for one size has no ShapeEnv, so downstreams hand one of their own to
Inductor's cache. What torch reads from it grows without notice: ``var_to_hint_override`` came with
2.11 (vllm#41940), and a release candidate of 2.13 asked for more (pytorch#187728).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from compat.interface import compilers
from compat.interface.compilers import CompileFxCompiler
from compat.interface.shape_env import AlwaysHitShapeEnv
from compat.probes.agreement import judge
from compat.probes.conftest import Record
from compat.probes.driving import drive, initialized, make_batches, run_eagerly
from compat.probes.models import make_model
from compat.runs.signature import signature_of
from compat.topics.stand_in.records import Needs, Reads

MEMBERS = (
    "guards",
    "var_to_hint_override",
    "evaluate_guards_expression",
    "get_pruned_guards",
    "produce_guards_expression",
)


def recording(read: set[str], lacking: str = "") -> type[AlwaysHitShapeEnv]:
    """A stand-in without the member ``lacking`` that notes which members are asked for."""

    class Recording(AlwaysHitShapeEnv):
        def __getattribute__(self, name: str) -> Any:
            if not name.startswith("__"):
                read.add(name)
                if name == lacking:
                    raise AttributeError(f"the stand-in has no {name!r}")
            return super().__getattribute__(name)

    return Recording


def off_by_after_reload(device: str, cache_dir: Path) -> float | None:
    """The largest difference from eager, saved and loaded inside Dynamo; None within tolerance."""
    model = make_model("mlp", torch.float32, device)
    batches = make_batches("dynamic", torch.float32, device)
    expected = run_eagerly(model, batches)
    saved = drive(model, initialized(CompileFxCompiler(), cache_dir), batches)
    torch._dynamo.reset()
    loaded = drive(
        model,
        initialized(CompileFxCompiler(), cache_dir),
        batches,
        handles=saved.backend.handles,
    )
    for driven in (saved, loaded):
        seen = judge(driven.calls, expected)
        if not seen.agrees:
            return seen.max_abs
    return None


def test_reads(
    device: str, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What torch reads from the stand-in while it saves and loads: the stand-in has all of it.

    A name that is new here is an AttributeError in every downstream that ships a stand-in, in vLLM
    for one, on the night it lands.
    """
    read: set[str] = set()
    monkeypatch.setattr(compilers, "AlwaysHitShapeEnv", recording(read))
    try:
        off_by = off_by_after_reload(device, tmp_path)
    finally:
        unknown = tuple(sorted(read - set(MEMBERS)))
        record(Reads(reads=tuple(sorted(read)), unknown=unknown))
    assert read, "torch read nothing: it was not given the stand-in"
    assert not unknown, f"torch reads {', '.join(unknown)}, which the stand-in does not have"
    assert off_by is None, f"outputs are off by {off_by:.3g}"


@pytest.mark.parametrize("member", MEMBERS)
def test_needs(
    member: str, device: str, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Does saving or loading fail when the stand-in lacks one member?

    It says from which build on a stand-in that was written earlier breaks. The control is in the
    probe: with all members it works.
    """
    read: set[str] = set()
    failure = ""
    with monkeypatch.context() as patched:
        patched.setattr(compilers, "AlwaysHitShapeEnv", recording(read, lacking=member))
        try:
            off_by = off_by_after_reload(device, tmp_path / "without")
            assert off_by is None, f"outputs are off by {off_by:.3g}"
        except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
            failure = signature_of(error)
    record(Needs(needed=bool(failure), failure=failure, read=member in read))
    torch._dynamo.reset()
    off_by = off_by_after_reload(device, tmp_path / "with")
    assert off_by is None, f"with all members, outputs are off by {off_by:.3g}"

"""Does a build still need what downstreams ship because of an older one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compat.probes.conftest import Record
from compat.probes.workarounds import FIRST, TRIALS
from compat.probes.workarounds.trial import Try
from compat.runs.signature import signature_of
from compat.topics.workarounds.records import Tried
from compat.topics.workarounds.table import WORKAROUNDS

NAMES = [pytest.param(name, marks=() if name in FIRST else pytest.mark.full) for name in TRIALS]


@pytest.mark.parametrize("name", NAMES)
def test_needed(
    name: str, device: str, record: Record, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """What a downstream's workaround guards against goes wrong without it, or no longer does.

    The control is in the probe: what goes wrong without the workaround does not with it.
    """
    trial = TRIALS[name]
    if lacking := trial.lacks():
        request.node.unsupported = f"this build has no {lacking}"
        pytest.skip(request.node.unsupported)
    without = what_goes_wrong(trial.without, device, tmp_path / "without")
    with_it = what_goes_wrong(trial.with_it, device, tmp_path / "with")
    record(Tried(without=without, with_it=with_it))
    guards = WORKAROUNDS[name].guards
    assert not (without and with_it), f"{guards}: {without}; with the workaround: {with_it}"


def what_goes_wrong(function: Try, device: str, folder: Path) -> str:
    """The signature of what a function raises; empty where it raises nothing."""
    folder.mkdir()
    torch._dynamo.reset()
    try:
        function(device, folder)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
        return signature_of(error)
    return ""

"""What a downstream's patches of torch see, and whether they are reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.probes.conftest import Record
from compat.probes.downstream import spies
from compat.probes.downstream.drives import DRIVES
from compat.runs.signature import signature_of
from compat.topics.reach.records import Drive, Patches


def test_reached(
    device: str, record: Record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which of the functions that downstreams replace are called, and with which keywords.

    All are wrapped at once, where they are patched: what imported a function earlier calls the old
    one. A wrapper that takes other keywords than it is given is a TypeError.
    """
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    spies.import_all()
    drives: dict[str, Drive] = {}
    for name, drive in DRIVES.items():
        raised = ""
        with spies.spying() as told:
            try:
                drive(device)
            except Exception as error:  # noqa: BLE001  (it is recorded)
                raised = signature_of(error)
            drives[name] = Drive(raised=raised, patches=told())
    record(Patches(drives=drives))
    compiled = drives["compiled"]
    assert not compiled.raised, f"with all patches in place, nothing compiles: {compiled.raised}"
    assert any(each.saw for each in compiled.patches.values()), "no patch is reached"

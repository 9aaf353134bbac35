"""What is lost or worse where donation breaks, and what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from compat.runs.answers import Change, Said, relate
from compat.topics.donation.answers import ANSWERS
from compat.topics.donation.records import (
    RECORDS,
    Afterwards,
    Copies,
    DeviceMemory,
    Donor,
    Flag,
    Memory,
    Outputs,
    Reuse,
    Time,
)

FLAG = Flag(gate=True, passed=2, calls=2)
OUTPUTS = Outputs(max_abs=0.0, bitwise=True, tuned=False)
DONOR = Donor(nodes_before=6, nodes_after=9, code_changed=True)
REUSE = Reuse(max_abs=2e-7, compilations=2)
AFTERWARDS = Afterwards(
    works_before=True,
    works=True,
    failure="",
    max_abs=0.0,
    returned_before="Tensor",
    returned="Tensor",
)
MEMORY = Memory(kept_mb=275, donated_mb=18, buffer_mb=256)
DEVICE_MEMORY = DeviceMemory(
    buffer_mb=256, kept_mb=256, donated_mb=0, kept_reserved_mb=258, donated_reserved_mb=2
)
TIME = Time(
    copy_s=0.02, compile_s=2.1, saved_s=0.0, interval_s=(-0.1, 0.1), pairs=6, measurable=False
)


def answers_of(record: Any) -> dict[str, Said]:
    said = list(ANSWERS[type(record)](record))
    assert len({each.name for each in said}) == len(said)
    return {each.name: each for each in said}


def changes(before: Any, after: Any) -> dict[str, Change]:
    """What is not the same, by the name of the answer."""
    old, new = answers_of(before), answers_of(after)
    assert list(old) == list(new)
    related = {name: relate(new[name].scale, old[name].value, new[name].value) for name in old}
    return {name: change for name, change in related.items() if change is not Change.SAME}


def test_every_record_is_read() -> None:
    assert set(ANSWERS) == set(RECORDS.values())


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            FLAG,
            replace(FLAG, passed=1),
            {"as_gated": Change.LOST},
            id="the flag is forgotten in one call",
        ),
        pytest.param(
            FLAG,
            replace(FLAG, gate=False),
            {"as_gated": Change.LOST},
            id="the flag is passed although the gate is shut",
        ),
        pytest.param(
            FLAG,
            replace(FLAG, gate=False, passed=0),
            {"passed": Change.CHANGED},
            id="the gate is another one",
        ),
        pytest.param(
            FLAG,
            replace(FLAG, passed=0, calls=0),
            {"as_gated": Change.UNKNOWN, "passed": Change.UNKNOWN},
            id="nothing was called",
        ),
        pytest.param(
            Copies(copies=1), Copies(copies=4), {"copies": Change.WORSE}, id="four copies for one"
        ),
        pytest.param(
            Copies(copies=1), Copies(copies=0), {"copies": Change.BETTER}, id="no copy any more"
        ),
        pytest.param(
            OUTPUTS,
            replace(OUTPUTS, max_abs=1e-3, bitwise=False),
            {"bitwise": Change.LOST},
            id="donating moves the outputs",
        ),
        pytest.param(
            replace(OUTPUTS, tuned=True),
            Outputs(max_abs=1e-6, bitwise=False, tuned=True),
            {"bitwise": Change.CHANGED},
            id="another kernel was chosen",
        ),
        pytest.param(
            OUTPUTS,
            Outputs(max_abs=None, bitwise=False, tuned=False),
            {"bitwise": Change.LOST, "finite": Change.LOST},
            id="donating makes the outputs infinite",
        ),
        pytest.param(
            DONOR,
            Donor(nodes_before=6, nodes_after=6, code_changed=False),
            {"rewritten": Change.CHANGED},
            id="the donor is left alone",
        ),
        pytest.param(
            REUSE,
            replace(REUSE, compilations=1),
            {"compilations": Change.CHANGED},
            id="one compilation for both sizes",
        ),
        pytest.param(
            REUSE, replace(REUSE, max_abs=None), {"finite": Change.LOST}, id="reuse is not finite"
        ),
        pytest.param(
            AFTERWARDS,
            replace(AFTERWARDS, works=False, returned="list(Tensor)"),
            {"works": Change.LOST, "returned": Change.CHANGED},
            id="the donor returns a list where it returned a tensor",
        ),
        pytest.param(
            AFTERWARDS,
            replace(AFTERWARDS, works=False, returned="", failure="TypeError: no @ torch.fx:call"),
            {"works": Change.LOST, "returned": Change.CHANGED, "failure": Change.CHANGED},
            id="the donor raises",
        ),
        pytest.param(
            AFTERWARDS,
            replace(AFTERWARDS, works_before=False, returned_before="list(Tensor)"),
            {"works_before": Change.LOST, "returned_before": Change.CHANGED},
            id="it does not even work before",
        ),
        pytest.param(
            MEMORY,
            replace(MEMORY, donated_mb=275),
            {"peak_donated": Change.WORSE},
            id="a donated buffer is copied",
        ),
        pytest.param(
            MEMORY,
            replace(MEMORY, donated_mb=18 + 128),
            {"peak_donated": Change.WORSE},
            id="half of a donated buffer is copied",
        ),
        pytest.param(
            MEMORY,
            replace(MEMORY, kept_mb=275 + 256),
            {"peak_kept": Change.WORSE},
            id="a kept buffer is copied twice",
        ),
        pytest.param(
            MEMORY,
            Memory(kept_mb=289, donated_mb=32, buffer_mb=256),
            {},
            id="2.13.0 and 2.15.0 as they were measured",
        ),
        pytest.param(
            DEVICE_MEMORY,
            replace(DEVICE_MEMORY, donated_mb=256, donated_reserved_mb=258),
            {"peak_donated": Change.WORSE, "reserved_donated": Change.WORSE},
            id="a donated buffer is copied on the GPU",
        ),
        pytest.param(
            DEVICE_MEMORY,
            replace(DEVICE_MEMORY, kept_mb=512, kept_reserved_mb=514),
            {"peak_kept": Change.WORSE, "reserved_kept": Change.WORSE},
            id="a kept buffer is copied twice on the GPU",
        ),
        pytest.param(
            TIME, replace(TIME, copy_s=20.0, compile_s=90.0), {}, id="seconds are no answers"
        ),
    ],
)
def test_changes(before: Any, after: Any, expected: dict[str, Change]) -> None:
    assert changes(before, after) == expected

"""Where a GPU does something else than a CPU."""

from __future__ import annotations

from compat.findings.devices import find_device_differences
from compat.runs.model import Device, Outcome
from tests.conftest import make_build, make_cell, make_run

CPU = make_build("2.13.0")
GPU = make_build("local-2.13.0", device=Device(kind="cuda"), version="2.13.0+cu130")


def test_what_differs_and_only_that() -> None:
    cells = [
        make_cell(build.id, probe, outcome, device=build.device.kind, reason=reason, metrics=seen)
        for build, probe, outcome, reason, seen in [
            (CPU, "a.same", Outcome.PASS, "", {"needed": True, "max_abs": 0.0}),
            (GPU, "a.same", Outcome.PASS, "", {"needed": True, "max_abs": 1.0}),
            (CPU, "b.answer", Outcome.PASS, "", {"needed": False}),
            (GPU, "b.answer", Outcome.PASS, "", {"needed": True}),
            (CPU, "c.end", Outcome.PASS, "", {}),
            (GPU, "c.end", Outcome.FAIL, "off by 1", {}),
            (CPU, "d.silent", Outcome.PASS, "", {}),
            (GPU, "d.silent", Outcome.NOT_RUN, "out of memory", {}),
        ]
    ]
    answer, end = find_device_differences(make_run([CPU, GPU], cells))
    assert (answer.check, answer.cpu, answer.cuda) == ("b.answer", "not needed", "needed")
    assert answer.builds == ("local-2.13.0 cuda",)
    assert answer.cells == (cells[2].id, cells[3].id)
    assert (end.cpu, end.cuda) == ("pass", "fail: off by 1")


def test_another_torch_is_no_twin() -> None:
    other = make_build("2.12.1")
    cells = [
        make_cell(other.id, "a.one", metrics={"needed": False}),
        make_cell(GPU.id, "a.one", device="cuda", metrics={"needed": True}),
    ]
    assert find_device_differences(make_run([other, GPU], cells)) == []

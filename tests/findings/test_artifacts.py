"""What becomes of saved artifacts."""

from __future__ import annotations

import pytest

from compat.findings.artifacts import load_of, say_artifacts
from compat.findings.model import Load
from compat.runs.model import Cell, Outcome
from tests.conftest import make_build, make_cell, make_run


def across(kind: str, saved_by: str, build: str, verdict: str, said: str = "") -> Cell:
    return make_cell(
        build,
        "artifacts.across",
        params={"kind": kind, "saved_by": saved_by},
        metrics={"verdict": verdict, "said": said},
    )


@pytest.mark.parametrize(
    ("verdict", "said", "load"),
    [
        ("refused", "AssertionError: torch_key mismatch in serialized artifact", Load.REFUSED),
        ("refused", "RuntimeError: Bytes object is corrupted, checksum does not", Load.REFUSED),
        ("refused", "AssertionError: ", Load.REFUSED_UNCLEARLY),
        ("refused", "AttributeError: 'Meta' object has no attribute 'x'", Load.REFUSED_UNCLEARLY),
        ("right", "off by 0", Load.RIGHT),
        ("wrong", "off by 1", Load.WRONG),
        ("crashed", "the new process ended with -6 before it answered", Load.CRASHED),
    ],
)
def test_how_a_load_ended(verdict: str, said: str, load: Load) -> None:
    assert load_of(across("aot", "2.12", "2.13", verdict, said)) is load


def test_what_was_not_seen_is_unknown() -> None:
    cell = make_cell("2.13", "artifacts.across", Outcome.CRASH, params={"kind": "aot"})
    assert load_of(cell) is Load.UNKNOWN


def test_what_builds_make_of_each_others() -> None:
    cells = [
        across("aot", "2.12", "2.13", "refused", "version mismatch"),
        across("aot", "2.13", "2.12", "wrong", "off by 1"),
        make_cell(
            "2.13",
            "artifacts.placed",
            params={"kind": "unpacked", "place": "read-only"},
            metrics={"verdict": "refused", "said": "FXGraphCacheMiss: "},
        ),
    ]
    run = make_run([make_build("2.12"), make_build("2.13")], cells)
    others, read_only = say_artifacts(run)
    assert "Of 2 loads" in others.text
    assert "1 are refused with a reason, 1 load and are wrong" in others.text
    assert "Not refused: 2.13 in 2.12: wrong." in others.text
    assert others.cells == (cells[0].id, cells[1].id)
    assert read_only.text.endswith("is refused on 2.13: FXGraphCacheMiss.")

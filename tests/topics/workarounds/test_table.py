"""The table and the trials fit together."""

from __future__ import annotations

import ast

import pytest
from packaging.specifiers import SpecifierSet

from compat.topics.workarounds.table import WORKAROUNDS, Measured, Workaround
from tests.conftest import ROOT

ROWS = pytest.mark.parametrize("row", WORKAROUNDS.values(), ids=WORKAROUNDS)


def trials() -> list[str]:
    """The names of the trials, read from their source: importing them takes torch."""
    found = []
    for path in (ROOT / "compat/probes/workarounds").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if (
                isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == "TRIALS"
                and path.name != "__init__.py"
            ):
                assert isinstance(node.value, ast.Dict)
                found += [ast.literal_eval(key) for key in node.value.keys if key is not None]
    return sorted(found)


def test_each_measured_row_has_a_trial_and_each_trial_a_row() -> None:
    rows = [name for name, row in WORKAROUNDS.items() if row.measured is Measured.PROBE]
    assert len(rows) >= 10
    assert trials() == sorted(rows)


@ROWS
def test_a_row_says_who_ships_it_and_why(row: Workaround) -> None:
    assert SpecifierSet(row.gate) is not None
    assert row.shipped
    assert all(each.file.endswith(".py") for each in row.shipped)
    assert row.upstream.startswith("https://github.com/")
    assert bool(row.unmeasured) is (row.measured is Measured.NOWHERE)
    assert bool(row.guards) is not bool(row.unmeasured)

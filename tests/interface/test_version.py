"""The version rule of gates, against PEP 440's own; torch, which it falls back to, is not asked."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import Specifier
from packaging.version import InvalidVersion

from tests.conftest import ROOT
from tests.runs.test_versions import LOCAL, NUMBER, PRE

Rule = Callable[..., bool]
PUBLIC = st.builds("2.{}.{}{}".format, NUMBER, NUMBER, PRE)
FLOORS = PUBLIC | st.builds("2.{}.0.dev".format, NUMBER)


@pytest.fixture(scope="module")
def rule() -> Rule:
    """The file alone, as a downstream would vendor it, beside a torch that is 2.13.0."""
    torch = ModuleType("torch")
    vars(torch)["__version__"] = "2.13.0+cpu"
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(sys.modules, "torch", torch)
        names = runpy.run_path(str(ROOT / "compat" / "interface" / "version.py"))
    found: Rule = names["is_torch_equal_or_newer"]
    return found


@given(floor=FLOORS, version=PUBLIC, local=LOCAL)
def test_a_gate_opens_where_its_specifier_does(
    rule: Rule, floor: str, version: str, local: str
) -> None:
    inside = Specifier(f">={floor}").contains(version, prereleases=True)
    assert rule(floor, version) is inside
    assert rule(floor, version + local) is inside


@given(floors=st.tuples(FLOORS, FLOORS), version=PUBLIC)
def test_who_is_past_a_floor_is_past_every_lower_one(
    rule: Rule, floors: tuple[str, str], version: str
) -> None:
    one, other = floors
    assert rule(one, other) or rule(other, one)
    if rule(one, other) and rule(other, version):
        assert rule(one, version)


def test_without_a_version_the_running_torch_is_asked(rule: Rule) -> None:
    assert [rule(floor) for floor in ("2.12.1", "2.13.0", "2.13.1.dev")] == [True, True, False]


@pytest.mark.parametrize("version", ["", "nightly", "2.x"])
def test_what_is_no_version_opens_no_gate(rule: Rule, version: str) -> None:
    with pytest.raises(InvalidVersion):
        rule("2.13.0", version)

"""Versions of builds are in the order, and in the ranges, that PEP 440 says."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from compat.runs.versions import public_version, version_order, versions_named

NUMBER = st.integers(0, 30).map(str)
PRE = st.sampled_from(["", "a0", "b1", "rc1", "rc2", ".dev20260420", "rc1.dev3", ".post1"])
LOCAL = st.sampled_from(["", "+cpu", "+cu130", "+git0123abc", "+nv26.05"])
VERSIONS = st.builds("2.{}.{}{}{}".format, NUMBER, NUMBER, PRE, LOCAL)
HUGE = "9" * 5000


@given(VERSIONS)
def test_the_local_part_goes_and_nothing_else(text: str) -> None:
    assert public_version(text) == Version(text.partition("+")[0])


@given(st.lists(VERSIONS), st.lists(st.sampled_from(["", "nightly", "local-mine", "2.x", HUGE])))
def test_builds_stand_in_the_order_of_their_versions_and_what_has_none_is_last(
    versions: list[str], others: list[str]
) -> None:
    ordered = sorted([*others, *versions], key=version_order)
    known = [Version(each.partition("+")[0]) for each in ordered[: len(versions)]]
    assert known == sorted(known)
    assert ordered[len(versions) :] == others


@given(VERSIONS, VERSIONS)
def test_a_version_names_itself_under_every_local_part(text: str, other: str) -> None:
    (same,) = versions_named(text)
    assert (same.operator, same.contains(other, prereleases=True)) == (
        "==",
        public_version(text) == public_version(other),
    )


@given(NUMBER, VERSIONS)
def test_a_series_names_its_versions(minor: str, version: str) -> None:
    named = versions_named(f"2.{minor}")
    inside = Version(version).release[:2] == (2, int(minor))
    assert named.contains(version, prereleases=True) is inside


@given(st.lists(st.builds("{}2.{}.{}".format, st.sampled_from([">=", "<", "!="]), NUMBER, NUMBER)))
def test_a_range_is_what_it_says(parts: list[str]) -> None:
    assert versions_named(",".join(parts)) == SpecifierSet(",".join(parts))


@given(st.text())
@example(HUGE)
@example("٢.١٣")
def test_what_is_none_of_these_is_an_invalid_specifier(text: str) -> None:
    try:
        named = versions_named(text)
    except InvalidSpecifier:
        return
    assert SpecifierSet(str(named)) == named


@pytest.mark.parametrize("text", ["", "nightly", "2.x", HUGE])
def test_what_is_no_version_is_none(text: str) -> None:
    assert public_version(text) is None

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.version import Version

from compat.builds.spec import Kind, parse_spec
from compat.errors import UsageError


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("2.12", Kind.SERIES, "2.12"),
        ("2.13.dev", Kind.DEV, "2.13"),
        ("2.14.rc", Kind.RC, "2.14"),
        ("nightly", Kind.NIGHTLY, ""),
        ("nightly:20260420", Kind.NIGHTLY, "20260420"),
        ("==2.12.1", Kind.EXACT, "2.12.1"),
        ("==2.13.0.dev20260420+cu130", Kind.EXACT, "2.13.0.dev20260420+cu130"),
        ("python:/opt/venv/bin/python", Kind.PYTHON, "/opt/venv/bin/python"),
    ],
)
def test_grammar(text: str, kind: Kind, value: str) -> None:
    spec = parse_spec(text)
    assert (spec.kind, spec.value, str(spec)) == (kind, value, text)


@pytest.mark.parametrize(
    "text",
    ["", "2", "2.13.1", "2.13.beta", "nightly:2026", "python:", "==two", "latest", "==2.13 "[:2]],
)
def test_what_is_no_spec_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="is not a build spec: expected a series") as raised:
        parse_spec(text)
    assert repr(text) in str(raised.value)


NUMBER = st.integers(0, 99).map(str)
SERIES = st.builds("{}.{}".format, NUMBER, NUMBER)
RELEASES = st.builds("{}.{}{}".format, SERIES, NUMBER, st.sampled_from(["", "rc1", "+cpu"]))
DAYS = st.dates().map("{:%Y%m%d}".format).filter(lambda day: len(day) == 8)
PARTS = st.one_of(
    st.tuples(st.just("{}"), st.just(Kind.SERIES), SERIES),
    st.tuples(st.just("{}.dev"), st.just(Kind.DEV), SERIES),
    st.tuples(st.just("{}.rc"), st.just(Kind.RC), SERIES),
    st.tuples(st.just("=={}"), st.just(Kind.EXACT), RELEASES),
    st.tuples(st.just("nightly:{}"), st.just(Kind.NIGHTLY), DAYS),
    st.tuples(st.just("python:{}"), st.just(Kind.PYTHON), st.text(min_size=1)),
)


@given(PARTS)
def test_a_spec_gives_its_parts_back(parts: tuple[str, Kind, str]) -> None:
    form, kind, value = parts
    spec = parse_spec(form.format(value))
    assert (spec.kind, spec.value) == (kind, value)
    assert str(spec) == form.format(value)
    assert parse_spec(str(spec)) == spec


PIECES = ["2", "13", ".", "dev", "rc", "==", "nightly", ":", "20260420", "+", "-", "٢", "\n"]
GARBAGE = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)


@given(GARBAGE)
@example("٢.١٣")
@example("nightly:٢٠٢٦٠٤٢٠")
@example("2." + "9" * 5000)
@example("==" + "9" * 5000)
def test_whatever_is_typed_is_a_spec_or_a_usage_error(text: str) -> None:
    refused = ""
    try:
        spec = parse_spec(text)
    except UsageError as error:
        refused = str(error)
    if refused:
        assert refused.startswith(" ".join(repr(text).split())[:100])
        assert len(refused.splitlines()) == 1
        return
    assert str(spec) == text
    # Whoever looks for it reads a version.
    if spec.kind in {Kind.SERIES, Kind.DEV, Kind.RC, Kind.EXACT}:
        assert Version(spec.value)

from __future__ import annotations

import pytest

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

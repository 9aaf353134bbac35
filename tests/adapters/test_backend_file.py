from __future__ import annotations

from pathlib import Path

import pytest

from compat.adapters.backend_file import defined_in


@pytest.mark.parametrize(
    ("code", "defined"),
    [
        ("def compile(graph, example_inputs): ...", {"compile"}),
        ("from mine.backends import inductor as compile", {"compile"}),
        ("compile = make_backend(level=3)", {"compile"}),
        (
            "def compile(g, i): ...\ndef save(c, f): ...\ndef load(f, g, i): ...",
            {"compile", "save", "load"},
        ),
    ],
)
def test_what_a_file_defines_is_read_without_running_it(
    code: str, defined: set[str], tmp_path: Path
) -> None:
    file = tmp_path / "backend.py"
    file.write_text(f"raise SystemExit\n{code}")
    assert defined_in(file) == defined


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def compiles(g, i): ...", "expected a function compile"),
        ("def compile(g, i): ...\ndef save(c, f): ...", "it has save alone"),
        ("def compile(", "cannot be read as Python"),
    ],
)
def test_what_a_file_lacks_is_said(code: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "backend.py"
    file.write_text(code)
    with pytest.raises(ValueError, match=message):
        defined_in(file)

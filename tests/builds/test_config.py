from __future__ import annotations

from pathlib import Path

import pytest

from compat.builds.config import load_builds
from compat.errors import BuildsFileError


def test_the_list_starts_with_the_control_and_has_the_nightly() -> None:
    specs = [str(spec) for spec in load_builds().specs]
    assert specs[0] == "2.10"
    assert {"2.11", "2.12", "2.13", "2.14", "2.15", "2.12.dev", "2.13.dev", "nightly"} <= set(specs)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("builds = [", "cannot read"),
        ("builds = []", "expected a list 'builds'"),
        ('builds = ["2.13"]', "under \\[index\\]"),
        ('builds = ["2.x"]\n[index]\npytorch = "http://x"\ntimeout_s = 1', "'2.x' is not a build"),
        ('builds = ["2.13"]\n[index]\npytorch = 1\ntimeout_s = 1', "'pytorch' \\(an address\\)"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "builds.toml"
    path.write_text(text)
    with pytest.raises(BuildsFileError, match=complaint) as raised:
        load_builds(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildsFileError, match=r"none\.toml"):
        load_builds(tmp_path / "none.toml")

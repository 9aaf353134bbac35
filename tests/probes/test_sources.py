"""Editing one probe repeats that probe; editing what it imports repeats all that import it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

Digests = dict[str, str]

ASK = (
    "import json, sys; from compat.probes.sources import plan_source, probe_sources; "
    "assert 'torch' not in sys.modules; "
    "print(json.dumps({'': plan_source(), **probe_sources()}))"
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(ROOT / "compat", tmp_path / "compat", ignore=ignored))


@pytest.fixture
def changed_by(package: Path) -> Callable[[str, str, str], set[str]]:
    """Replaces a text in a file of the package; the names of the probes that must be run again."""

    def digests() -> Digests:
        command = [sys.executable, "-B", "-c", ASK]
        answer = subprocess.run(
            command, capture_output=True, text=True, cwd=package.parent, check=True
        )
        found: Digests = json.loads(answer.stdout)
        return found

    def edit(file: str, old: str, new: str) -> set[str]:
        before = digests()
        path = package / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        after = digests()
        return {name for name in before if before[name] != after[name]}

    return edit


def test_editing_a_probe(changed_by: Callable[[str, str, str], set[str]]) -> None:
    changed = changed_by("probes/test_donation.py", "assert path != ", "assert not path == ")
    assert changed == {"donation.copies", ""}


def test_editing_a_comment(changed_by: Callable[[str, str, str], set[str]]) -> None:
    assert changed_by("probes/test_donation.py", "@pytest", "# A comment.\n@pytest") == set()


def test_editing_what_some_probes_import(
    changed_by: Callable[[str, str, str], set[str]],
) -> None:
    changed = changed_by("probes/agreement.py", "TIMES_EAGER = 2.0", "TIMES_EAGER = 2.5")
    assert {"parity.outputs", "donation.outputs", "artifacts.reload"} < changed
    assert "surface.name" not in changed


def test_editing_what_a_module_reads(changed_by: Callable[[str, str, str], set[str]]) -> None:
    """What is watched decides which cells there are, and what they ask."""
    changed = changed_by("topics/surface/watched.json", '"torch._guards.tracing"', '"torch._g.t"')
    surface = {"surface.name", "surface.used", "surface.config", "surface.operators"}
    assert changed == {*surface, ""}


def test_editing_the_interface(changed_by: Callable[[str, str, str], set[str]]) -> None:
    changed = changed_by("interface/compilers.py", "import torch\n", "import torch\nEDITED = 1\n")
    assert "parity.outputs" in changed
    assert "surface.name" not in changed


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("worker/cxx.sh", "set -u"),
        ("probes/conftest.py", "import json"),
        ("worker/jobs.py", "import os"),
        ("runs/signature.py", "import re"),
    ],
)
def test_editing_what_every_probe_runs_under(
    file: str, text: str, changed_by: Callable[[str, str, str], set[str]]
) -> None:
    other = "set -eu" if file.endswith(".sh") else f"{text}\nimport errno"
    changed = changed_by(file, text, other)
    assert {"surface.name", "parity.outputs", "settings.standalone_switch"} < changed


def test_editing_what_no_probe_imports(changed_by: Callable[[str, str, str], set[str]]) -> None:
    assert changed_by("document/escape.py", "_LONGEST = 4000", "_LONGEST = 300") == set()

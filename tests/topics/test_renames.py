"""What is renamed in one place only turns the contract, or mypy, red."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.topics import contract

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Rename:
    """In one file of ``compat``: what matches a pattern, everywhere in it."""

    file: str
    pattern: str
    by: str

    @contextmanager
    def done(self, root: Path) -> Iterator[None]:
        path = root / "compat" / self.file
        text = path.read_text(encoding="utf-8")
        changed, number = re.subn(self.pattern, self.by, text, flags=re.MULTILINE)
        assert number, f"{self.file} has no {self.pattern}"
        _write(path, changed)
        try:
            yield
        finally:
            _write(path, text)


def _write(path: Path, text: str) -> None:
    """As an edit that no earlier one shares its second with: mypy tells edits apart by that."""
    last = int(path.stat().st_mtime)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (max(last + 1, int(time.time())),) * 2)


@dataclass(frozen=True)
class Move:
    """A file of ``compat`` gets another name."""

    file: str
    by: str

    @contextmanager
    def done(self, root: Path) -> Iterator[None]:
        path, other = root / "compat" / self.file, root / "compat" / self.by
        path.rename(other)
        try:
            yield
        finally:
            other.rename(path)


IN_CONTRACT: dict[str, Rename | Move] = {
    "a probe": Rename("probes/test_shape_env.py", "test_needs", "test_wants"),
    "the probe artifacts.reload": Rename("probes/test_artifacts.py", "test_reload", "test_load"),
    "a module of probes": Move("probes/test_surface.py", "probes/test_private.py"),
    "a probe in RECORDS": Rename("topics/surface/records.py", "surface.name", "surface.names"),
    "a probe's parameter": Rename("probes/test_shape_env.py", r"\bmember\b", "attribute"),
    "the parameter of a look-up": Rename(
        "topics/tracing_context/finding.py", r"strategy=strategy", "by=strategy"
    ),
    "the parameter of a column": Rename(
        "topics/gates/finding.py", r'Capability, "feature"', 'Capability, "of"'
    ),
    "a parameter among params": Rename("topics/inputs/finding.py", r'"batch"', '"size"'),
    "a topic": Rename("topics/gates/topic.py", 'name="gates"', 'name="gate"'),
    "a topic's folder": Move("topics/stand_in", "topics/shape_env"),
    "a field that a record gains": Rename(
        "topics/stand_in/records.py", "^    read: bool", "    read: bool\n    written: bool = False"
    ),
    "a field that is read no more": Rename(
        "topics/tracing_context/answers.py", r"record\.chosen", '""'
    ),
    "all that a view says": Rename("topics/gates/view.py", r"\b(Sentence|Section)\(", "tuple("),
    "a record in ANSWERS": Rename("topics/inputs/answers.py", r"\{Inputs: ", "{Case: "),
}
IN_MYPY: dict[str, Rename | Move] = {
    "the field copies": Rename("topics/donation/records.py", "^    copies: int", "    copied: int"),
    "the field digest": Rename("topics/parity/records.py", "^    digest: ", "    hash: "),
    "the field needed": Rename(
        "topics/tracing_context/records.py", "^    needed: bool", "    necessary: bool"
    ),
    "a field in a probe": Rename("probes/test_tracing_context.py", r"\(needed=", "(necessary="),
    "a record": Rename("topics/tracing_context/records.py", "class Restored", "class Returned"),
    "a record in a probe": Rename("probes/test_surface.py", r"\bUsed\(", "Uses("),
    "a field that an answer reads": Rename(
        "topics/tracing_context/answers.py", r"record\.left_behind", "record.left"
    ),
    "a field that a finding reads": Rename("topics/gates/finding.py", r"record\.gate", "record.on"),
    "a verdict": Rename("topics/gates/finding.py", "^    MISSED =", "    OVERLOOKED ="),
    "a finding's field": Rename("topics/inputs/finding.py", "^    refuses: ", "    declines: "),
    "a view's function": Rename("topics/surface/view.py", "^def show", "def tell"),
}
WRITTEN = contract.Tree(ROOT).written


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project's code to rename in."""
    root = tmp_path_factory.mktemp("renames")
    shutil.copytree(ROOT / "compat", root / "compat", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def said_by_mypy(root: Path) -> list[str]:
    """The errors in the topics and in their probes."""
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(root / "cache"), "--no-pretty"]
    tree = contract.Tree(root)
    files = contract.modules(tree, tree.written)
    answer = subprocess.run([*command, *files], capture_output=True, text=True, cwd=root)
    assert re.search("^(Success|Found)", answer.stdout, re.MULTILINE), answer.stderr
    return [line for line in answer.stdout.splitlines() if ": error: " in line]


def said_by_contract(root: Path) -> set[str]:
    return set(contract.complaints(contract.Tree(root), WRITTEN))


def test_nothing_is_said_of_what_is_there(tree: Path) -> None:
    assert said_by_mypy(tree) == []


@pytest.mark.parametrize("what", IN_CONTRACT)
def test_the_contract_turns_red(tree: Path, what: str) -> None:
    before = said_by_contract(tree)
    with IN_CONTRACT[what].done(tree):
        assert said_by_contract(tree) - before


@pytest.mark.parametrize("what", IN_MYPY)
def test_mypy_turns_red(tree: Path, what: str) -> None:
    with IN_MYPY[what].done(tree):
        assert said_by_mypy(tree)

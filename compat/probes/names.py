"""The names of the probes, read without torch."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from compat.adapters import ENGINES
from compat.errors import UsageError
from compat.runs.ids import BUILTIN
from compat.runs.model import DEFAULT, FULL

# What one build saves, and what the others make of it once all have saved.
SAVED = "artifacts.saved"
ACROSS = "artifacts.across"

# The files with what is asked of every subject whose compiler interface is driven, the builtin one
# left out, of engines, and of nothing else.
OF_SUBJECTS = "test_subject"
OF_ENGINES = "test_engine"

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class ProbeSource:
    """A probe as its file has it.

    Attributes:
        name: ``family.name``.
        title: The first line of its docstring, by which runs describe it.
        question: The first paragraph of its docstring, in one line.
        depth: The least depth at which any cell of it is run.
        path: Its file.
        body: The file without the other probes.
    """

    name: str
    title: str
    question: str
    depth: str
    path: Path
    body: ast.Module


def probes(folder: Path = _HERE) -> list[ProbeSource]:
    """All of them, in the order in which they run."""
    return [probe for path in sorted(folder.glob("test_*.py")) for probe in _in(path)]


def _in(path: Path) -> tuple[ProbeSource, ...]:
    return _parsed(path, path.read_text(encoding="utf-8"))


@cache
def _parsed(path: Path, text: str) -> tuple[ProbeSource, ...]:
    nodes = ast.parse(text).body
    tests = [
        node
        for node in nodes
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    shared = [node for node in nodes if node not in tests]
    family = path.stem.removeprefix("test_")
    return tuple(
        ProbeSource(
            name=f"{family}.{test.name.removeprefix('test_')}",
            title=(ast.get_docstring(test) or "").partition("\n")[0],
            question=" ".join((ast.get_docstring(test) or "").partition("\n\n")[0].split()),
            depth=FULL if any(map(_is_full, test.decorator_list)) else DEFAULT,
            path=path,
            body=ast.Module([*shared, test], type_ignores=[]),
        )
        for test in tests
    )


def _is_full(decorator: ast.expr) -> bool:
    return ast.unparse(decorator) == "pytest.mark.full"


def with_needs(texts: Sequence[str]) -> tuple[str, ...]:
    """``texts``, and the probe that another one among those selected builds upon."""
    return (*texts, SAVED) if texts and selects(texts, ACROSS) else tuple(texts)


def selects(texts: Sequence[str], probe: str) -> bool:
    """Whether any check of ``probe`` may be among those that ``texts`` choose."""
    return not texts or any(text.partition("[")[0] in probe for text in texts)


def asked_of(subject: str) -> str:
    """The file with all that is asked of a subject, by its name; none of the builtin one."""
    if subject == BUILTIN:
        return ""
    return OF_ENGINES if subject in ENGINES else OF_SUBJECTS


def concerns(texts: Sequence[str], subject: str) -> bool:
    """Whether ``texts`` choose any probe of those that are asked of a subject, by its name."""
    file = asked_of(subject)
    return any(
        selects(texts, probe.name)
        for probe in probes()
        if (probe.path.stem if probe.path.stem in {OF_SUBJECTS, OF_ENGINES} else "") == file
    )


def check_selection(texts: Sequence[str]) -> None:
    """Refuse a text that is in no probe's id; what is in brackets is not looked at.

    Raises:
        UsageError: Names the text and what there is.
    """
    names = [probe.name for probe in probes()]
    for text in texts:
        if not any(selects([text], name) for name in names):
            raise UsageError(f"--probes {text!r} is in no probe's id; there are {', '.join(names)}")

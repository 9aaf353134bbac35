"""What the outcome of a probe depends on in this project's own source, read without torch."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import compat
from compat.adapters import module_of
from compat.probes.names import probes

_PACKAGE = Path(compat.__file__).parent
# What every probe runs under, whether it imports it or not.
_COMMON = (
    *(_PACKAGE / "probes" / name for name in ("conftest.py", "pytest.ini")),
    *(
        _PACKAGE / "worker" / name
        for name in ("__main__.py", "isolation.py", "handover.py", "warm_up.py", "cxx.sh")
    ),
)


def probe_sources() -> dict[str, str]:
    """By probe: a digest of its own source, of what it imports, and of what it runs under.

    Comments, formatting and the other probes of its file do not count.
    """
    return {
        probe.name: _digest(_unparsed(probe.body), *_texts([*_COMMON, *_imported(probe.path)]))
        for probe in probes()
    }


def plan_source() -> str:
    """A digest of all source that decides which cells there are and what they are called."""
    return _digest(*_texts([*_COMMON, *(probe.path for probe in probes())]))


def subject_source(name: str, files: str) -> str:
    """A digest of a subject: of its ``files``, of its adapter, and of what that imports."""
    return _digest(files, *_texts([_PACKAGE / "adapters" / f"{module_of(name)}.py"]))


def command_source() -> str:
    """A digest of what runs the commands that users bring."""
    worker = _PACKAGE / "worker"
    return _digest(*_texts([worker / "command.py", *sorted((worker / "given").glob("*.py"))]))


def _texts(paths: Iterable[Path]) -> list[str]:
    """The source of ``paths`` and of every file of this project that they import, or those do."""
    found: set[Path] = set()
    pending = list(paths)
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            pending += _imported(path)
    return [_text(path) for path in sorted(found)]


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    if path.suffix != ".py":
        return ()
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    # What a module reads lies beside it, under its name.
    data = path.with_suffix(".json")
    files = (file for name in names if (file := _file(name)) is not None)
    return (*files, data) if data.exists() else tuple(files)


def _file(module: str) -> Path | None:
    """Where a module of this project lies; None for any other, and for a name in a module."""
    package, *parts = module.split(".")
    if package != _PACKAGE.name or not parts:
        return None
    path = _PACKAGE.joinpath(*parts)
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.exists()), None)


_unparsed = cache(ast.unparse)


@cache
def _text(path: Path) -> str:
    """The source of a file; of Python, without comments and formatting."""
    text = path.read_text(encoding="utf-8")
    return ast.unparse(ast.parse(text)) if path.suffix == ".py" else text


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()

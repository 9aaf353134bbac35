"""Files that one job hands to another: none but plain ones, of bounded size, known by a digest.

What a job uploads lies beside what all other jobs of the run upload, and each of them can write
there by the runner's own token. A job's outputs can be set by nobody else, so a digest travels as
one of these, and what was uploaded counts only where it has that digest.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from compat.errors import CommandError

# Where jobs find what the job before them gave as the digest: of its plan, of its reports.
PLAN_DIGEST = "COMPAT_PLAN"
REPORTS_DIGEST = "COMPAT_REPORTS"

_MB = 1 << 20
MOST_FILES = 2_000
LARGEST_B = 32 * _MB
LARGEST_TOGETHER_B = 128 * _MB


class RefusedError(CommandError):
    """What was handed over is not what was expected; the message says what is wrong with it."""


def plain_files(folder: Path, but: Collection[str] = ()) -> dict[str, int]:
    """The files below ``folder`` with their sizes in bytes, by their path from there, sorted.

    Args:
        folder: Where they lie.
        but: What is not looked at of that which lies right in ``folder``.

    Raises:
        RefusedError: Something there is neither a file nor a folder, has a name that begins with a
            dot, or is too large; or it is too much.
    """
    found: dict[str, int] = {}
    for path, entry in _entries(folder, but):
        name = path.relative_to(folder).as_posix()
        if path.name.startswith("."):
            raise RefusedError(f"{name!r}: expected no name that begins with a dot")
        if stat.S_ISDIR(entry.st_mode):
            continue
        if not stat.S_ISREG(entry.st_mode):
            raise RefusedError(f"{name!r}: expected a plain file or a folder")
        if entry.st_size > LARGEST_B:
            raise RefusedError(f"{name!r}: expected at most {LARGEST_B} B, not {entry.st_size}")
        found[name] = entry.st_size
    if sum(found.values()) > LARGEST_TOGETHER_B:
        raise RefusedError(f"{folder}: expected at most {LARGEST_TOGETHER_B} B in all its files")
    return {name: found[name] for name in sorted(found)}


def _entries(folder: Path, but: Collection[str]) -> Iterator[tuple[Path, os.stat_result]]:
    """Whatever is below ``folder``; no link is followed."""
    pending = [folder]
    seen = 0
    while pending:
        parent = pending.pop()
        try:
            paths = sorted(parent.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            raise RefusedError(f"{parent}: expected a folder") from None
        for path in paths:
            if parent == folder and path.name in but:
                continue
            seen += 1
            if seen > MOST_FILES:
                raise RefusedError(f"{folder}: expected at most {MOST_FILES} files and folders")
            entry = path.lstat()
            yield path, entry
            if stat.S_ISDIR(entry.st_mode):
                pending.append(path)


def read_plain(path: Path, most_b: int) -> bytes:
    """What is in a file that is no link, of at most so many bytes.

    Raises:
        RefusedError: It is another file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise RefusedError(f"{path.name}: expected a plain file: {error.strerror}") from None
    with open(descriptor, "rb") as file:  # noqa: PTH123  (a path could be another file by now)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError(f"{path.name}: expected a plain file")
        if status.st_size > most_b:
            raise RefusedError(f"{path.name}: expected at most {most_b} B, not {status.st_size}")
        return file.read(most_b)


def digest_of(folder: Path, but: Collection[str] = ()) -> str:
    """A digest of every file below ``folder``: of its name, its size and what is in it.

    Raises:
        RefusedError: As :func:`plain_files`.
    """
    digest = hashlib.sha256()
    for name, size in plain_files(folder, but).items():
        digest.update(f"{name}\0{size}\0".encode(errors="surrogateescape"))
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def check_digest(
    folder: Path, variables: Mapping[str, str], name: str, but: Collection[str] = ()
) -> None:
    """Hold ``folder`` to the digest in a variable; without that, on a laptop, nothing is checked.

    Raises:
        RefusedError: It is not what the job that made it uploaded.
    """
    expected = variables.get(name)
    if expected is not None and digest_of(folder, but) != expected:
        raise RefusedError(f"{folder}: it is not what {name} stands for: another job wrote there")

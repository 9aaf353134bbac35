"""Packages that a user's command needs, beside a build whose torch stays as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from compat.builds.environment import InstallError
from compat.errors import UsageError
from compat.subjects.files import _soabi, install_into

# What a build brings itself, and what comes with it alone.
_TORCH = ("torch", "triton", "pytorch-triton")
_WITH_TORCH = ("nvidia-",)
# Also the build's own, unless they are asked for by name.
_UNLESS_NAMED = ("numpy", "setuptools")


def required(texts: Sequence[str], files: Sequence[Path]) -> tuple[str, ...]:
    """What ``--with`` and requirements files ask for; torch of a file is left to the build.

    Raises:
        UsageError: A text is no requirement, or asks for a torch; a file cannot be read.
    """
    found = []
    for text in texts:
        if canonicalize_name(_parsed(text, "--with").name) in _TORCH:
            raise UsageError(f"--with {text}: expected no torch: each build is asked with its own")
        found.append(text)
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--requirements {file}: cannot be read: {error}") from None
        found += list(_in_file(lines, file))
    return tuple(dict.fromkeys(found))


def _in_file(lines: Sequence[str], file: Path) -> Iterator[str]:
    for line in lines:
        # Hashes of a lock are of no use where one of its packages is left out.
        text = line.partition(" #")[0].partition(" --hash")[0].strip()
        if not text or text.startswith(("#", "-")):
            continue
        requirement = _parsed(text, f"--requirements {file}:")
        name = canonicalize_name(requirement.name)
        if name not in _TORCH and not name.startswith(_WITH_TORCH):
            yield text


def _parsed(text: str, option: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement:
        raise UsageError(f"{option} {text}: expected a requirement such as einops==0.8.1") from None


def install_beside(python: Path, home: Path, requirements: Sequence[str], torch: str) -> Path:
    """A folder below ``home`` with what is required, for builds whose interpreter is like this.

    Args:
        python: The build's interpreter.
        home: Below it such folders are kept.
        requirements: As :func:`required` gives them.
        torch: The build's version.

    Raises:
        InstallError: uv failed, or a package would replace the build's torch.
    """
    parts = "\n".join((_soabi(python), *sorted(requirements)))
    folder = home / f"with-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"
    home.mkdir(parents=True, exist_ok=True)
    named = {canonicalize_name(Requirement(each).name) for each in requirements}
    left_out = [*_TORCH, *(each for each in _UNLESS_NAMED if each not in named)]
    install_into(folder, python, requirements, left_out=left_out)
    if refused := would_replace(folder, torch):
        raise InstallError(refused)
    return folder


def would_replace(folder: Path, torch: str) -> str:
    """Why what lies in a folder does not go with a build's torch, in one line; empty if it does."""
    if (folder / "torch").exists():
        return "one of the packages brings a torch of its own, which would replace the build's"
    try:
        # As pip has it: what is asked for without a local part is met with any.
        version = Version(Version(torch).public)
    except InvalidVersion:
        return ""
    for metadata in sorted(folder.glob("*.dist-info/METADATA")):
        headers = HeaderParser().parsestr(metadata.read_text(encoding="utf-8", errors="replace"))
        for text in headers.get_all("Requires-Dist", []):
            requirement = Requirement(text)
            marker = requirement.marker
            if (
                canonicalize_name(requirement.name) == "torch"
                and (marker is None or marker.evaluate({"extra": ""}))
                and not requirement.specifier.contains(version, prereleases=True)
            ):
                return (
                    f"{headers['Name']} {headers['Version']} requires "
                    f"torch{requirement.specifier}, which would replace the build's torch {torch}"
                )
    return ""

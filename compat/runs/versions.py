"""Versions of builds: the one place that knows what to do where there is none."""

from __future__ import annotations

from functools import cache

from packaging.specifiers import SpecifierSet
from packaging.version import Version


@cache
def public_version(text: str) -> Version | None:
    """The version in ``text`` without its local part; None where it is no version."""
    try:
        return Version(Version(text).public)
    # Of a number of thousands of digits Python makes none.
    except ValueError:
        return None


def version_order(text: str) -> tuple[bool, Version]:
    """A key that sorts by version; what is no version goes last."""
    version = public_version(text)
    return (version is None, version or Version("0"))


def versions_named(text: str) -> SpecifierSet:
    """A range such as ``>=2.11,<2.14``; ``2.13`` is the series, ``2.13.0`` just that version.

    Raises:
        InvalidSpecifier: It is none of these.
    """
    try:
        version = Version(text)
    except ValueError:
        return SpecifierSet(text)
    is_series = text == f"{version.major}.{version.minor}"
    return SpecifierSet(f"=={text}.*" if is_series else f"=={version.public}")

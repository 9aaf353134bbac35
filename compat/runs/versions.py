"""Versions of builds: the one place that knows what to do where there is none."""

from __future__ import annotations

from packaging.version import Version


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

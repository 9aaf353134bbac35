"""The grammar in which people name builds."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from enum import Enum

from packaging.version import Version

from compat.errors import UsageError

# The Python that runs this project, and builds unless they are asked for under another one.
OWN_PYTHON = ".".join(platform.python_version_tuple()[:2])

EXPECTED = (
    "expected a series (2.13), its pre-releases (2.13.dev, 2.13.rc), an exact version (==2.13.0), "
    "nightly, nightly:YYYYMMDD, or python:/path/to/python"
)

_SERIES = re.compile(r"([0-9]{1,9}\.[0-9]{1,9})(?:\.(dev|rc))?")
_NIGHTLY = re.compile(r"nightly(?::([0-9]{8}))?")


class Kind(Enum):
    """What a spec asks for."""

    SERIES = "the newest release of a series"
    DEV = "the newest nightly of a series, or what came after it"
    RC = "the newest release candidate of a series"
    EXACT = "one version"
    NIGHTLY = "the newest nightly, or the one of a day"
    PYTHON = "an environment that is there"


@dataclass(frozen=True)
class Spec:
    """A spec as typed, what it asks for, and of what: a series, version, day or path."""

    text: str
    kind: Kind
    value: str = ""

    def __str__(self) -> str:
        return self.text


def parse_spec(text: str) -> Spec:
    """Read one spec.

    Raises:
        UsageError: ``text`` is not in the grammar.
    """
    if text.startswith("python:") and len(text) > len("python:"):
        return Spec(text, Kind.PYTHON, text.removeprefix("python:"))
    if text.startswith("=="):
        try:
            return Spec(text, Kind.EXACT, str(Version(text.removeprefix("=="))))
        # Of a number of thousands of digits Python makes none.
        except ValueError:
            pass
    if match := _NIGHTLY.fullmatch(text):
        return Spec(text, Kind.NIGHTLY, match[1] or "")
    if match := _SERIES.fullmatch(text):
        kind = {None: Kind.SERIES, "dev": Kind.DEV, "rc": Kind.RC}[match[2]]
        return Spec(text, kind, match[1])
    raise UsageError(f"{text!r} is not a build spec: {EXPECTED}")

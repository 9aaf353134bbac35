"""Which release a build is run beside."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from packaging.version import Version

from compat.builds.index import IndexedWheel, Indexes
from compat.builds.resolve import Resolution, stable_beside
from compat.builds.spec import parse_spec

RELEASED = ["2.12.0", "2.12.1", "2.13.0", "2.14.0", "2.14.1", "2.15.0", "2.16.0rc1"]


def wheel(version: str, channel: str) -> IndexedWheel:
    return IndexedWheel(
        version=Version(version), channel=channel, filename="", url="", sha256="", index=None
    )


def resolution(name: str) -> Resolution:
    spec = (parse_spec("nightly"),)
    match name.split():
        case ["python"]:
            return Resolution(specs=spec, python=Path("/venv/bin/python"))
        case ["gone"]:
            return Resolution(specs=spec, problem="the index for it is not reachable")
        case [version]:
            return Resolution(specs=spec, wheel=wheel(version, "stable"))
        case [version, channel]:
            return Resolution(specs=spec, wheel=wheel(version, channel))
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("asked", "twin"),
    [
        (["2.16.0.dev20261120+cpu nightly"], "==2.15.0"),
        (["2.16.0 test", "2.17.0.dev20261120 nightly"], "==2.15.0"),
        (["python"], "==2.15.0"),
        # A release is compared with the newest one of the series before.
        (["2.15.0+cu132"], "==2.14.1"),
        (["2.13.0"], "==2.12.1"),
        (["2.12.0"], None),
        # These have one with them.
        (["2.13.0", "2.15.0"], None),
        (["2.15.0", "2.16.0.dev20261120 nightly"], None),
        (["gone"], None),
    ],
)
def test_the_release_beside(asked: list[str], twin: str | None) -> None:
    released = [wheel(each, "stable") for each in RELEASED]
    indexes: Any = SimpleNamespace(default=lambda: released)
    assert stable_beside([*map(resolution, asked)], cast("Indexes", indexes)) == twin

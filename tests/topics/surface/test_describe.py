"""What a private name is, in one line that changes when a caller has to."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from compat.interface.surface import describe


class Storage:
    tracing_context = None


def load(path: str, *, format: str = "binary") -> None: ...


def load_anywhere(path: bytes, *, format: str = "unpacked") -> int:
    return 0


def load_from(path: str, *, format: str) -> None: ...


def test_another_type_of_a_value_is_another_line() -> None:
    """torch._guards._TLS, a threading.local until 2.13, has a class of torch's own since 2.14."""
    assert describe(threading.local()) == "value of type _thread._local"
    assert describe(Storage()) == f"value of type {__name__}.Storage"


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (load, "function(path, *, format=…)"),
        (load_from, "function(path, *, format)"),
        (Storage, "class()"),
        (False, "value of type builtins.bool"),
    ],
)
def test_kinds(found: Any, line: str) -> None:
    assert describe(found) == line


def test_annotations_and_defaults_are_left_out() -> None:
    assert describe(load) == describe(load_anywhere)

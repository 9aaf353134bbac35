"""When a refusal says what is wrong."""

from __future__ import annotations

import builtins
import pickle
import struct
import zlib

import pytest

from compat.topics.artifacts.records import Load
from compat.topics.artifacts.refusals import ACCIDENTS, refusal

# Ends of the list that are neither Python's nor of its libraries.
TORCH = {"CppCompileError"}


@pytest.mark.parametrize(
    ("raised", "message", "load"),
    [
        ("AssertionError", "torch_key mismatch in serialized artifact", Load.REFUSED),
        ("RuntimeError", "Bytes object is corrupted, checksum does not match", Load.REFUSED),
        ("UnpicklingError", "pickle data was truncated", Load.REFUSED),
        ("PermissionError", "[Errno 13] Permission denied: '…/x'", Load.REFUSED),
        ("AssertionError", "", Load.REFUSED_UNCLEARLY),
        ("FXGraphCacheMiss", " ", Load.REFUSED_UNCLEARLY),
        ("UnpicklingError", "", Load.REFUSED_UNCLEARLY),
        ("EOFError", "Ran out of input", Load.REFUSED_UNCLEARLY),
        ("KeyError", "'version'", Load.REFUSED_UNCLEARLY),
        ("AttributeError", "'Meta' object has no attribute 'version'", Load.REFUSED_UNCLEARLY),
        ("error", "unpack requires a buffer of 8 bytes", Load.REFUSED_UNCLEARLY),
        ("CppCompileError", "C++ compile error", Load.REFUSED_UNCLEARLY),
    ],
)
def test_how_clear_it_is(raised: str, message: str, load: Load) -> None:
    assert refusal(raised, message) is load


def test_names_are_those_of_the_types() -> None:
    others = {kind.__name__ for kind in (struct.error, zlib.error)}
    assert all(hasattr(builtins, name) for name in ACCIDENTS - others - TORCH)
    assert others <= ACCIDENTS
    assert pickle.UnpicklingError.__name__ not in ACCIDENTS

from __future__ import annotations

import pytest

from compat.interface.features import FEATURES
from compat.interface.version import is_torch_equal_or_newer

# What PEP 440, and so vLLM's rule, says of each version and each gate.
CASES = [
    # version, donate_graph_module (2.13.0.dev), tuple_return (2.12.0.dev), aot (2.10.0)
    ("2.9.1", False, False, False),
    ("2.10.0rc2", False, False, False),
    ("2.10.0+cpu", False, False, True),
    ("2.11.0", False, False, True),
    ("2.12.0.dev20260101+cu130", False, True, True),
    ("2.12.0a0+gitabc1234", False, True, True),
    ("2.12.1+cpu", False, True, True),
    ("2.13.0.dev20260420+cu130", True, True, True),
    ("2.13.0a0+git0123abc", True, True, True),
    ("2.13.0a0+nv26.05", True, True, True),
    ("2.13.0rc1", True, True, True),
    ("2.13.0rc2", True, True, True),
    ("2.13.0+cpu", True, True, True),
    ("2.14.1+cu130", True, True, True),
]


@pytest.mark.parametrize(("version", "donate", "tuple_return", "aot"), CASES)
def test_gates(version: str, donate: bool, tuple_return: bool, aot: bool) -> None:
    assert FEATURES["donate_graph_module"].gate_open(version) is donate
    assert FEATURES["tuple_return"].gate_open(version) is tuple_return
    assert FEATURES["aot"].gate_open(version) is aot


def test_a_feature_without_a_gate_is_never_on() -> None:
    assert FEATURES["fake_mode"].floor is None
    assert FEATURES["fake_mode"].gate_open("99.0") is False


@pytest.mark.parametrize(
    ("floor", "version", "expected"),
    [
        ("2.13.0", "2.13.0.dev20260420", False),
        ("2.13.0", "2.13.0a0+git0123abc", False),
        ("2.13.0", "2.13.0rc1", False),
        ("2.13.0", "2.13.0+cpu", True),
        ("2.13.0.dev", "2.12.99", False),
    ],
)
def test_pre_releases_come_before_the_release(floor: str, version: str, expected: bool) -> None:
    assert is_torch_equal_or_newer(floor, version) is expected

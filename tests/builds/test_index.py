from __future__ import annotations

from compat.builds.index import _supported
from compat.builds.spec import OWN_PYTHON


def test_a_wheel_is_for_one_python() -> None:
    for python, abi in (("3.10", "cp310"), ("3.13", "cp313")):
        assert abi in {tag.abi for tag in _supported(python)}
    assert "cp310" not in {tag.abi for tag in _supported("3.13")}
    assert f"cp{OWN_PYTHON.replace('.', '')}" in {tag.abi for tag in _supported(OWN_PYTHON)}

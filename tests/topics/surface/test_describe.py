"""What a private name is, in one line that changes when a caller has to."""

from __future__ import annotations

import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from compat.interface.surface import describe, resolve


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
        (threading, "module"),
    ],
)
def test_kinds(found: Any, line: str) -> None:
    assert describe(found) == line


def test_annotations_and_defaults_are_left_out() -> None:
    assert describe(load) == describe(load_anywhere)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A function of the same name as a submodule; a module that nobody imported; a broken one."""
    folder = tmp_path / "resolved_package"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from . import compile as _module\ndef compile(): ...\nclass C:\n    def f(self): ...\n"
    )
    (folder / "compile.py").write_text("inner = 1\n")
    (folder / "quiet.py").write_text("name = 2\n")
    (folder / "broken.py").write_text("import not_installed_here\n")
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def test_what_a_name_stands_for(package: str) -> None:
    assert callable(resolve(f"{package}.compile"))
    assert resolve(f"{package}.compile.inner") == 1
    assert callable(resolve(f"{package}.C.f"))
    assert resolve(f"{package}.quiet.name") == 2


def test_a_module_that_nobody_imported(package: str) -> None:
    assert isinstance(resolve(f"{package}.quiet"), ModuleType)


@pytest.mark.parametrize(
    ("name", "missing"),
    [("C.g", "g"), ("gone", "gone"), ("gone.f", "gone"), ("quiet.gone", "gone"), ("C.f.g", "g")],
)
def test_a_name_that_is_not_there(package: str, name: str, missing: str) -> None:
    with pytest.raises(AttributeError, match=repr(missing)):
        resolve(f"{package}.{name}")


@pytest.mark.parametrize("name", ["broken", "broken.f"])
def test_a_module_that_imports_what_is_not_there(package: str, name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="not_installed_here"):
        resolve(f"{package}.{name}")

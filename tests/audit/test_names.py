"""Private names: imported, read, called, patched and subclassed."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.audit.model import Use
from tests.audit.making import tree_of


@pytest.mark.parametrize(
    ("text", "path", "use"),
    [
        ("import torch._inductor.codecache", "torch._inductor.codecache", Use.IMPORTED),
        ("from torch._guards import tracing", "torch._guards.tracing", Use.IMPORTED),
        ("from torch._guards import *", "torch._guards", Use.IMPORTED),
        (
            "from torch.fx.passes.split_module import split_module",
            "torch.fx.passes.split_module.split_module",
            Use.IMPORTED,
        ),
        ("import torch\nx = torch._guards._TLS", "torch._guards._TLS", Use.READ),
        ("import torch as t\nt._sync(x)", "torch._sync", Use.CALLED),
        (
            "import torch\nt = torch\ng = t._guards\ng.tracing(0)",
            "torch._guards.tracing",
            Use.CALLED,
        ),
        ("import torch\ngetattr(torch, '_sync')", "torch._sync", Use.READ),
        (
            "import sys\nm = sys.modules['torch._a']\nm.b()",
            "torch._a.b",
            Use.CALLED,
        ),
        (
            "from importlib import import_module\nimport_module('torch._a').b()",
            "torch._a.b",
            Use.CALLED,
        ),
        ("import torch\ntorch._guards._TLS.x = None", "torch._guards._TLS.x", Use.PATCHED),
        ("import torch\ndel torch._a.b", "torch._a.b", Use.PATCHED),
        ("import torch\ntorch.cuda.set_stream = f", "torch.cuda.set_stream", Use.PATCHED),
        ("import torch\nsetattr(torch._a, 'b', 1)", "torch._a.b", Use.PATCHED),
        ("patch('torch._a.B', 1)", "torch._a.B", Use.PATCHED),
        ("mock.patch('torch._a.B', 1)", "torch._a.B", Use.PATCHED),
        ("import torch\npatch.object(torch._a, 'b', 1)", "torch._a.b", Use.PATCHED),
        ("import torch\nmonkeypatch.setattr(torch._a, 'b', 1)", "torch._a.b", Use.PATCHED),
        ("monkeypatch.setattr('torch._a.b', 1)", "torch._a.b", Use.PATCHED),
        ("import torch\nclass A(torch._a.B): pass", "torch._a.B", Use.SUBCLASSED),
    ],
)
def test_a_use_is_found(tmp_path: Path, text: str, path: str, use: Use) -> None:
    found = [(each.path, each.use) for each in tree_of(tmp_path, text).names]
    assert (path, use) in found
    assert [each for each in found if each[0] == path] == [(path, use)]


@pytest.mark.parametrize(
    "text",
    [
        "import torch\ntorch.compile(f)",
        "import torch\ntorch.__version__",
        "import torch\ntorch.ops._C.rms_norm(x)",
        "import torch\ntorch.backends.cuda.matmul.allow_tf32 = True",
        "import torch\ndef f(torch):\n    return torch._a",
        "import torchvision\ntorchvision._a",
        "# torch\npatch('elsewhere.a')",
    ],
)
def test_what_is_not_a_private_name(tmp_path: Path, text: str) -> None:
    assert tree_of(tmp_path, text).names == ()


def test_a_name_means_what_its_own_scope_says(tmp_path: Path) -> None:
    text = """
        import torch

        def first():
            from torch._a import b
            return b()

        def second(b):
            return b()

        class Third:
            from torch._c import d

            def method(self):
                return d()
    """
    called = [each.path for each in tree_of(tmp_path, text).names if each.use is Use.CALLED]
    assert called == ["torch._a.b"]


def test_of_a_call_its_arguments_are_known(tmp_path: Path) -> None:
    text = "from torch._a import b\nb(1, 2, x=3)\nb(*some, y=4)\nb(**more)\n"
    calls = [each.call for each in tree_of(tmp_path, text).names if each.call]
    assert [(each.positional, each.keywords, each.whole) for each in calls] == [
        (2, ("x",), True),
        (1, ("y",), False),
        (0, (), False),
    ]


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("try:\n    from torch._a import b\nexcept ImportError:\n    b = None", True),
        ("try:\n    from torch._a import b\nexcept (KeyError, AttributeError):\n    b = 0", True),
        ("try:\n    from torch._a import b\nexcept:\n    b = None", True),
        ("try:\n    from torch._a import b\nexcept KeyError:\n    b = None", False),
        ("try:\n    pass\nexcept ImportError:\n    from torch._a import b", False),
        ("import torch\nif hasattr(torch._a, 'x'):\n    from torch._a import b", True),
        ("import torch\nif flag:\n    from torch._a import b", False),
    ],
)
def test_a_place_that_expects_a_name_not_to_be_there(
    tmp_path: Path, text: str, guarded: bool
) -> None:
    found = [each for each in tree_of(tmp_path, text).names if each.path == "torch._a.b"]
    assert [each.guarded for each in found] == [guarded]


def test_getattr_with_a_default_expects_it_not_to_be_there(tmp_path: Path) -> None:
    text = "import torch\ngetattr(torch, '_a', None)\ngetattr(torch, '_b')\n"
    found = {each.path: each.guarded for each in tree_of(tmp_path, text).names}
    assert found == {"torch._a": True, "torch._b": False}


def test_what_is_imported_for_types_is_no_import(tmp_path: Path) -> None:
    text = """
        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from torch._a import b
        else:
            from torch._a import c
    """
    found = {each.path: each.use for each in tree_of(tmp_path, text).names}
    assert found == {"torch._a.b": Use.TYPING, "torch._a.c": Use.IMPORTED}


def test_names_that_lead_back_to_themselves(tmp_path: Path) -> None:
    text = """
        import torch

        a = b
        b = a
        ready = ready and is_torch_equal_or_newer("2.9")
        options = {**options}
        if ready and a >= "2.9":
            a._x = torch._y
            torch._dynamo.config.patch(**options)
    """
    tree = tree_of(tmp_path, text)
    assert [each.path for each in tree.names] == ["torch._y", "torch._dynamo.config.patch"]
    assert [each.key for each in tree.keys] == [""]
    assert len(tree.checks) == 1

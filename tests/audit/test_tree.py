"""A whole tree: stand-ins, files that cannot be read, and the lookalike."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.audit.model import Use
from compat.audit.source import Sources
from compat.audit.tree import read_tree
from tests.audit.making import MEMBERS, tree_of

LOOKALIKE = Path(__file__).with_name("lookalike")


def test_a_stand_in_is_known_by_its_members(tmp_path: Path) -> None:
    text = """
        class Base:
            def get_pruned_guards(self): ...

        class StandIn(Base):
            var_to_hint_override = {}

            def __init__(self):
                self.guards: list = []
    """
    (found,) = tree_of(tmp_path, text).stand_ins
    assert found.name == "StandIn"
    assert found.members >= {"get_pruned_guards", "var_to_hint_override", "guards"}
    assert found.whole


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    def get_pruned_guards(self): ...\n",
        "import torch\nclass A(torch.fx.experimental.symbolic_shapes.ShapeEnv):\n"
        "    def get_pruned_guards(self): ...\n    var_to_hint_override = 1\n",
    ],
)
def test_what_is_no_stand_in(tmp_path: Path, text: str) -> None:
    assert tree_of(tmp_path, text).stand_ins == ()


@pytest.mark.parametrize(
    "text",
    [
        "from x import Y\nclass A(Y):\n",
        "class A:\n    def __getattr__(self, name): ...\n",
    ],
)
def test_a_stand_in_that_may_have_more_than_it_says(tmp_path: Path, text: str) -> None:
    members = "    def get_pruned_guards(self): ...\n    var_to_hint_override = 1\n"
    (found,) = tree_of(tmp_path, text + members).stand_ins
    assert not found.whole


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"torch = '\xff'")
    tree = tree_of(tmp_path, {"bad.py": "import torch\nif", "good.py": "from torch._a import b"})
    assert tree.files == 3
    assert list(tree.unreadable) == ["bad.py", "binary.py"]
    assert "SyntaxError" in tree.unreadable["bad.py"]
    assert [each.path for each in tree.names] == ["torch._a.b"]


def test_what_is_not_the_trees_own_is_not_read(tmp_path: Path) -> None:
    text = "from torch._a import b"
    files = {
        "x/.venv/lib/site-packages/a.py": text,
        "x/.git/b.py": text,
        "x/node_modules/c.py": text,
    }
    assert tree_of(tmp_path, {**files, "x/d.py": text}).files == 1


def test_a_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text("from torch._a import b\n")
    (found,) = read_tree(Sources.at(path), MEMBERS).names
    assert str(found.place) == "one.py:1"


def test_a_package_below_the_root_of_a_checkout(tmp_path: Path) -> None:
    """Files are named below the checkout, modules from the package on."""
    package = tmp_path / "python" / "pkg"
    package.mkdir(parents=True)
    (package / "common.py").write_text("import torch\nversion = torch.__version__\n")
    (package / "use.py").write_text("# torch\nimport pkg.common\npkg.common.version < '2.9'\n")
    (found,) = read_tree(Sources(root=tmp_path, package=package), MEMBERS).checks
    assert str(found.place) == "python/pkg/use.py:3"


def test_the_lookalike() -> None:
    tree = read_tree(Sources.at(LOOKALIKE), MEMBERS)
    assert not tree.unreadable
    assert [(str(each.place), str(each.rule), each.guards) for each in tree.checks] == [
        ("backend.py:12", "< 2.5", ()),
        ("backend.py:41", ">= 2.13.0.dev0", ("donate_graph_module",)),
        ("version.py:8", "None", ()),
    ]
    patched = [(each.place.line, each.path) for each in tree.names if each.use is Use.PATCHED]
    assert patched == [
        (29, "torch._guards._TLS.tracing_context"),
        (33, "torch._guards._TLS.tracing_context"),
        (45, "torch._inductor.compile_fx._recursive_pre_grad_passes"),
        (46, "torch._inductor.codecache.FxGraphCache._get_shape_env"),
    ]
    assert [each.path for each in tree.keys] == ["torch._inductor.config.fx_graph_cache"]
    assert [(each.name, each.default) for each in tree.switches] == [
        ("TORCHINDUCTOR_COMPILE_THREADS", "'4'")
    ]
    (stand_in,) = tree.stand_ins
    assert "var_to_hint_override" not in stand_in.members

"""What the matrix watches is derived from source, and the file says what the source says now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compat.audit.model import Tree
from compat.audit.source import Sources
from compat.audit.tree import read_tree
from compat.audit.watch import derive, to_text
from compat.cli import main
from compat.commands.audit import sources_of
from compat.runs.ids import BUILTIN
from compat.topics.surface.watched import FILE, Watched, watched
from tests.audit.making import tree_of

SUBJECT = "vllm==0.33.0"
TEXT = """
    import torch
    from torch._guards import tracing
    from torch._inductor.config import triton

    torch._guards._TLS.tracing_context = None
    torch._a.f(1, b=1, c=1)
    torch._a.f(b=1)
    torch._a.f._vllm_patched = True
    torch.testing._internal.common_utils.run_tests()
    torch._inductor.config.freezing = triton.cudagraphs
    torch.ops.aten.mm.default
"""


def trees(folder: Path) -> dict[str, Tree]:
    return {BUILTIN: tree_of(folder / "own", ""), SUBJECT: tree_of(folder / "theirs", TEXT)}


def test_what_is_derived(tmp_path: Path) -> None:
    found = derive(trees(tmp_path))
    assert found.subjects == [SUBJECT]
    theirs = {path: users[SUBJECT] for path, users in found.names.items() if SUBJECT in users}
    assert theirs == {
        "torch._a.f": ("b",),
        "torch._guards._TLS": (),
        "torch._guards._TLS.tracing_context": (),
        "torch._guards.tracing": (),
    }
    assert found.keys == {
        "torch._inductor.config.freezing": [SUBJECT],
        "torch._inductor.config.triton": [SUBJECT],
        "torch._inductor.config.triton.cudagraphs": [SUBJECT],
    }
    assert found.operators == {"aten.mm.default": [SUBJECT]}


def test_the_same_trees_give_the_same_bytes(tmp_path: Path) -> None:
    once = to_text(derive(trees(tmp_path / "a")))
    assert once == to_text(derive(trees(tmp_path / "b")))
    assert to_text(Watched(**json.loads(once))) == once


def test_the_file_is_as_it_is_written() -> None:
    assert to_text(watched()) == FILE.read_text(encoding="utf-8")
    assert set(watched().subjects) == {
        user
        for users in (*watched().names.values(), *watched().keys.values())
        for user in users
        if user != BUILTIN
    }


def test_the_file_has_what_the_interface_asks_of_torch_now() -> None:
    """Run ``compat watch`` where this fails."""
    now = derive({BUILTIN: read_tree(sources_of(BUILTIN), ())})
    committed = watched()
    own = {
        path: {BUILTIN: users[BUILTIN]}
        for path, users in committed.names.items()
        if BUILTIN in users
    }
    assert own == {path: {BUILTIN: list(users[BUILTIN])} for path, users in now.names.items()}
    assert [key for key, users in committed.keys.items() if BUILTIN in users] == list(now.keys)
    assert [each for each, users in committed.operators.items() if BUILTIN in users] == list(
        now.operators
    )


def test_each_name_and_key_is_asked_about_once() -> None:
    found = watched()
    names = [*found.own, *(path for paths in found.used().values() for path in paths)]
    assert sorted(names) == sorted(found.names)
    keys = [key for keys in found.config_modules().values() for key in keys]
    assert sorted(keys) == sorted(found.keys)
    assert set(found.config_modules()) <= {
        "torch._dynamo.config", "torch._functorch.config", "torch._inductor.config",
        "torch.fx.experimental._config",
    }  # fmt: skip
    operators = [each for group in found.namespaces().values() for each in group]
    assert sorted(operators) == sorted(found.operators)


def test_the_command_writes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "watched.json"
    nobody = Watched(subjects=(), names={}, keys={}, operators={})
    monkeypatch.setattr("compat.commands.audit.FILE", file)
    monkeypatch.setattr("compat.commands.audit.watched", lambda: nobody)
    assert main(["watch"]) == 0
    own = {BUILTIN: read_tree(sources_of(BUILTIN), ())}
    assert file.read_text(encoding="utf-8") == to_text(derive(own))
    assert f"{len(derive(own).names)} names, " in capsys.readouterr().out


@pytest.mark.parametrize("subject", ["vllm", "builtin", "vllm:/tmp", "vllm==one"])
def test_only_a_release_is_watched(subject: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", subject]) == 2
    assert repr(subject) in capsys.readouterr().err


def test_of_a_project_that_is_only_read_the_compiler_counts(tmp_path: Path) -> None:
    (tmp_path / "reads.py").write_text(
        "import torch\n"
        "import torch._inductor.pattern_matcher as matcher\n"
        "torch._C._cuda_clearCublasWorkspaces()\n"
        "matcher.fwd_only\n"
        "torch.ops.aten.prod.dim_Dimname\n"
        "torch.ops.aten.mm.default\n"
    )
    tree = read_tree(Sources.at(tmp_path), ())
    read = derive({"deepspeed==0.19.8": tree})
    assert "torch._inductor.pattern_matcher.fwd_only" in read.names
    assert "torch._C._cuda_clearCublasWorkspaces" not in read.names
    assert list(read.operators) == ["aten.prod.dim_Dimname"]
    driven = derive({"vllm==0.33.0": tree})
    assert "torch._C._cuda_clearCublasWorkspaces" in driven.names
    assert "aten.mm.default" in driven.operators

"""Which operators of torch's own a tree names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.making import tree_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import torch\ntorch.ops.aten.mm(a, b)\n", ["aten.mm"]),
        ("import torch\naten = torch.ops.aten\nx = {aten.mm.default}\n", ["aten.mm.default"]),
        ("from torch import ops\nops.prims.convert_element_type.default\n",
         ["prims.convert_element_type.default"]),
        ("import torch\ntorch.ops.aten.add.Tensor.name()\n", ["aten.add.Tensor"]),
        ("import torch\ntorch.ops.aten.add.overloads()\n", ["aten.add"]),
        ("import torch\ntorch.ops.vllm.rotary(a)\ntorch.ops._C.gelu(a)\n", []),
        ("import torch\naten = torch.ops.aten\n", []),
        ("import torch\ntorch.aten.mm\n", []),
    ],
)  # fmt: skip
def test_operators(tmp_path: Path, text: str, found: list[str]) -> None:
    assert [each.path for each in tree_of(tmp_path, text).operators] == found


def test_each_place(tmp_path: Path) -> None:
    text = "import torch\ntorch.ops.aten.mm(a, torch.ops.aten.t(b))\n"
    assert [
        (each.path, each.place.line, each.place.column)
        for each in tree_of(tmp_path, text).operators
    ] == [("aten.mm", 2, 1), ("aten.t", 2, 22)]

"""Config keys and environment switches."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.audit.model import KeyUse, SwitchUse
from tests.audit.making import tree_of

IMPORTS = (
    "import torch\nfrom torch._functorch import config as functorch_config\n"
    "import torch._inductor.config as inductor\n"
)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("torch._dynamo.config.recompile_limit = 16", [("recompile_limit", KeyUse.SET)]),
        ("x = inductor.triton.cudagraphs", [("triton.cudagraphs", KeyUse.READ)]),
        ("functorch_config.patch('a', 1)", [("a", KeyUse.PATCHED)]),
        (
            "functorch_config.patch({'a': 1, 'b': 2})",
            [("a", KeyUse.PATCHED), ("b", KeyUse.PATCHED)],
        ),
        ("functorch_config.patch(a=1)", [("a", KeyUse.PATCHED)]),
        ("setattr(functorch_config, 'a', 1)", [("a", KeyUse.SET)]),
        ("setattr(functorch_config, name, 1)", [("", KeyUse.SET)]),
        ("functorch_config.patch(overrides())", [("", KeyUse.PATCHED)]),
        ("torch.compile(f, options={'a': 1})", [("a", KeyUse.PASSED)]),
        ("compile_fx(g, x, config_patches={'a': 1})", [("a", KeyUse.PASSED)]),
        ("self.inductor_compile_config['a'] = 1", [("a", KeyUse.PASSED)]),
        ("something(options={'a': 1})", []),
        ("compile_fx(g, x, config_patches=None)", []),
        ("inductor.save_config_portable()", []),
    ],
)
def test_keys(tmp_path: Path, text: str, keys: list[tuple[str, KeyUse]]) -> None:
    found = tree_of(tmp_path, IMPORTS + text).keys
    assert [(each.key, each.use) for each in found] == keys
    assert {each.place.line for each in found} <= {4}


def test_the_keys_of_a_dict_that_a_function_fills(tmp_path: Path) -> None:
    text = IMPORTS + (
        "def f(flag):\n    d = {'a': 1}\n    if flag:\n        d['b'] = 2\n"
        "    with inductor.patch(**d):\n        pass\n"
    )
    assert sorted(each.path for each in tree_of(tmp_path, text).keys) == [
        "torch._inductor.config.a",
        "torch._inductor.config.b",
    ]


def test_a_key_is_no_private_name_as_well(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, "import torch\ntorch._dynamo.config.verbose = True\n")
    assert len(tree.keys) == 1
    assert tree.names == ()


@pytest.mark.parametrize(
    ("text", "use", "default"),
    [
        ("os.environ.get('TORCH_LOGS')", SwitchUse.READ, ""),
        ("os.getenv('TORCH_LOGS', '')", SwitchUse.READ, "''"),
        ("os.getenv('TORCH_LOGS', default='all')", SwitchUse.READ, "'all'"),
        ("os.environ['TORCH_LOGS']", SwitchUse.READ, ""),
        ("'TORCH_LOGS' in os.environ", SwitchUse.READ, ""),
        ("os.environ['TORCH_LOGS'] = '1'", SwitchUse.SET, ""),
        ("os.environ.setdefault('TORCH_LOGS', '1')", SwitchUse.SET, ""),
        ("del os.environ['TORCH_LOGS']", SwitchUse.REMOVED, ""),
        ("os.environ.pop('TORCH_LOGS', None)", SwitchUse.REMOVED, ""),
    ],
)
def test_switches(tmp_path: Path, text: str, use: SwitchUse, default: str) -> None:
    (found,) = tree_of(tmp_path, f"import os\n{text}\n").switches
    assert (found.name, found.use, found.default) == ("TORCH_LOGS", use, default)


def test_switches_under_other_names(tmp_path: Path) -> None:
    text = "from os import environ, getenv as g\nenviron['TRITON_CACHE_DIR']\ng('PYTORCH_X')\n"
    assert [each.name for each in tree_of(tmp_path, text).switches] == [
        "TRITON_CACHE_DIR",
        "PYTORCH_X",
    ]


def test_the_switches_of_others_are_not_torchs(tmp_path: Path) -> None:
    assert tree_of(tmp_path, "import os, torch\nos.environ['HOME']\n").switches == ()

"""Every real breakage that an expectation cites is replayed, or it is said why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import tomllib

from tests.conftest import ROOT

HERE = Path(__file__).parent
# What no CPU and no broken build can show.
NOT_REPLAYED = {
    "https://github.com/pytorch/pytorch/pull/151922": "Triton kernels are tuned on a GPU alone",
    "https://github.com/pytorch/pytorch/blob/v2.13.0/torch/_inductor/fx_passes/pad_mm.py": (
        "padding is timed on a GPU alone"
    ),
    "https://github.com/pytorch/pytorch/blob/v2.14.1/torch/_inductor/ir.py": (
        "torch uses the class itself wherever it still has it"
    ),
    "https://github.com/pytorch/pytorch/blob/v2.15.0/torch/_inductor/runtime/runtime_utils.py": (
        "torch is stricter there, and not broken"
    ),
    "https://github.com/vllm-project/vllm/blob/v0.32.0/vllm/compilation/decorators.py": (
        "the engine's own code is broken, and not torch"
    ),
}
PROJECTS = {
    "PYTORCH": "https://github.com/pytorch/pytorch",
    "VLLM": "https://github.com/vllm-project/vllm",
}


def replays() -> Iterator[tuple[str, str]]:
    """The name and the link of each mutation that has one; their modules import torch."""
    for file in sorted(HERE.glob("*.py")):
        for node in ast.parse(file.read_text()).body:
            for decorator in getattr(node, "decorator_list", ()):
                for keyword in getattr(decorator, "keywords", ()):
                    if keyword.arg == "replays":
                        assert isinstance(node, ast.FunctionDef)
                        yield node.name, eval(ast.unparse(keyword.value), {}, dict(PROJECTS))


def test_every_breakage_that_an_expectation_cites_is_replayed() -> None:
    """Those of the corpus are seen on the old releases themselves, on every run."""
    text = (ROOT / "compat" / "findings" / "expectations.toml").read_text()
    cited = {
        each["link"]
        for each in tomllib.loads(text)["expectation"]
        if each["probe"] != "corpus.right"
    }
    replayed = {link for _, link in replays()}
    assert cited - replayed == NOT_REPLAYED.keys()


def test_the_page_lists_what_is_replayed() -> None:
    page = (ROOT / "docs" / "what-it-sees.md").read_text()
    missing = [name for name, link in replays() if f"`{name}`" not in page or link not in page]
    assert not missing

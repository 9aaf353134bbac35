"""What the interface uses on some builds only: one table, a row per feature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch._inductor
from torch.fx.passes.split_module import split_module

from compat.interface.surface import accepts
from compat.interface.version import is_torch_equal_or_newer


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A parameter that the interface passes on some builds only.

    Attributes:
        name: The parameter's name.
        floor: The first torch version on which downstream switches it on, in PEP 440 order;
            None where downstream ships no gate and never uses it.
        capability: Asks the running build whether it really has the feature.
        source: Where the gate comes from.
    """

    name: str
    floor: str | None
    capability: Callable[[], bool]
    source: str

    def gate_open(self, torch_version: str | None = None) -> bool:
        """The gate's answer for ``torch_version``, or for the running torch."""
        return self.floor is not None and is_torch_equal_or_newer(self.floor, torch_version)


FEATURES = {
    feature.name: feature
    for feature in (
        Feature(
            name="donate_graph_module",
            floor="2.13.0.dev",
            capability=lambda: accepts(torch._inductor.standalone_compile, "donate_graph_module"),
            source="vllm#39733, pytorch#179910",
        ),
        Feature(
            name="fake_mode",
            floor=None,
            capability=lambda: accepts(torch._inductor.standalone_compile, "fake_mode"),
            source="pytorch#176562; vLLM 0.33.0 patches FakeTensorMode instead",
        ),
        Feature(
            name="aot",
            floor="2.10.0",
            capability=lambda: accepts(torch._inductor.standalone_compile, "aot"),
            source="vLLM 0.33.0, compiler_interface.py",
        ),
        Feature(
            name="tuple_return",
            floor="2.12.0.dev",
            capability=lambda: accepts(split_module, "tuple_return"),
            source="vLLM 0.33.0, backends.py",
        ),
    )
}

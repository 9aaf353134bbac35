"""What mutations are made of: wrappers around what compiles a graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import fx
from torch._inductor import compile_fx as inductor

from tests.probes.sabotages.seam import wrap_standalone_compile

# ``(real, graph, inputs, **keywords)``: what stands in the place of compile_fx.
Wrapper = Callable[..., Any]
Change = Callable[[torch.Tensor], torch.Tensor]


def wrap_compile_fx(patch: pytest.MonkeyPatch, wrapper: Wrapper) -> None:
    """Put ``wrapper`` in the place of ``compile_fx`` as it is called from outside of torch."""
    real = inductor.compile_fx

    def broken(graph: fx.GraphModule, inputs: Any, **keywords: Any) -> Any:
        # It calls itself, and standalone_compile calls it.
        if inspect.currentframe().f_back.f_globals["__name__"].startswith("torch."):  # type: ignore[union-attr]
            return real(graph, inputs, **keywords)
        return wrapper(real, graph, inputs, **keywords)

    broken.__signature__ = inspect.signature(real)  # type: ignore[attr-defined]
    patch.setattr(inductor, "compile_fx", broken)


class Artifact:
    """A compiled artifact that does something else when it is called."""

    def __init__(self, artifact: Any, call: Callable[..., Any]) -> None:
        self._artifact = artifact
        self._call = call

    def __call__(self, *inputs: Any) -> Any:
        return self._call(*inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._artifact, name)


def first_changed(result: Any, change: Change) -> Any:
    """What a compiled graph returns, its first output changed."""
    if isinstance(result, torch.Tensor):
        return change(result)
    first, *others = result
    return type(result)((change(first), *others))


def change_standalone(patch: pytest.MonkeyPatch, change: Change, *flags: str) -> None:
    """Change the first output of what standalone_compile compiles where all flags are given."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        artifact = real(graph, inputs, **keywords)
        if not all(keywords.get(flag) for flag in flags):
            return artifact
        return Artifact(artifact, lambda *given: first_changed(artifact(*given), change))

    wrap_standalone_compile(patch, wrapper)


def change_compile_fx(patch: pytest.MonkeyPatch, change: Change) -> None:
    """Change the first output of what compile_fx compiles for whoever calls it from outside."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        compiled = real(graph, inputs, **keywords)
        return lambda *given: first_changed(compiled(*given), change)

    wrap_compile_fx(patch, wrapper)

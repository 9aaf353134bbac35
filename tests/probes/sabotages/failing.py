"""Ways in which a failed compilation could do harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import fx
from torch._inductor import compile_fx as inductor

from tests.probes.sabotages.registry import sabotage_of
from tests.probes.sabotages.seam import wrap_standalone_compile

COMPILE_FX = "failing.compilation[compile_fx-bare"


def after_failing(patch: pytest.MonkeyPatch, harm: Callable[[Exception], None]) -> None:
    """Do harm whenever ``compile_fx`` raises."""
    real = inductor.compile_fx

    def harmful(*args: Any, **kwargs: Any) -> Any:
        try:
            return real(*args, **kwargs)
        except Exception as error:
            harm(error)
            raise

    patch.setattr(inductor, "compile_fx", harmful)


@sabotage_of(COMPILE_FX)
def failing_leaves_a_setting(patch: pytest.MonkeyPatch) -> None:
    def leave(_: Exception) -> None:
        torch._inductor.config.size_asserts = not torch._inductor.config.size_asserts

    after_failing(patch, leave)


@sabotage_of(COMPILE_FX)
def failing_once_is_failing_ever_after(patch: pytest.MonkeyPatch) -> None:
    def stay(_: Exception) -> None:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise RuntimeError("it failed before")

        patch.setattr(inductor, "compile_fx", refuse)

    after_failing(patch, stay)


@sabotage_of(COMPILE_FX)
def failing_raises_what_nobody_catches(patch: pytest.MonkeyPatch) -> None:
    def raise_another(error: Exception) -> None:
        raise KeyError(str(error)) from error

    after_failing(patch, raise_another)


@sabotage_of(COMPILE_FX)
def nothing_fails(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inductor, "compile_fx", lambda graph, *_, **__: graph)


@sabotage_of("failing.compilation[standalone-tuple")
def failing_rewrites_the_callers_graph(patch: pytest.MonkeyPatch) -> None:
    def wrapper(real: Any, graph: fx.GraphModule, inputs: Any, **kwargs: Any) -> Any:
        try:
            return real(graph, inputs, **kwargs)
        except Exception:
            output = graph.graph.output_node()
            (value,) = output.args[0]
            with graph.graph.inserting_before(output):
                output.args = ((graph.graph.call_function(torch.neg, (value,)),),)
            graph.recompile()
            raise

    wrap_standalone_compile(patch, wrapper)


@sabotage_of("failing.backward[standalone")
def failing_backward_leaves_a_setting(patch: pytest.MonkeyPatch) -> None:
    real = torch.Tensor.backward

    def forgetful(self: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        try:
            real(self, *args, **kwargs)
        except Exception:
            torch._inductor.config.size_asserts = not torch._inductor.config.size_asserts
            raise

    def wrapper(compile_real: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return compile_real(*args, **kwargs)
        except Exception:
            torch._inductor.config.size_asserts = not torch._inductor.config.size_asserts
            raise

    patch.setattr(torch.Tensor, "backward", forgetful)
    wrap_standalone_compile(patch, wrapper)

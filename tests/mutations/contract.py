"""What a caller may rely on besides values: types, aliases, memory formats, gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.mutations.breaking import (
    Artifact,
    change_compile_fx,
    change_standalone,
    first_changed,
    wrap_compile_fx,
)
from tests.mutations.catalogue import SAME_BITS, mutation
from tests.probes.sabotages.seam import wrap_standalone_compile

LEGACY = r"parity.outputs\[mlp-float32-static-compile_fx\] contract: lost"
OF_LEGACY = (r"compile_fx", SAME_BITS)


@mutation(LEGACY, also=OF_LEGACY)
def the_output_requires_grad(patch: pytest.MonkeyPatch) -> None:
    """The legacy path returns a tensor that requires gradients."""
    change_compile_fx(patch, lambda output: output.clone().requires_grad_())


@mutation(LEGACY, also=OF_LEGACY)
def the_output_is_a_parameter(patch: pytest.MonkeyPatch) -> None:
    """The legacy path returns a Parameter in the place of a tensor."""
    change_compile_fx(patch, lambda output: nn.Parameter(output, requires_grad=False))


@mutation(LEGACY, also=OF_LEGACY)
def strides_are_others(patch: pytest.MonkeyPatch) -> None:
    """The legacy path returns its output column by column."""
    change_compile_fx(
        patch, lambda output: output.mT.contiguous().mT if output.ndim > 1 else output
    )


@mutation(LEGACY, also=OF_LEGACY)
def the_output_lies_in_the_input(patch: pytest.MonkeyPatch) -> None:
    """What the legacy path returns is right, and shares the memory of its input."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        compiled = real(graph, inputs, **keywords)

        def call(*given: Any) -> Any:
            def into_input(output: torch.Tensor) -> torch.Tensor:
                likely = (each for each in given if isinstance(each, torch.Tensor))
                (place,) = (each for each in likely if each.shape == output.shape)
                return place.copy_(output).view_as(output)

            return first_changed(compiled(*given), into_input)

        return call

    wrap_compile_fx(patch, wrapper)


@mutation(
    r"parity.outputs\[aliases-float32-static-standalone\] contract: lost",
    asks=("parity.outputs[aliases-float32-static",),
    also=(r"parity.outputs\[aliases.*(standalone|aot|donated)", SAME_BITS),
)
def a_view_is_a_copy(patch: pytest.MonkeyPatch) -> None:
    """What standalone_compile compiles returns a copy where eager returns a view of an output."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        artifact = real(graph, inputs, **keywords)

        def call(*given: Any) -> Any:
            result = artifact(*given)
            return type(result)(_copied(each) for each in result)

        return Artifact(artifact, call)

    wrap_standalone_compile(patch, wrapper)


def _copied(value: Any) -> Any:
    """A copy with the same strides."""
    if not isinstance(value, torch.Tensor):
        return value
    copy = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype)
    return copy.copy_(value)


@mutation(
    r"corpus.right\[reflected-with-channels-last-standalone\] contract: lost",
    asks=("corpus.right[reflected-with-channels-last-standalone",),
    also=(r"corpus.right\[reflected", r"corpus"),
    since="2.13",
    replays="https://github.com/pytorch/pytorch/issues/183770",
)
def padding_loses_the_memory_format(patch: pytest.MonkeyPatch) -> None:
    """A padded image is contiguous where eager's has its channels last, as in 2.12 and before."""
    change_standalone(patch, lambda output: output.contiguous() if output.ndim == 4 else output)

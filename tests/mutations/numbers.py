"""Outputs that are off, or of another dtype or shape."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch._inductor
from torch._inductor import config as inductor_config

from tests.mutations.breaking import (
    Artifact,
    Change,
    change_compile_fx,
    change_standalone,
    first_changed,
    wrap_compile_fx,
)
from tests.mutations.catalogue import COMPILED, NUMBERS, PYTORCH, SAME_BITS, WORK, mutation
from tests.probes.sabotages import seam as sabotages
from tests.probes.sabotages.seam import off_by_steps, wrap_standalone_compile

LEGACY = r"parity.outputs\[.*-compile_fx.*: (lost|worse)"
STANDALONE = r"parity.outputs\[.*-standalone.*: (lost|worse)"
OF_STANDALONE = (r"(standalone|aot|donated)", r"donation", SAME_BITS)


def _of(dtype: torch.dtype, factor: float) -> Any:
    return lambda output: output * factor if output.dtype is dtype else output


def _floating(change: Change) -> Change:
    return lambda output: change(output) if output.is_floating_point() else output


@mutation(
    r"parity.outputs\[.*bfloat16.*-compile_fx.*: (lost|worse)",
    asks=NUMBERS,
    also=(r"bfloat16.*compile_fx", SAME_BITS),
    quick=True,
)
def legacy_is_off_in_bfloat16(patch: pytest.MonkeyPatch) -> None:
    """The legacy path is off by 2 % in bfloat16 alone."""
    change_compile_fx(patch, _of(torch.bfloat16, 1.02))


@mutation(LEGACY, asks=NUMBERS, also=(r"float32.*compile_fx", SAME_BITS))
def legacy_is_off_in_float32(patch: pytest.MonkeyPatch) -> None:
    """The legacy path is off by a tenth of a per cent in float32 alone."""
    change_compile_fx(patch, _of(torch.float32, 1.001))


@mutation(STANDALONE, asks=NUMBERS, also=OF_STANDALONE, through=(COMPILED,), quick=True)
def standalone_is_off(patch: pytest.MonkeyPatch) -> None:
    """What standalone_compile compiles is off by a tenth of a per cent."""
    change_standalone(patch, lambda output: output * 1.001)


@mutation(r"parity.outputs\[.*-aot.*: (lost|worse)", asks=NUMBERS, also=(r"aot", SAME_BITS))
def aot_is_off(patch: pytest.MonkeyPatch) -> None:
    """What standalone_compile compiles with aot=True is off by a tenth of a per cent."""
    change_standalone(patch, lambda output: output * 1.001, "aot")


@mutation(asks=NUMBERS, also=(r"bits|bitwise|same|digest|agree",))
def one_element_is_off_by_a_step(patch: pytest.MonkeyPatch) -> None:
    """One element of the legacy path is off by one rounding step: no cell may go red."""
    change_compile_fx(patch, _floating(lambda output: off_by_steps(output, 1)))


@mutation(LEGACY, asks=NUMBERS, also=(r"compile_fx", SAME_BITS))
def one_element_is_off_by_ten_steps(patch: pytest.MonkeyPatch) -> None:
    """One element of the legacy path is off by ten rounding steps."""
    change_compile_fx(patch, _floating(lambda output: off_by_steps(output, 10)))


@mutation(LEGACY, asks=NUMBERS, also=(r"compile_fx", SAME_BITS))
def only_another_batch_is_wrong(patch: pytest.MonkeyPatch) -> None:
    """The legacy path is off for batches larger than the first one alone."""
    sizes: list[int] = []

    def change(output: torch.Tensor) -> torch.Tensor:
        sizes.append(len(output))
        return output * 1.01 if len(output) != sizes[0] else output

    change_compile_fx(patch, change)


@mutation(LEGACY, asks=NUMBERS, also=(r"compile_fx", SAME_BITS))
def only_the_second_call_is_wrong(patch: pytest.MonkeyPatch) -> None:
    """What the legacy path compiles is off from its second call on."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        compiled = real(graph, inputs, **keywords)
        calls = [0]

        def call(*given: Any) -> Any:
            calls[0] += 1
            result = compiled(*given)
            return first_changed(result, lambda each: each * 1.01) if calls[0] > 1 else result

        return call

    wrap_compile_fx(patch, wrapper)


@mutation(LEGACY, asks=NUMBERS, also=(r"compile_fx", SAME_BITS), through=(COMPILED,), quick=True)
def nan_where_eager_has_none(patch: pytest.MonkeyPatch) -> None:
    """The legacy path returns a NaN."""

    def change(output: torch.Tensor) -> torch.Tensor:
        spoilt = output.clone()
        spoilt.view(-1)[0] = torch.nan
        return spoilt

    change_compile_fx(patch, _floating(change))


@mutation(STANDALONE, asks=NUMBERS, also=OF_STANDALONE)
def an_infinity(patch: pytest.MonkeyPatch) -> None:
    """What standalone_compile compiles returns infinities for large values."""
    change_standalone(patch, lambda output: torch.where(output > 0.1, torch.inf, output))


@mutation(STANDALONE, asks=NUMBERS, also=OF_STANDALONE)
def nothing_but_zeros(patch: pytest.MonkeyPatch) -> None:
    """What standalone_compile compiles returns zeros."""
    change_standalone(patch, torch.zeros_like)


@mutation(
    r"parity.outputs\[.*bfloat16.*-compile_fx.*: (lost|worse)",
    asks=NUMBERS,
    also=(r"bfloat16.*compile_fx", SAME_BITS),
)
def bfloat16_comes_as_float32(patch: pytest.MonkeyPatch) -> None:
    """The legacy path returns float32 in the place of bfloat16."""
    change_compile_fx(patch, lambda output: output.float())


@mutation(STANDALONE, also=OF_STANDALONE)
def a_dimension_more(patch: pytest.MonkeyPatch) -> None:
    """What standalone_compile compiles returns one dimension more."""
    change_standalone(patch, lambda output: output.unsqueeze(0))


@mutation(STANDALONE, also=OF_STANDALONE)
def inputs_are_overwritten(patch: pytest.MonkeyPatch) -> None:
    """What standalone_compile compiles writes into the first floating-point input."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        artifact = real(graph, inputs, **keywords)

        def call(*given: Any) -> Any:
            result = artifact(*given)
            for each in given:
                if isinstance(each, torch.Tensor) and each.is_floating_point():
                    each.data.mul_(1.5)
                    break
            return result

        return Artifact(artifact, call)

    wrap_standalone_compile(patch, wrapper)


@mutation(STANDALONE, asks=NUMBERS, also=(*OF_STANDALONE, r"compile_fx", r"eager"))
def gelu_is_approximate(patch: pytest.MonkeyPatch) -> None:
    """While something is compiled, gelu is its tanh approximation, times 1.001."""
    real = torch.nn.functional.gelu

    def rough(x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
        if torch.compiler.is_compiling():
            return real(x, approximate="tanh") * 1.001
        return real(x, approximate=approximate)

    patch.setattr(torch.nn.functional, "gelu", rough)


@mutation(
    r"parity.outputs\[block-float32-static-(compile_fx|standalone).*: (lost|worse)",
    asks=("parity.outputs[block-float32-static",),
    also=(r"parity.outputs\[block", SAME_BITS),
    replays=f"{PYTORCH}/issues/187735",
)
def numbers_drift(patch: pytest.MonkeyPatch) -> None:
    """What is compiled of silu computes other numbers than it did, as a candidate of 2.13 did."""
    sabotages.numbers_drift(patch)


@mutation(asks=NUMBERS, also=(r"bits|bitwise|same|digest|agree|kernels",))
def kernels_are_not_fused(patch: pytest.MonkeyPatch) -> None:
    """Inductor fuses nothing: kernels are others, and no cell may go red."""
    patch.setattr(inductor_config, "max_fusion_size", 1)


@mutation(r"cost.work.*: (worse|lost)", asks=WORK, also=(r"cost.work", r"kernels"))
def legacy_compiles_twice(patch: pytest.MonkeyPatch) -> None:
    """compile_fx does its work twice."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        with inductor_config.patch(force_disable_caches=True):
            real(copy.deepcopy(graph), inputs, **keywords)
        return real(graph, inputs, **keywords)

    wrap_compile_fx(patch, wrapper)


@mutation(
    r"cost.work.*: (worse|lost)",
    asks=WORK,
    also=(r"cost.work", r"kernels", r"copies"),
    through=(r"^subject.compiled\[.* copies: worse",),
    quick=True,
)
def standalone_does_tenfold_work(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile runs the passes over a graph ten times."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        with inductor_config.patch(force_disable_caches=True):
            for _ in range(9):
                real(copy.deepcopy(graph), inputs, **keywords)
        return real(graph, inputs, **keywords)

    wrap_standalone_compile(patch, wrapper)

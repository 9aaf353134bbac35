"""What is red and what is green to the judge of numbers and contracts. Runs inside a build."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from compat.probes.agreement import Judgement, Reference, judge
from compat.probes.calls import Call, digest, pack, samples, unpack
from compat.probes.driving import run_eagerly
from compat.probes.models import make_input, make_model

# With 512 elements each.
SIZES = {"block": 8, "reduction": 512}


def reference_of(model: str, dtype: torch.dtype) -> Reference:
    batch = make_input(SIZES[model], dtype, "cpu", model)
    return run_eagerly(make_model(model, dtype, "cpu"), [batch])


def judged(reference: Reference, change: Callable[[torch.Tensor], Any]) -> Judgement:
    """Eager's own call with its first output changed."""
    (call,) = reference.eager
    result = call.result
    if isinstance(result, tuple):
        return judge([Call((change(result[0]), *result[1:]), call.given)], reference)
    return judge([Call(change(result), call.given)], reference)


def steps_up(output: torch.Tensor, steps: int, place: int) -> torch.Tensor:
    """One element, moved by so many neighbours of its dtype."""
    moved = output.clone().flatten()
    for _ in range(steps):
        moved[place] = torch.nextafter(moved[place], torch.tensor(math.inf, dtype=output.dtype))
    return moved.view(output.shape)


def test_a_bias_does_not_hide_in_what_eager_is_off_by() -> None:
    """As after two layers in bfloat16: eager's own error is two rounding steps."""
    exact = torch.randn(12, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = torch.randn(2, 12, 64, generator=torch.Generator().manual_seed(1)) * 2 * 2**-7
    eager, other = ((exact + each).bfloat16() for each in noise)
    reference = Reference(eager=(Call(eager),), exact=(Call(exact),))
    assert judge([Call(other)], reference).agrees
    seen = judge([Call((exact * 1.02 + noise[1]).bfloat16())], reference)
    assert seen.ratio < 1 < seen.bias_ratio, seen


def test_what_is_eagers_bit_by_bit_agrees_however_far_off_eager_is() -> None:
    exact = torch.linspace(1, 2, 64, dtype=torch.float64)
    eager = Call((exact * 1.01).float())
    reference = Reference(eager=(eager,), exact=(Call(exact),))
    assert judge([eager], reference).agrees
    seen = judge([Call((exact * 1.025).float())], reference)
    assert not seen.agrees, seen


def largest(output: torch.Tensor) -> int:
    return int(output.flatten().abs().argmax())


def at_the_mean(output: torch.Tensor) -> int:
    """The smallest element that is not below the output's root mean square."""
    size = output.double().flatten().abs()
    return int(size.where(size >= size.pow(2).mean().sqrt(), torch.inf).argmin())


@pytest.mark.parametrize("model", SIZES)
@pytest.mark.parametrize(
    ("dtype", "bias"), [(torch.bfloat16, 0.02), (torch.float32, 1e-3), (torch.float16, 0.005)]
)
def test_a_bias_is_red(model: str, dtype: torch.dtype, bias: float) -> None:
    reference = reference_of(model, dtype)
    assert judged(reference, lambda output: output).agrees
    seen = judged(reference, lambda output: output * (1 + bias))
    assert not seen.agrees
    assert seen.bias_ratio > 1, seen


@pytest.mark.parametrize("model", SIZES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float16])
def test_one_element_may_be_off_by_one_step_and_not_by_ten(model: str, dtype: torch.dtype) -> None:
    reference = reference_of(model, dtype)
    for place in (largest, at_the_mean):
        for steps, agrees in ((1, True), (10, False)):
            seen = judged(reference, lambda out: steps_up(out, steps, place(out)))  # noqa: B023
            assert seen.agrees is agrees, seen
            assert (seen.element_ratio <= 1) is agrees, seen


def test_an_element_that_eager_gets_wrong_may_be_wrong() -> None:
    """What is added cancels out in one row: eager is far off there, and so may a compiler be."""
    exact = torch.ones(64, 64, dtype=torch.float64)
    eager = exact.float()
    eager[3, 5] += 1e-4
    other = exact.float()
    other[3, 5] -= 1e-4
    reference = Reference(eager=(Call(eager),), exact=(Call(exact),))
    assert judge([Call(other)], reference).agrees
    elsewhere = exact.float()
    elsewhere[4, 5] -= 1e-4
    assert not judge([Call(elsewhere)], reference).agrees


def test_only_the_second_call_is_wrong() -> None:
    model = make_model("mlp", torch.float32, "cpu")
    batches = [make_input(size, torch.float32, "cpu") for size in (5, 8)]
    reference = run_eagerly(model, batches)
    first, second = reference.eager
    assert judge([first, second], reference).agrees
    assert not judge([first, Call(second.result * 1.001, second.given)], reference).agrees
    assert judge([first], reference).contract == ("structure",)


@pytest.mark.parametrize(
    ("change", "contract"),
    [
        (lambda output: output.double(), ("dtype",)),
        (lambda output: output.t().contiguous().t(), ("memory_format", "strides")),
        (lambda output: output[:-1], ("shape",)),
        (lambda output: [output], ("structure",)),
        (lambda output: (output,), ("structure",)),
        (lambda output: {"out": output}, ("structure",)),
        (lambda output: None, ("structure",)),
        (lambda output: output.clone().requires_grad_(), ("requires_grad",)),
        (lambda output: nn.Parameter(output, requires_grad=False), ("structure",)),
    ],
)
def test_the_contract_of_a_call(
    change: Callable[[torch.Tensor], Any], contract: tuple[str, ...]
) -> None:
    seen = judged(reference_of("block", torch.float32), change)
    assert seen.contract == contract
    assert not seen.agrees


def test_what_is_left_out_is_said() -> None:
    reference = reference_of("block", torch.float32)
    (call,) = reference.eager
    seen = judge([Call([call.result], call.given)], reference, left_out=("structure",))
    assert seen.agrees
    assert seen.left_out == ("structure",)


def test_aliases() -> None:
    model = make_model("aliases", torch.float32, "cpu")
    batch = make_input(5, torch.float32, "cpu")
    reference = run_eagerly(model, [batch])
    (call,) = reference.eager
    own, computed, view = call.result
    for result in ((own.clone(), computed, view), (own, computed, view.clone())):
        assert "aliasing" in judge([Call(result, call.given)], reference).contract
    # Of what lies in memory, not of what is equal.
    assert judge([Call((own, computed, view), call.given)], reference).agrees


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite(value: float) -> None:
    def spoil(output: torch.Tensor) -> torch.Tensor:
        spoilt = output.clone()
        spoilt.view(-1)[7] = value
        return spoilt

    reference = reference_of("block", torch.float32)
    seen = judged(reference, spoil)
    assert not seen.agrees
    assert math.isnan(seen.max_abs)
    (call,) = reference.eager
    also = Reference(eager=(Call(spoil(call.result), call.given),), exact=reference.exact)
    assert judged(also, lambda output: output).agrees
    assert not judged(also, lambda output: output.nan_to_num(0.0, 0.0, 0.0)).agrees


def test_numbers_that_are_no_floats() -> None:
    tokens = torch.arange(4)
    reference = Reference(eager=(Call(tokens),), exact=(Call(tokens),))
    assert judge([Call(tokens.clone())], reference).agrees
    assert not judge([Call(tokens + (tokens == 2))], reference).agrees


def test_float64_is_exact_also_where_a_model_asks_for_float32() -> None:
    """The block's norms are computed in float32 of its own accord."""
    model = make_model("block", torch.float32, "cpu")
    (call,) = run_eagerly(copy.deepcopy(model), [make_input(8, torch.float32, "cpu")]).exact
    assert call.result.dtype is torch.float64

    norms = nn.Identity()
    norms.forward = lambda x: x.float().pow(2).to(torch.float32).mean(-1, dtype=torch.float32)
    x = torch.randn(8, 64)
    (call,) = run_eagerly(norms, [x]).exact
    assert torch.equal(call.result, x.double().pow(2).mean(-1))


def test_calls_reach_another_process_as_they_were() -> None:
    model = make_model("aliases", torch.bfloat16, "cpu")
    reference = run_eagerly(model, [make_input(5, torch.bfloat16, "cpu")])
    arrived = unpack(pack(reference.eager))
    assert judge(arrived, reference).agrees
    assert digest(arrived) == digest(reference.eager)
    assert samples(arrived) == samples(reference.eager)


def test_a_digest_tells_bits_dtypes_and_shapes_apart() -> None:
    values = torch.tensor([0.0, 1.0])
    others = [torch.tensor([-0.0, 1.0]), values.double(), values.view(2, 1)]
    digests = {digest([Call(each)]) for each in [values, *others]}
    assert len(digests) == 4
    assert digest([Call(values[::2])]) == digest([Call(values[:1])])

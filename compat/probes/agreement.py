"""Whether what a compiler computes agrees with what the model computes without one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

from compat.probes.calls import Call, Traits

# As torch._dynamo.utils.same() judges its benchmarks: an output's root mean square error, against
# the same model in float64, may be so many times what eager's is in the same dtype, plus a share of
# a rounding step at the output's root mean square. That is for outputs of few elements, in which
# eager may be right by luck.
TIMES_EAGER = 2.0
FLOOR_STEPS = 0.5
# Errors of rounding go up and down, so that an output as a whole is hardly larger or smaller for
# them: what all elements have in common may be this share of eager's root mean square error, plus
# one rounding step, plus what eager's own have in common, as where a GPU rounds products to TF32.
# That is less than half of a bias of 2 % in bfloat16.
BIAS_OF_EAGER = 0.5
FLOOR_BIAS_STEPS = 1.0
# An element may be as far off as eager's errors make one expect: at this many times their root mean
# square, of a million elements none is by chance. Where eager itself is farther off, as where what
# is added cancels out, an element may be so twice.
TIMES_EAGER_ELEMENT = 6.0
FLOOR_ELEMENT_STEPS = 3.0
TIMES_SAME_ELEMENT = 2.0

STRUCTURE = "structure"


@dataclass(frozen=True)
class Reference:
    """What a model computes without any compiler, call by call.

    Attributes:
        eager: In its own dtype.
        exact: In float64, the structure the same.
    """

    eager: tuple[Call, ...]
    exact: tuple[Call, ...]


@dataclass(frozen=True)
class Judgement:
    """How a compiler's calls compare with eager's; each number is the worst of all outputs.

    One rounding step is the distance between two neighbours of the dtype, at the larger of the
    element and the output's root mean square. What cannot be compared, and what is finite on one
    side only, is NaN or infinitely far off.

    Attributes:
        max_abs: The largest difference from eager.
        max_rel: The largest relative one, of elements above a thousandth of the largest.
        error: The root mean square error against float64, in rounding steps,
        eager_error: and eager's, of that same output.
        ratio: The root mean square error as a share of what is allowed,
        bias_ratio: the part of the error that all elements have in common, likewise,
        element_ratio: and that of the worst element.
        worst_steps: How far that element is from float64, in rounding steps.
        contract: What else differs from eager: ``structure``, or a trait's name. Each once.
        left_out: What was not compared on purpose.
    """

    max_abs: float
    max_rel: float
    error: float
    eager_error: float
    ratio: float
    bias_ratio: float
    element_ratio: float
    worst_steps: float
    contract: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the numbers are as right as eager's, and the contract is eager's."""
        # A comparison with NaN is false.
        shares = (self.ratio, self.bias_ratio, self.element_ratio)
        return all(share <= 1 for share in shares) and not self.contract

    def __str__(self) -> str:
        said = (
            f"off by {self.max_abs:.3g} (relative {self.max_rel:.3g}): root mean square error "
            f"{self.error:.3g} rounding steps, eager's {self.eager_error:.3g}, {self.ratio:.3g} of "
            f"what is allowed; bias {self.bias_ratio:.3g} of that; worst element "
            f"{self.worst_steps:.3g} steps, {self.element_ratio:.3g} of that"
        )
        return said + (f"; not as eager: {', '.join(self.contract)}" if self.contract else "")


@dataclass(frozen=True)
class _Errors:
    """Of one output."""

    max_abs: float = 0.0
    max_rel: float = 0.0
    error: float = 0.0
    eager_error: float = 0.0
    ratio: float = 0.0
    bias_ratio: float = 0.0
    element_ratio: float = 0.0
    worst_steps: float = 0.0


_EQUAL = _Errors()
_INCOMPARABLE = _Errors(
    max_abs=math.nan,
    max_rel=math.nan,
    ratio=math.inf,
    bias_ratio=math.inf,
    element_ratio=math.inf,
    worst_steps=math.inf,
)


def judge(
    actual: Sequence[Call], reference: Reference, *, left_out: tuple[str, ...] = ()
) -> Judgement:
    """Compare calls one by one: their numbers, and all else that a caller may rely on."""
    differing: set[str] = set()
    errors = [_EQUAL]
    if len(actual) != len(reference.eager):
        differing.add(STRUCTURE)
        errors.append(_INCOMPARABLE)
    for call, eager, exact in zip(actual, reference.eager, reference.exact, strict=False):
        differing.update(contract_differences(call, eager))
        if len(call.tensors) != len(eager.tensors):
            differing.add(STRUCTURE)
            errors.append(_INCOMPARABLE)
            continue
        errors += map(_errors, call.tensors, eager.tensors, exact.tensors)
    worst = max(errors, key=lambda each: _or_infinite(each.ratio))
    worst_element = max(errors, key=lambda each: _or_infinite(each.element_ratio))
    return Judgement(
        max_abs=max((each.max_abs for each in errors), key=_or_infinite),
        max_rel=max((each.max_rel for each in errors), key=_or_infinite),
        error=worst.error,
        eager_error=worst.eager_error,
        ratio=worst.ratio,
        bias_ratio=max(each.bias_ratio for each in errors),
        element_ratio=worst_element.element_ratio,
        worst_steps=worst_element.worst_steps,
        contract=tuple(sorted(differing - set(left_out))),
        left_out=left_out,
    )


def _or_infinite(value: float) -> float:
    return math.inf if math.isnan(value) else value


def contract_differences(actual: Call, expected: Call) -> set[str]:
    """``structure`` or the names of the traits in which two calls differ."""
    differing = set() if actual.structure == expected.structure else {STRUCTURE}
    for got, wanted in zip(actual.traits, expected.traits, strict=False):
        differing |= {
            each.name
            for each in fields(Traits)
            if getattr(got, each.name) != getattr(wanted, each.name)
        }
    return differing


def _errors(actual: torch.Tensor, eager: torch.Tensor, exact: torch.Tensor) -> _Errors:
    if actual.shape != eager.shape:
        return _INCOMPARABLE
    actual, eager_values, exact = (each.detach().cpu() for each in (actual, eager, exact))
    if not eager.is_floating_point():
        return _EQUAL if torch.equal(actual, eager_values) else _INCOMPARABLE
    return _floating_errors(actual.double(), eager_values.double(), exact.double(), eager.dtype)


def _floating_errors(
    actual: torch.Tensor, eager: torch.Tensor, exact: torch.Tensor, dtype: torch.dtype
) -> _Errors:
    """Of float64 values that had ``dtype``."""
    finite = eager.isfinite()
    if not torch.equal(finite, actual.isfinite()):
        return _INCOMPARABLE
    if not torch.allclose(actual[~finite], eager[~finite], equal_nan=True):
        return _INCOMPARABLE
    # float64 may be finite where the dtype overflows, and there is nothing else to be said.
    finite &= exact.isfinite()
    actual, eager, exact = actual[finite], eager[finite], exact[finite]
    if not actual.numel():
        return _EQUAL
    scale = _root_mean_square(exact)
    step = _step(scale, dtype)
    info = torch.finfo(dtype)
    steps = _step(torch.maximum(exact.abs(), scale), dtype)
    off, eager_off = (actual - exact).abs(), (eager - exact).abs()
    error, eager_error = _root_mean_square(off), _root_mean_square(eager_off)
    allowed = torch.maximum(
        FLOOR_ELEMENT_STEPS * steps + TIMES_EAGER_ELEMENT * eager_error,
        TIMES_SAME_ELEMENT * eager_off,
    )
    worst = (off / allowed).argmax()
    bias = _bias(actual - exact, exact)
    allowed_bias = (
        FLOOR_BIAS_STEPS * info.eps
        + BIAS_OF_EAGER * eager_error / scale.clamp(min=info.smallest_normal)
        + _bias(eager - exact, exact)
    )
    distance = (actual - eager).abs()
    large = eager.abs() > 1e-3 * eager.abs().max()
    return _Errors(
        max_abs=distance.max().item(),
        max_rel=(distance[large] / eager[large].abs()).max().item() if large.any() else 0.0,
        error=(error / step).item(),
        eager_error=(eager_error / step).item(),
        ratio=(error / (TIMES_EAGER * eager_error + FLOOR_STEPS * step)).item(),
        bias_ratio=(bias / allowed_bias).item(),
        element_ratio=(off / allowed)[worst].item(),
        worst_steps=(off / steps)[worst].item(),
    )


def _root_mean_square(values: torch.Tensor) -> torch.Tensor:
    return values.pow(2).mean().sqrt()


def _bias(off: torch.Tensor, exact: torch.Tensor) -> torch.Tensor:
    """By how much an output is too large or too small as a whole, as a share of it."""
    square = exact.pow(2).sum()
    return ((off * exact).sum() / square).abs() if square > 0 else torch.zeros(())


def _step(magnitude: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The distance between neighbours of ``dtype`` at a magnitude."""
    info = torch.finfo(dtype)
    _, exponent = torch.frexp(magnitude.clamp(min=info.smallest_normal))
    return info.eps * torch.exp2(exponent.double() - 1)

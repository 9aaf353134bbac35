"""What a model computes in float64, which all that computes less exactly is judged by."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_ROUNDING = frozenset({torch.float32, torch.bfloat16, torch.float16})
_CASTS = frozenset({torch.Tensor.float, torch.Tensor.bfloat16, torch.Tensor.half})


class InFloat64(TorchFunctionMode):
    """Whatever asks for float32, bfloat16 or float16 gets float64.

    A model that computes its norms in float32, say, would otherwise not be exact.
    """

    def __torch_function__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch._scaled_mm:
            return _scaled_product(*args)
        if func in _CASTS:
            func = torch.Tensor.double
        given = {name: _exact(value) for name, value in (kwargs or {}).items()}
        return func(*map(_exact, args), **given)


def _scaled_product(
    a: torch.Tensor, b: torch.Tensor, scale_a: torch.Tensor, scale_b: torch.Tensor
) -> torch.Tensor:
    """What torch._scaled_mm computes, which has no float64 to give it in."""
    return (a.double() * scale_a.double()) @ (b.double() * scale_b.double())


def _exact(value: Any) -> Any:
    return torch.float64 if isinstance(value, torch.dtype) and value in _ROUNDING else value


def in_float64(model: nn.Module) -> nn.Module:
    """A copy of ``model`` whose parameters and buffers are exactly the same, in float64."""
    return copy.deepcopy(model).double()


def to_float64(value: Any) -> Any:
    """A tensor of floating point numbers in float64; anything else as it is."""
    floating = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.double() if floating else value

"""Functions that are compiled ahead of time, saved, and loaded by another process.

A probe copies this file: the process that loads must not have it from the one that saved.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch

SCALE = 3.0


def decorated(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
    @functools.wraps(function)
    def inner(x: torch.Tensor) -> torch.Tensor:
        return function(x) * 2

    return inner


@decorated
def helper(x: torch.Tensor) -> torch.Tensor:
    return x.sin()


def make_closure(scale: float) -> Callable[[torch.Tensor], torch.Tensor]:
    def closed(x: torch.Tensor) -> torch.Tensor:
        return x * scale

    return closed


class Net(torch.nn.Module):
    """With parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(8, 8)
        with torch.no_grad():
            self.linear.weight.copy_(torch.linspace(-1, 1, 64).reshape(8, 8))
            self.linear.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.linear(x))


class Reflecting(Net):
    """It asks for its own class."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + len(type(self).mro())


@torch.library.custom_op("compat_aot::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return x * 2


@twice.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


def plain(x: torch.Tensor) -> torch.Tensor:
    return x.sin() + 1


def builtins(x: torch.Tensor) -> torch.Tensor:
    number = max(x.dim(), len(x.shape))
    return x + sum(range(number)) + abs(-1)


def wrapped(x: torch.Tensor) -> torch.Tensor:
    return helper(x) + 1


def reads_global(x: torch.Tensor) -> torch.Tensor:
    return x * SCALE


def default_argument(x: torch.Tensor, factor: int = 2) -> torch.Tensor:
    return x * factor


def operator(x: torch.Tensor) -> torch.Tensor:
    return twice(x) + 1


def several(x: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    return x + 1, {"twice": x * 2}


def mutates(x: torch.Tensor) -> torch.Tensor:
    y = x.clone()
    y.add_(1)
    return y


def rows(x: torch.Tensor) -> torch.Tensor:
    return x.sum(0) * x.shape[0]


closure = make_closure(3.0)

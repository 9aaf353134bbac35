"""Graphs that draw random numbers: how these are distributed counts, and that a seed gives them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compat.probes.graphs.graph import graph


@graph(
    "https://github.com/pytorch/pytorch/issues/198333",
    lambda _: (torch.ones(8, 64, 16),),
    draws=(0.0, 2.0),
)
def dropped_out_and_transposed(x: Tensor) -> Tensor:
    return nn.functional.dropout(x.transpose(1, 2), 0.5, training=True)


@graph(
    "https://github.com/pytorch/pytorch/issues/193938",
    lambda _: (torch.zeros(4, 2000),),
    draws=(0.0, 1.0),
)
def quantiles_of_normal_numbers(x: Tensor) -> Tensor:
    """They are spread evenly between 0 and 1, if the numbers are normal ones."""
    return torch.special.ndtr(torch.randn_like(x))


@graph(
    "https://github.com/pytorch/pytorch/issues/194547",
    lambda _: (torch.zeros(4000).half(), torch.ones(4000)),
    draws=(0.0, 1.0),
)
def normal_numbers_of_two_dtypes(mean: Tensor, spread: Tensor) -> Tensor:
    return torch.special.ndtr(torch.normal(mean, spread).float()).to(mean.dtype)


@graph(
    "https://github.com/pytorch/pytorch/issues/168960",
    lambda _: (torch.randn(()),),
    draws=(0.0, 9.0),
)
def integers_beside_a_number(x: Tensor) -> Tensor:
    return torch.randint(0, 10, (4000,), device=x.device)


@graph(
    "https://github.com/pytorch/pytorch/issues/188223",
    lambda _: (torch.rand(4, 32),),
)
def taken_in_random_order(x: Tensor) -> Tensor:
    """In order again, they are the same ones whatever the order was."""
    torch.sigmoid_(x)
    return torch.take(x, torch.randperm(128, device=x.device)).sort().values

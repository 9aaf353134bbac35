"""Reductions over empty and single dimensions, and what is fused with them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compat.probes.graphs.graph import graph


@graph(
    "https://github.com/pytorch/pytorch/issues/197108",
    lambda _: (torch.randn(0, 3),),
)
def mean_and_variance_of_nothing(x: Tensor) -> tuple[Tensor, Tensor]:
    return torch.var_mean(x)


@graph(
    "https://github.com/pytorch/pytorch/issues/193265",
    lambda _: (torch.randn(2),),
)
def sum_of_one_constant(x: Tensor) -> Tensor:
    return torch.full((), 5.0, device=x.device).cumsum(0)


@graph(
    "https://github.com/pytorch/pytorch/issues/185535",
    lambda _: (torch.tensor([]), torch.randn(1, 3, 2, 4)),
)
def appended_to_an_empty_cache(cache: Tensor, new: Tensor) -> Tensor:
    """A cache that was never filled has one dimension, of no elements."""
    return torch.cat([cache, new], dim=-2) + 1


@graph(
    "https://github.com/pytorch/pytorch/issues/185535",
    lambda _: (torch.tensor([]), torch.randn(1, 3, 0, 4)),
)
def nothing_appended_to_an_empty_cache(cache: Tensor, new: Tensor) -> Tensor:
    return torch.cat([cache, new], dim=-2)


@graph(
    "https://github.com/pytorch/pytorch/pull/173206",
    lambda _: (torch.randn(2, 0, 3),),
)
def permuted_without_elements(x: Tensor) -> Tensor:
    return torch.empty_permuted((2, 0, 3), (2, 0, 1), device=x.device)


@graph(
    "https://github.com/pytorch/pytorch/issues/185702",
    lambda _: (
        *(torch.randn(4, 8, 32), torch.randn(4, 8)),
        *(torch.rand(8) + 0.5, torch.randn(8)),
    ),
)
def centred_terms_stacked(x: Tensor, y: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """A column of a larger tensor, three terms of it, and their mean taken off."""
    column = x[..., 16]
    positive = nn.functional.softplus(column) + 0.0001
    rates = nn.functional.softplus(y) + 0.0001
    first = torch.special.gammaln(positive + alpha.view(1, -1))
    second = torch.special.erf(column * beta.view(1, -1))
    third = torch.special.xlogy(positive, rates)
    stacked = torch.stack([first, second, third], dim=-1)
    return stacked - stacked.mean(dim=1, keepdim=True)


@graph(
    "https://github.com/pytorch/pytorch/issues/159154",
    lambda _: (torch.randn(5, 1, 32, 32), torch.rand(5)),
)
def normed_over_all_but_the_first(x: Tensor, scale: Tensor) -> Tensor:
    weights = torch.exp(-torch.einsum("i...,i->i...", x, scale))
    total = torch.einsum("i...->i", weights)
    return torch.einsum("i,i...->i...", 1 / total, weights)


@graph(
    "https://github.com/pytorch/pytorch/issues/183370",
    lambda _: (torch.randn(8, 7, 3, 3), torch.rand(63) + 0.5, torch.randn(63)),
)
def normed_then_flattened(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    normed = torch.flatten(
        nn.functional.leaky_relu(nn.functional.instance_norm(x), 0.2), start_dim=1
    )
    return torch.exp(torch.clamp(normed, max=10)) * scale + shift


@graph(
    "https://github.com/pytorch/pytorch/issues/195963",
    lambda _: (torch.rand(3, 1, 2, 2),),
)
def normed_then_pooled_and_transposed(x: Tensor) -> tuple[Tensor, Tensor]:
    pooled = nn.functional.max_pool2d(nn.functional.layer_norm(x, (2,), eps=0.1), 1, 1)
    return pooled, torch.transpose(pooled, 2, 3).clamp(-0.66, 0.53)


@graph(
    "https://github.com/pytorch/pytorch/issues/188217",
    lambda _: (torch.rand(1, 3, 16, 16, dtype=torch.float64),),
)
def normed_over_neighbouring_channels(x: Tensor) -> Tensor:
    pooled = nn.functional.max_pool2d(x, 8)
    return nn.functional.hardsigmoid(
        nn.functional.logsigmoid(nn.functional.local_response_norm(pooled, 2, alpha=0.028))
    )


@graph(
    "https://github.com/pytorch/pytorch/issues/180221",
    lambda _: (torch.randn(1, 130, 8), torch.randn(8)),
)
def running_sum_of_a_broadcast(x: Tensor, bias: Tensor) -> Tensor:
    return torch.cumsum(x + bias, dim=1)


@graph(
    "https://github.com/pytorch/pytorch/issues/178676",
    lambda n: (torch.randn(n, 24),),
    dynamic=True,
)
def split_reshaped_and_joined(x: Tensor) -> Tensor:
    first, second, third = torch.split(x, [8, 10, 6], dim=1)
    parts = (first.reshape(-1, 2), second.reshape(-1, 2), third.reshape(-1, 2))
    return torch.cat(parts, dim=0).relu() + 1

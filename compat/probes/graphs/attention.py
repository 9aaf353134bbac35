"""Attention written by hand, which Inductor's patterns take for something else."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compat.probes.graphs.graph import graph


@graph(
    "https://github.com/pytorch/pytorch/issues/195320",
    lambda _: (torch.randn(1, 4, 4, 8), torch.randn(1, 4, 4, 8), torch.randn(1, 4, 4, 8)),
)
def attention_with_a_permuted_key(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """As many tokens as heads: the pattern's shapes fit, and its numbers are other ones."""
    scores = torch.matmul(q, k.permute(0, 2, 3, 1))
    return (scores * 0.35).softmax(-1).matmul(v)


@graph(
    "https://github.com/pytorch/pytorch/pull/195383",
    lambda n: (torch.randn(1, 3, n, 8), torch.randn(1, n, 3, 8), torch.randn(1, 3, n, 8)),
)
def attention_with_a_permuted_key_not_square(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Three heads and five tokens: the pattern's replacement cannot be traced."""
    scores = torch.matmul(q, k.permute(0, 2, 3, 1))
    return (scores * 0.35).softmax(-1).matmul(v)


@graph(
    "https://github.com/pytorch/pytorch/pull/191260",
    lambda _: (torch.randn(4, 4, 8), torch.randn(4, 4, 8), torch.randn(4, 4, 8)),
)
def attention_of_three_dimensions_with_a_permuted_key(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.bmm(torch.bmm(q, k.permute(1, 2, 0)).softmax(-1), v)


@graph(
    "https://github.com/pytorch/pytorch/pull/195383",
    lambda _: (torch.randn(2, 3, 6, 8), torch.randn(2, 3, 6, 8), torch.randn(2, 3, 6, 8)),
)
def attention_whose_softmax_goes_over_queries(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The dimension of the softmax is a wildcard in the stored patterns, as that of a permute."""
    scores = torch.matmul(q, k.transpose(-2, -1))
    return (scores * 0.35).softmax(-2).matmul(v)


@graph(
    "https://github.com/pytorch/pytorch/issues/195320",
    lambda _: (torch.randn(1, 4, 4, 8), torch.randn(1, 4, 4, 8), torch.randn(1, 4, 4, 8)),
)
def attention_divided_with_a_permuted_key(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Another member of the same family of patterns: divided by the scale."""
    return (torch.matmul(q, k.permute(0, 2, 3, 1)) / 2.83).softmax(-1).matmul(v)


@graph(
    "https://github.com/pytorch/pytorch/issues/195589",
    lambda _: (
        *(torch.randn(1, 1, 2, 1, 8), torch.randn(1, 1, 2, 2, 8), torch.randn(1, 1, 2, 2, 8)),
        *(torch.randn(8, 8), torch.randn(8)),
    ),
)
def attention_of_five_dimensions(
    q: Tensor, k: Tensor, v: Tensor, weight: Tensor, bias: Tensor
) -> Tensor:
    out = (torch.matmul(q, k.transpose(-2, -1)) / 2.83).softmax(-1).matmul(v)
    return nn.functional.linear(out.view(2, 1, 8), weight, bias)


@graph(
    "https://github.com/pytorch/pytorch/issues/191203",
    lambda _: (
        *(torch.randn(1, 2, 8, 8) for _ in range(3)),
        torch.full((8, 8), -1e9).triu(1),
        torch.tensor(0.5),
    ),
)
def attention_with_a_tensor_as_scale(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scale: Tensor
) -> Tensor:
    weights = (q @ k.transpose(-2, -1) / scale + mask).softmax(-1)
    return weights @ v


@graph(
    "https://github.com/pytorch/pytorch/issues/181624",
    lambda _: (torch.randn(2, 6), torch.randn(2), torch.randn(2)),
)
def attention_over_overlapping_windows(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    windows = nn.functional.hardswish(x).unfold(1, 2, 1)
    mixed = nn.functional.scaled_dot_product_attention(windows, windows, windows)
    return torch.nan_to_num(nn.functional.layer_norm(mixed.roll(1, 2), (2,), weight, bias, eps=0.5))


@graph(
    "https://github.com/pytorch/pytorch/issues/178244",
    lambda n: (
        *(torch.randn(2, 2, n, 16), torch.randn(2, 2, n, 16), torch.randn(2, 2, n, 16)),
        torch.arange(n).expand(2, n) > 0,
    ),
)
def attention_with_a_mask_read_by_index(q: Tensor, k: Tensor, v: Tensor, padding: Tensor) -> Tensor:
    """The mask is gathered by broadcast indices where a causal one lets it through."""
    here = torch.arange(q.shape[2], device=q.device)
    batch = torch.arange(q.shape[0], device=q.device)[:, None, None, None]
    rows, columns = here[None, None, :, None], here[None, None, None, :]
    mask = (columns <= rows) & padding[batch, columns]
    mask = mask | (columns == rows)
    return nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)

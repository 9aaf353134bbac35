"""Views, mutation, and what shares memory with what."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compat.probes.graphs.graph import graph


@graph(
    "https://github.com/pytorch/pytorch/issues/198101",
    lambda _: (torch.arange(-12, 12).reshape(4, 6),),
)
def read_as_another_dtype_then_changed(x: Tensor) -> Tensor:
    """The reading comes first: it must not see what is written afterwards."""
    y = x.view(torch.int32) * 2
    y.sub_(-4)
    x[:, 2:5] = 2
    return y.view(torch.int64)


@graph(
    "https://github.com/pytorch/pytorch/issues/198094",
    lambda _: (torch.arange(24).reshape(4, 6), torch.arange(-12, 0).reshape(2, 6)),
)
def scattered_then_zeroed(x: Tensor, source: Tensor) -> Tensor:
    y = torch.slice_scatter(x, source, dim=0, start=1, end=3)
    x.zero_()
    return y


@graph(
    "https://github.com/pytorch/pytorch/issues/195451",
    lambda _: (torch.randn(4, 3), torch.randn(1, 3)),
)
def scattered_then_copied_back(x: Tensor, source: Tensor) -> Tensor:
    """What is returned is a tensor of its own, and not the input."""
    updated = torch.slice_scatter(x, source, 0, 0, 1)
    x.copy_(updated)
    return updated


@graph(
    "https://github.com/pytorch/pytorch/issues/198094",
    lambda _: (torch.randn(4, 4),),
)
def own_diagonal_scattered_then_filled(x: Tensor) -> Tensor:
    y = torch.diagonal_scatter(x, x.diagonal())
    x.fill_(2)
    return y


@graph(
    "https://github.com/pytorch/pytorch/issues/197431",
    lambda _: (torch.randn(3, 1),),
)
def strided_over_every_second_column(x: Tensor) -> Tensor:
    """The strides are those of the storage below the view, not of the view."""
    full = x.repeat((1, 4)) + torch.arange(4, device=x.device)
    return torch.as_strided(full[:, ::2], (3, 4), full.stride()) * 2


@graph(
    "https://github.com/pytorch/pytorch/issues/183888",
    lambda _: (torch.linspace(-3, 3, 7).reshape(1, 7),),
)
def windows_made_positive_in_place(x: Tensor) -> Tensor:
    return torch.add(x, x).unfold(1, 4, 2).abs_()


@graph(
    "https://github.com/pytorch/pytorch/issues/183575",
    lambda _: tuple(torch.randn(16, 16) for _ in range(6)),
)
def moments_moved_in_place(
    p1: Tensor, p2: Tensor, m1: Tensor, m2: Tensor, g1: Tensor, g2: Tensor
) -> Tensor:
    """Two parameters and their running means, as an optimiser updates them."""
    y = (g1 @ p1.t()) @ p2
    m1.lerp_(g1.bfloat16().float(), 0.05)
    p1.add_(m1, alpha=-0.01)
    m2.lerp_(g2.bfloat16().float(), 0.05)
    p2.add_(m2, alpha=-0.01)
    return y.sum(0)


@graph(
    "https://github.com/pytorch/pytorch/issues/183770",
    lambda _: (torch.randn(2, 3, 5, 7).to(memory_format=torch.channels_last),),
)
def reflected_with_channels_last(x: Tensor) -> Tensor:
    return nn.functional.pad(x, (1, 1, 1, 1), mode="reflect")


@graph(
    "https://github.com/pytorch/pytorch/issues/190765",
    lambda _: (torch.randn(6, 6),),
)
def transposed_and_added_again_and_again(x: Tensor) -> Tensor:
    y = x
    for _ in range(4):
        y = y + y.t().contiguous().t()
        y = y.t() + x
    return y

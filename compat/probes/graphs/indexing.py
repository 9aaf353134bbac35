"""Gathers, scatters and index arithmetic, with fixed and with dynamic sizes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compat.probes.graphs.graph import graph


@graph(
    "https://github.com/vllm-project/vllm/issues/40972",
    lambda n: (torch.randint(7, (3, n)), torch.randn(7, 3)),
)
def rows_interleaved(positions: Tensor, table: Tensor) -> Tensor:
    """Rows picked by index, then interleaved into one, as rotary embeddings of several axes do."""
    rows = table[positions]
    merged = rows[2].clone()
    merged[..., 0::3] = rows[0, ..., 0::3]
    merged[..., 1::3] = rows[1, ..., 1::3]
    return merged * 2


@graph(
    "https://github.com/pytorch/pytorch/issues/181621",
    lambda _: (torch.randn(6, 15, 5), torch.rand(15) + 0.5, torch.randn(15)),
)
def padded_then_scaled_by_channel(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    padded = nn.functional.pad(nn.functional.leaky_relu(x), (0, 1))
    return nn.functional.elu(padded * scale[:, None] + shift[:, None])


@graph(
    "https://github.com/pytorch/pytorch/issues/193581",
    lambda _: (torch.rand(1, 2, 5, 6), torch.randn(2, 2, 1, 6)),
)
def rows_of_a_convolution(x: Tensor, weight: Tensor) -> Tensor:
    convolved = nn.functional.conv2d(x, weight, padding=2)
    return torch.index_select(convolved, 2, torch.tensor([3, 4, 6, 8], device=x.device))


@graph(
    "https://github.com/pytorch/pytorch/issues/197829",
    lambda _: (torch.randn(6, 8),),
)
def rows_moved_down_by_one(x: Tensor) -> Tensor:
    """The copy keeps what is overwritten: without it the first row fills all."""
    x[1:] = x[:-1].clone()
    return x + 1


@graph(
    "https://github.com/pytorch/pytorch/issues/198270",
    lambda _: (torch.rand(4, 8),),
)
def written_by_index_then_added_to_its_mirror(x: Tensor) -> Tensor:
    x.index_put_((torch.arange(4, device=x.device),), x * 2.0)
    x.add_(x.flip(0))
    return x * 3


@graph(
    "https://github.com/pytorch/pytorch/issues/198033",
    lambda _: (torch.rand(8, 8),),
)
def added_to_its_mirror_by_foreach(x: Tensor) -> Tensor:
    torch._foreach_add_([x], [x.flip(0)])
    return x * 3


@graph(
    "https://github.com/pytorch/pytorch/issues/162410",
    lambda _: (torch.randn(20, 20), torch.randn(20, 20)),
)
def mirrored_in_place_beside_a_sum(x: Tensor, y: Tensor) -> Tensor:
    x.copy_(x.flip(1))
    return x + (y.sum(dim=1) + y)


@graph(
    "https://github.com/pytorch/pytorch/issues/191571",
    lambda _: (torch.randn(8, 4), torch.zeros(8, dtype=torch.long)),
)
def gathered_from_one_scattered_row(x: Tensor, index: Tensor) -> Tensor:
    sums = torch.zeros(1, 4, device=x.device, dtype=x.dtype)
    sums.scatter_add_(0, index[:, None].expand(-1, 4), x)
    return torch.index_select(sums, 0, index)


@graph(
    "https://github.com/pytorch/pytorch/issues/178871",
    lambda _: (torch.randn(13, 1), torch.tensor([0.02]), torch.zeros(13, dtype=torch.long)),
)
def scalar_added_to_what_is_scattered(x: Tensor, bias: Tensor, index: Tensor) -> Tensor:
    """Thirteen elements, which is no power of two."""
    total = torch.zeros(1, 1, device=x.device, dtype=x.dtype)
    return total.scatter_reduce(0, index[:, None], x + bias, "sum")


@graph(
    "https://github.com/pytorch/pytorch/issues/189895",
    lambda _: (torch.randint(1, 9, (3000,), dtype=torch.int32),),
)
def padded_sums_of_lengths(lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Where sequences begin, as attention over packed sequences wants it."""
    begins = nn.functional.pad(lengths.cumsum(0, dtype=torch.int32), (1, 0))
    return begins, nn.functional.pad(lengths, (1, 0)).amax()


@graph(
    "https://github.com/pytorch/pytorch/issues/182343",
    lambda _: (torch.tensor([0, 3, 7, 12]), torch.arange(12)),
)
def searched_in_a_slice(offsets: Tensor, values: Tensor) -> Tensor:
    return torch.searchsorted(offsets[1:], values, right=True)


@graph(
    "https://github.com/pytorch/pytorch/issues/187027",
    lambda n: (torch.randn(n, 8),),
    dynamic=True,
)
def repeated_then_flipped(x: Tensor) -> Tensor:
    return torch.repeat_interleave((x + 1).flatten(), 2).flip(0)


@graph(
    "https://github.com/pytorch/pytorch/issues/196570",
    lambda _: (torch.randn(8, 8),),
)
def softmax_under_a_scattered_mask(x: Tensor) -> Tensor:
    mask = torch.full((8, 8), -10000.0, device=x.device)
    every = torch.arange(8, device=x.device)
    mask[every[None, :], every[:, None]] = 0
    return torch.softmax(x + mask, dim=-1)


@graph(
    "https://github.com/pytorch/pytorch/issues/198201",
    lambda _: (torch.randn(1, 1, 3, 4),),
)
def enlarged_by_less_than_a_row(x: Tensor) -> Tensor:
    """1.3 times three rows are three rows, which eager leaves as they are."""
    return nn.functional.interpolate(x, scale_factor=(1.3, 1.5), mode="nearest")


@graph(
    "https://github.com/pytorch/pytorch/issues/180164",
    lambda _: (torch.randn(4, 1, 33),),
)
def expanded_then_zeroed_in_a_slice(x: Tensor) -> Tensor:
    """What the backward of a slice_scatter under a sum computes."""
    spread = x.expand(4, 13, 33)
    return torch.slice_scatter(spread, spread.new_zeros(4, 6, 33), 1, 0, 6).sum(1)


@graph(
    "https://github.com/pytorch/pytorch/issues/197739",
    lambda _: (torch.randn(3, 5),),
)
def smallest_of_a_transposed_sum(x: Tensor) -> Tensor:
    return (x.t() + 0.5).argmin()


@graph(
    "https://github.com/pytorch/pytorch/issues/183082",
    lambda _: (torch.randn(5, 7),),
)
def largest_after_a_sine_in_place(x: Tensor) -> Tensor:
    y = x.clone()
    y.sin_()
    return y.t().argmax()


@graph(
    "https://github.com/pytorch/pytorch/issues/193492",
    lambda _: (torch.rand(4, 4, 3, dtype=torch.float64),),
)
def largest_of_a_pooled_transposed_view(x: Tensor) -> Tensor:
    return torch.adaptive_avg_pool1d(x.transpose(0, 1), 2).argmax()


@graph(
    "https://github.com/pytorch/pytorch/issues/193661",
    lambda _: (torch.rand(5, 6, 4, dtype=torch.float64),),
)
def largest_of_the_means_of_a_transposed_view(x: Tensor) -> Tensor:
    return x.transpose(0, 1).mean(-1).argmax()


@graph(
    "https://github.com/pytorch/pytorch/issues/178964",
    lambda _: (torch.randn(8, 8), torch.randn(8, 8)),
)
def largest_of_each_row_of_a_transposed_sum(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    found = (x.transpose(0, 1) + y).max(dim=1)
    return found.values, found.indices


@graph(
    "https://github.com/pytorch/pytorch/issues/184893",
    lambda _: (torch.randint(2, (6, 32)).bool(),),
)
def smallest_of_booleans(x: Tensor) -> Tensor:
    return x.min(0).indices

"""Promotion, overflow, low and complex precision, and what is not finite."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compat.probes.graphs.graph import graph


@graph(
    "https://github.com/pytorch/pytorch/issues/191308",
    lambda _: (
        torch.randint(-3, 4, (1, 1, 2), dtype=torch.int8),
        torch.randint(-3, 4, (1, 2, 2), dtype=torch.int8),
    ),
)
def product_of_small_integers(x: Tensor, y: Tensor) -> Tensor:
    return torch.matmul(x, y)


@graph(
    "https://github.com/pytorch/pytorch/issues/190764",
    lambda _: tuple(torch.randint(2**29, 2**31 - 1, (2, 2), dtype=torch.int32) for _ in range(6)),
)
def products_of_integers_that_overflow(
    x: Tensor, y: Tensor, z: Tensor, p: Tensor, q: Tensor, r: Tensor
) -> Tensor:
    return ((x @ y + x @ z) + (p @ q + p @ r)).sum(dim=1)


@graph(
    "https://github.com/pytorch/pytorch/issues/187018",
    lambda _: (torch.tensor([200, 201, 7], dtype=torch.uint8),),
)
def negated_bytes_concatenated(x: Tensor) -> Tensor:
    y = -x.abs()
    return torch.cat([y, y]).sum()


@graph(
    "https://github.com/pytorch/pytorch/issues/191499",
    lambda _: (torch.randint(3, 120, (65,), dtype=torch.uint8),),
)
def smallest_byte(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.amin(), x.argmin()


@graph(
    "https://github.com/pytorch/pytorch/issues/191499",
    lambda _: (torch.randint(-120, -3, (65,), dtype=torch.int8),),
)
def largest_negative_byte(x: Tensor) -> Tensor:
    return x.amax()


@graph(
    "https://github.com/pytorch/pytorch/issues/197091",
    lambda _: (torch.randint(1, 4, (3, 4)), torch.randint(-2, 3, (3, 4)).bfloat16()),
)
def integer_scaled_by_a_half(x: Tensor, exponent: Tensor) -> Tensor:
    return torch.ldexp(x, exponent)


@graph(
    "https://github.com/pytorch/pytorch/issues/189518",
    lambda _: (torch.randn(2, 4, 4),),
)
def counted_in_another_dtype(x: Tensor) -> Tensor:
    ones = torch.ones((2, 4, 4), dtype=torch.bool, device=x.device)
    return ones.cumsum(1, dtype=torch.int32)


@graph(
    "https://github.com/pytorch/pytorch/issues/189799",
    lambda _: (torch.tensor([-0.5, -0.1, -0.9, 0.7]),),
)
def nothing_added_to_a_negative_zero(x: Tensor) -> Tensor:
    v = torch.ceil(x)
    return torch.reciprocal(v + torch.zeros_like(v))


@graph(
    "https://github.com/pytorch/pytorch/issues/198057",
    lambda _: (
        torch.tensor([5.5, -5.5, 0.0, 1e20, 2147483648.0, 7.0, 1.0, 2.0]).repeat(4),
        torch.tensor([1e400, -1e400, 1e400, 3.0, 3.0, 4.0, 0.5, 1.5]).repeat(4),
    ),
)
def remainder_of_an_infinite_divisor(x: Tensor, y: Tensor) -> Tensor:
    return torch.remainder(x, y)


@graph(
    "https://github.com/pytorch/pytorch/issues/174891",
    lambda _: (torch.randn(2, 2, dtype=torch.complex64),),
)
def complex_numbers_broadcast(x: Tensor) -> Tensor:
    """Returned as pairs of real numbers: those are judged."""
    return torch.view_as_real(x + torch.ones(2, 1, dtype=torch.complex64, device=x.device))


@graph(
    "https://github.com/pytorch/pytorch/issues/172073",
    lambda _: (torch.tensor(2.5 + 1j),),
)
def complex_number_without_dimensions(x: Tensor) -> Tensor:
    return torch.view_as_real(x + x)


@graph(
    "https://github.com/pytorch/pytorch/issues/175966",
    lambda _: (torch.tensor([10**9]),),
)
def large_multiples_of_a_range(x: Tensor) -> Tensor:
    return torch.arange(0, 11, device=x.device) * x


@graph(
    "https://github.com/pytorch/pytorch/issues/188225",
    lambda _: (torch.randn(2, 2),),
)
def softmax_of_constants_that_are_not_numbers(x: Tensor) -> Tensor:
    ones = torch.ones(2, 2, device=x.device)
    return nn.functional.softmax(torch.arccosh(torch.log2(torch.atan2(ones, ones))), dim=1)


@graph(
    "https://github.com/pytorch/pytorch/issues/190417",
    lambda _: (torch.randn(2, 1),),
)
def normed_constants_that_are_infinite(x: Tensor) -> Tensor:
    return nn.functional.layer_norm(torch.log2(torch.zeros(2, 1, device=x.device)), (1,))


@graph(
    "https://github.com/pytorch/pytorch/issues/194706",
    lambda _: (torch.arange(1, 10).reshape(3, 3).half() / 10,),
)
def product_and_sum_in_half_precision(x: Tensor) -> Tensor:
    return torch.mm(torch.prod(x) + x, torch.sum(x) + x).sum()


@graph(
    "https://github.com/pytorch/pytorch/issues/185337",
    lambda _: (torch.arange(40, dtype=torch.float32).reshape(8, 5).t() / 7.0,),
)
def rounded_to_half_and_back(x: Tensor) -> Tensor:
    """Which numbers half precision leaves alone."""
    return x.to(torch.float16).to(torch.float32) == x

"""Higher-order operators: cond, while_loop, map, scan, and a user's autograd.Function."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from compat.probes.graphs.graph import graph


@graph(
    "https://github.com/pytorch/pytorch/issues/185482",
    lambda _: (torch.randn(4, 6), torch.tensor(True), torch.randint(3, (4, 3))),
    needs=("torch:cond",),
)
def branch_that_scatters_into_a_slice(x: Tensor, chosen: Tensor, index: Tensor) -> Tensor:
    def scatter(t: Tensor, i: Tensor) -> Tensor:
        return t[:, ::2].scatter_add(1, i, torch.ones(4, 3, dtype=t.dtype, device=t.device))

    def subtract(t: Tensor, _: Tensor) -> Tensor:
        return t[:, 1::2] - 3.0

    return torch.cond(chosen, scatter, subtract, (x, index)).sum(1)


@graph(
    "https://github.com/pytorch/pytorch/issues/193810",
    lambda _: (torch.randn(4, 4).abs(),),
    needs=("torch:cond",),
)
def branch_that_returns_its_input(x: Tensor) -> Any:
    first, total = torch.cond(
        x.sum() > 0, lambda t: (t, t.sum()), lambda t: (t * 2, t.mean()), (x,)
    )
    return first + 1, total


@graph(
    "https://github.com/pytorch/pytorch/issues/191582",
    lambda _: (torch.randn(4, 4), torch.tensor([[0], [1], [2], [3]])),
    needs=("torch._higher_order_ops.while_loop:while_loop",),
)
def loop_that_scatters_what_it_starts_from(x: Tensor, index: Tensor) -> Tensor:
    from torch._higher_order_ops.while_loop import while_loop

    def go_on(i: Tensor, _: Tensor) -> Tensor:
        return i < 2

    def step(i: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        return i + 1, torch.scatter(value.clone(), 0, index, x) * 2

    start = torch.zeros((), dtype=torch.long, device=x.device)
    return while_loop(go_on, step, (start, x))[1]


@graph(
    "https://github.com/pytorch/pytorch/issues/195327",
    lambda _: (torch.zeros(3), torch.randn(3)),
    needs=("torch._higher_order_ops.while_loop:while_loop",),
)
def loop_whose_condition_counts_in_a_captured_tensor(state: Tensor, x: Tensor) -> Tensor:
    from torch._higher_order_ops.while_loop import while_loop

    state.add_(1)

    def go_on(i: Tensor, _: Tensor) -> Tensor:
        state.add_(1)
        return i < 3

    def step(i: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        return i + 1, value * 2

    start = torch.zeros((), dtype=torch.long, device=x.device)
    return while_loop(go_on, step, (start, x))[1]


@graph(
    "https://github.com/pytorch/pytorch/issues/183018",
    lambda _: (torch.randn(8, 16),),
    needs=("torch._higher_order_ops:map",),
)
def row_by_row(x: Tensor) -> Tensor:
    return torch._higher_order_ops.map(nn.functional.gelu, x).sum(1)


@graph(
    "https://github.com/pytorch/pytorch/issues/153437",
    lambda _: (torch.randn(2, 4), torch.randn(6, 2, 4), torch.randn(4, 4) * 0.3),
    needs=("torch._higher_order_ops.scan:scan",),
)
def recurrence_by_scan(start: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    from torch._higher_order_ops.scan import scan

    def step(state: Tensor, each: Tensor) -> tuple[Tensor, Tensor]:
        new = torch.tanh(state @ weight + each)
        return new, new.clone()

    last, every = scan(step, start, x)
    return last, every


@graph(
    "https://github.com/pytorch/pytorch/issues/181584",
    lambda n: (torch.randn(n, 4),),
    dynamic=True,
    needs=("torch._higher_order_ops:associative_scan",),
)
def running_sum_by_associative_scan(x: Tensor) -> Tensor:
    return torch._higher_order_ops.associative_scan(
        lambda a, b: a + b, x, dim=0, combine_mode="generic"
    )


class _Twice(torch.autograd.Function):
    """Doubles, there and back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[0] * 2


@graph(
    "https://github.com/SandAI-org/MagiCompiler/pull/16",
    lambda _: (torch.randn(4, 4),),
)
def function_with_a_backward_of_its_own(x: Tensor) -> Tensor:
    return _Twice.apply(x.sin()).cos()

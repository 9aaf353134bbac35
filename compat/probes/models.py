"""The small models that the probes compile."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

WIDTH = 64
TOKENS = 128
HEADS = 4


class Mlp(nn.Module):
    """Two linear layers and a GELU: one piece, one output."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(nn.functional.gelu(self.up(x)))


class TransformerBlock(nn.Module):
    """RMSNorm, attention and a gated MLP over ``(tokens, width)``: split at attention."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_weights = nn.ParameterList(nn.Parameter(torch.ones(WIDTH)) for _ in range(2))
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.gate_up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.down = nn.Linear(2 * WIDTH, WIDTH, bias=False)

    def norm(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        scale = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + 1e-6)
        return (x.float() * scale).to(x.dtype) * weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(self.norm(x, self.norm_weights[0])).chunk(3, dim=-1)
        q, k, v = (part.unflatten(-1, (HEADS, -1)).transpose(0, 1) for part in (q, k, v))
        attended = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.out(attended.transpose(0, 1).flatten(1))
        gate, up = self.gate_up(self.norm(x, self.norm_weights[1])).chunk(2, dim=-1)
        return x + self.down(nn.functional.silu(gate) * up)


class Reduction(nn.Module):
    """A softmax and two reductions over one input: two outputs, no parameters."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        weights = torch.softmax(x, dim=-1)
        return (weights * x).sum(-1), x.amax(-1) - x.mean(-1)


class Embedding(nn.Module):
    """Looks integer tokens up and projects them."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(TOKENS, WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.out(self.table(tokens))


class RunningMean(nn.Module):
    """Changes a buffer in place and uses what it then holds, as a key-value cache is used."""

    mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.mean.mul_(0.5).add_(x.mean(0), alpha=0.5)
        return x - self.mean


class Silent(RunningMean):
    """Changes a buffer in place and returns nothing at all."""

    def forward(self, x: torch.Tensor) -> None:
        self.mean.add_(torch.relu(x).sum(0))


class Aliases(nn.Module):
    """Two outputs besides its own input: one computed, and a view of that one."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        y = torch.sin(x) + 1
        return x, y, y.unflatten(-1, (HEADS, -1)).transpose(0, 1)


class CustomOperator(nn.Module):
    """An operator that torch knows by its schema and a fake kernel alone, between two it knows."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(clipped_square(x * 2)) - x


@torch.library.custom_op("compat::clipped_square", mutates_args=())
def clipped_square(x: torch.Tensor) -> torch.Tensor:
    return x.clamp(-1, 1) ** 2


@clipped_square.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


class Dropout(nn.Module):
    """Draws random numbers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(torch.sin(x), 0.5, training=True)


MODELS: Mapping[str, Callable[[], nn.Module]] = {
    "mlp": Mlp,
    "block": TransformerBlock,
    "reduction": Reduction,
    "embedding": Embedding,
    "buffer": RunningMean,
    "silent": Silent,
    "aliases": Aliases,
    "custom-op": CustomOperator,
    "dropout": Dropout,
}


def make_model(name: str, dtype: torch.dtype, device: str) -> nn.Module:
    """A model for inference with the same random weights each time."""
    torch.manual_seed(0)
    return MODELS[name]().to(device, dtype).eval().requires_grad_(False)


def make_input(batch: int, dtype: torch.dtype, device: str, model: str = "mlp") -> torch.Tensor:
    """Random values for a model, the same for the same arguments.

    Shape ``(batch, WIDTH)``; for ``embedding``, ``(batch,)`` tokens.
    """
    generator = torch.Generator().manual_seed(batch)
    if model == "embedding":
        return torch.randint(TOKENS, (batch,), generator=generator).to(device)
    return torch.randn(batch, WIDTH, generator=generator).to(device, dtype)

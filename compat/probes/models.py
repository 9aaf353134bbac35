"""The small models that the probes compile."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

WIDTH = 64
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


MODELS: Mapping[str, Callable[[], nn.Module]] = {
    "mlp": Mlp,
    "block": TransformerBlock,
    "reduction": Reduction,
}


def make_model(name: str, dtype: torch.dtype, device: str) -> nn.Module:
    """A model for inference with the same random weights each time."""
    torch.manual_seed(0)
    return MODELS[name]().to(device, dtype).eval().requires_grad_(False)


def make_input(batch: int, dtype: torch.dtype, device: str) -> torch.Tensor:
    """Random values of shape ``(batch, WIDTH)``, the same for the same arguments."""
    generator = torch.Generator().manual_seed(batch)
    return torch.randn(batch, WIDTH, generator=generator).to(device, dtype)

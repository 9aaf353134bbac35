"""What a call of a model returned: its values, and what a caller may rely on besides them."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from compat.topics.parity.records import OutputSample

_SAMPLES = 8


@dataclass(frozen=True)
class Traits:
    """What a caller may rely on of one tensor, besides its values.

    Attributes:
        strides: 0 where a dimension has fewer than two elements: there they mean nothing.
        memory_format: ``contiguous``, ``channels_last``, or neither.
        aliasing: What it shares memory with, of all that was given to the call and of the outputs
            ahead of it.
    """

    dtype: str
    device: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    memory_format: str
    requires_grad: bool
    aliasing: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """One call of a model.

    Attributes:
        result: As it was returned.
        given: The tensors that it may have handed on: its inputs, then what the model holds.
    """

    result: Any
    given: tuple[torch.Tensor, ...] = ()

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """Those of the result, in order."""
        return tuple(_tensors(self.result))

    @property
    def structure(self) -> str:
        """The types of all that the result is made of, such as ``tuple(Tensor, list(Tensor))``."""
        return _structure(self.result)

    @property
    def traits(self) -> tuple[Traits, ...]:
        """Of each tensor of the result."""
        named = [(f"given {place}", tensor) for place, tensor in enumerate(self.given)]
        found = []
        for place, tensor in enumerate(self.tensors):
            found.append(_traits(tensor, named))
            named.append((f"output {place}", tensor))
        return tuple(found)


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from (tensor for each in value.values() for tensor in _tensors(each))
    elif isinstance(value, (tuple, list)):
        yield from (tensor for each in value for tensor in _tensors(each))


def _structure(value: Any) -> str:
    name = type(value).__name__
    if isinstance(value, torch.Tensor):
        return name
    if isinstance(value, Mapping):
        return f"{name}({', '.join(f'{k!r}: {_structure(v)}' for k, v in value.items())})"
    if isinstance(value, (tuple, list)):
        return f"{name}({', '.join(map(_structure, value))})"
    return repr(value)


def _traits(tensor: torch.Tensor, others: Iterable[tuple[str, torch.Tensor]]) -> Traits:
    storage = tensor.untyped_storage().data_ptr()
    return Traits(
        dtype=str(tensor.dtype).removeprefix("torch."),
        device=str(tensor.device),
        shape=tuple(tensor.shape),
        strides=tuple(
            stride if size > 1 else 0
            for size, stride in zip(tensor.shape, tensor.stride(), strict=True)
        ),
        memory_format=_memory_format(tensor),
        requires_grad=tensor.requires_grad,
        aliasing=tuple(
            name for name, other in others if storage == other.untyped_storage().data_ptr() != 0
        ),
    )


def _memory_format(tensor: torch.Tensor) -> str:
    if tensor.is_contiguous():
        return "contiguous"
    if tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last):
        return "channels_last"
    return "neither"


def tensors_of(calls: Sequence[Call]) -> list[torch.Tensor]:
    """All tensors that calls returned, one call after the other."""
    return [tensor for call in calls for tensor in call.tensors]


def pack(calls: Sequence[Call]) -> bytes:
    """Calls for another process, which gets them back by :func:`unpack`.

    What shares memory still does.
    """
    buffer = io.BytesIO()
    torch.save([(call.result, call.given) for call in calls], buffer)
    return buffer.getvalue()


def unpack(packed: bytes) -> tuple[Call, ...]:
    """What :func:`pack` was given."""
    loaded = torch.load(io.BytesIO(packed), weights_only=True)
    return tuple(Call(result, given) for result, given in loaded)


def digest(calls: Sequence[Call]) -> str:
    """Sixteen hex digits that are equal for bitwise equal outputs only.

    Strides and all else of the contract are left out: it tells noise, and ``judge`` the rest.
    """
    hasher = hashlib.sha256()
    for tensor in tensors_of(calls):
        hasher.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        # contiguous() keeps the odd stride of a dimension of one element; a copy has none.
        flat = tensor.detach().cpu().clone(memory_format=torch.contiguous_format).view(-1)
        hasher.update(flat.view(torch.uint8).numpy().tobytes())
    return hasher.hexdigest()[:16]


def samples(calls: Sequence[Call]) -> tuple[OutputSample, ...]:
    """The norm and a few values of each output, for comparing builds."""
    return tuple(map(_sample, tensors_of(calls)))


def _sample(tensor: torch.Tensor) -> OutputSample:
    flat = tensor.detach().cpu().double().flatten()
    places = torch.linspace(0, len(flat) - 1, min(_SAMPLES, len(flat))).long()
    return OutputSample(
        shape=tuple(tensor.shape),
        norm=_rounded(flat.norm().item()),
        samples=tuple(_rounded(value) for value in flat[places].tolist()),
    )


def _rounded(value: float) -> float | None:
    return float(f"{value:.9g}") if math.isfinite(value) else None

"""Tries one thing after another; none keeps the next one from being tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from compat.probes.calls import Call
from compat.runs.signature import signature_of
from compat.topics.reach.records import RAISES, RIGHT, WRONG, Trial


def attempt(body: Callable[[], Trial]) -> Trial:
    """What ``body`` found out, or that it raised and what."""
    try:
        return body()
    except Exception as error:  # noqa: BLE001  (it is what is asked for)
        return Trial(ended=RAISES, said=signature_of(error))


def attempt_all(bodies: Mapping[str, Callable[[], Trial]]) -> dict[str, Trial]:
    return {name: attempt(body) for name, body in bodies.items()}


def compared(got: Any, wanted: Any, said: str = "") -> Trial:
    """Whether the tensors in two structures are the same to a rounding step or two."""
    pairs = (Call(got).tensors, Call(wanted).tensors)
    same = len(pairs[0]) == len(pairs[1]) and all(map(_alike, *pairs))
    return Trial(ended=RIGHT if same else WRONG, said=said)


def _alike(got: torch.Tensor, wanted: torch.Tensor) -> bool:
    if (got.shape, got.dtype) != (wanted.shape, wanted.dtype):
        return False
    if got.element_size() == 1:
        return bool((got.view(torch.uint8) == wanted.view(torch.uint8)).all())
    if not got.is_floating_point():
        return torch.equal(got, wanted)
    return torch.allclose(got, wanted, rtol=1e-4, atol=1e-4)

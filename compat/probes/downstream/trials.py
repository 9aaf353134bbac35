"""Tries one thing after another; none keeps the next one from being tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch

from compat.probes.calls import Call
from compat.runs.signature import signature_of
from compat.topics.reach.records import RAISES, RIGHT, WRONG, Trial

# A module that Inductor generates is called by a hash of its code.
_GENERATED = re.compile(r"(torch\._inductor\.runtime\.compile_tasks)\.\w+")


def attempt(body: Callable[[], Trial]) -> Trial:
    """What ``body`` found out, or that it raised and what."""
    try:
        return body()
    except Exception as error:  # noqa: BLE001  (it is what is asked for)
        return Trial(ended=RAISES, said=_GENERATED.sub(r"\1.…", signature_of(error)))


def attempt_all(bodies: Mapping[str, Callable[[], Trial]]) -> dict[str, Trial]:
    return {name: attempt(body) for name, body in bodies.items()}


def none_wrong(found: Mapping[str, Trial]) -> None:
    """Nothing is computed wrong without a word; whatever else differs is an answer."""
    wrong = [f"{name} ({each.said})" for name, each in found.items() if each.ended == WRONG]
    assert not wrong, f"wrong without a word: {'; '.join(wrong)}"


def compared(got: Any, wanted: Any, said: str = "") -> Trial:
    """Whether the tensors in two structures are the same to a rounding step or two.

    What they come in, strides, aliases and gradients are left out: the passes and splits that are
    asked about replace what returns an output.
    """
    pairs = (Call(got).tensors, Call(wanted).tensors)
    same = len(pairs[0]) == len(pairs[1]) and all(map(_alike, *pairs))
    return Trial(ended=RIGHT if same else WRONG, said=said)


def _alike(got: torch.Tensor, wanted: torch.Tensor) -> bool:
    if (got.shape, got.dtype) != (wanted.shape, wanted.dtype):
        return False
    if got.is_floating_point() and got.element_size() > 1:
        return torch.allclose(got, wanted, rtol=1e-4, atol=1e-4)
    return _bytes(got) == _bytes(wanted)


def _bytes(tensor: torch.Tensor) -> list[int]:
    plain: list[int] = tensor.detach().cpu().contiguous().view(torch.uint8).flatten().tolist()
    return plain

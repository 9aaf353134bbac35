"""What a workaround guards against, as something that can be tried without it and with it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch._inductor
from torch import fx

from compat.probes import driving

# Does on a device, in a folder of its own, what goes wrong; raises where it does.
Try: TypeAlias = Callable[[str, Path], None]


class NeededError(Exception):
    """What the workaround guards against happened, and torch raised nothing."""


def always_there() -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A workaround on trial.

    Attributes:
        without: Raises where the build needs the workaround.
        with_it: The same with the workaround's effect, in an implementation of our own.
        lacks: What the build must have for the question to make sense, and does not; else nothing.
    """

    without: Try
    with_it: Try
    lacks: Callable[[], str] = always_there


def under(patched: Callable[[], AbstractContextManager[Any]], function: Try) -> Try:
    """``function`` as it is while a patch holds."""

    def run(device: str, folder: Path) -> None:
        with patched():
            function(device, folder)

    return run


def captured(function: Callable[..., Any], *inputs: Any) -> tuple[fx.GraphModule, list[Any]]:
    """The graph that Dynamo makes of a call without gradients, and what it hands a backend."""
    with torch.no_grad():
        return driving.captured(function, *inputs)


def compiled(graph: fx.GraphModule, inputs: list[Any], **kwargs: Any) -> Any:
    """What standalone_compile makes of a graph for inference."""
    with torch.no_grad():
        return torch._inductor.standalone_compile(
            graph, inputs, **{"dynamic_shapes": "from_graph", **kwargs}
        )


def agrees(artifact: Callable[..., Any], inputs: list[Any], expected: torch.Tensor) -> None:
    """Hold the first output to what is expected: shape, dtype and numbers.

    What it comes in, strides and aliases are left out: it is asked whether a trial works at all.
    """
    with torch.no_grad():
        result = artifact(*inputs)
    first = result if isinstance(result, torch.Tensor) else result[0]
    torch.testing.assert_close(first, expected)


def operator(name: str, schema: str, body: Callable[..., Any], fake: Callable[..., Any]) -> None:
    """Define an operator of ours, once a process, for every device; ``schema`` is its signature."""
    namespace, _, base = name.partition("::")
    if hasattr(getattr(torch.ops, namespace), base):
        return
    torch.library.define(name, schema)
    torch.library.impl(name, "default", body)
    torch.library.register_fake(name, fake)

"""What a graph of the corpus is, and the decorator that makes one of a function."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from compat.topics.corpus.records import sizes_of

# What a graph is called with, for a batch size.
Inputs = Callable[[int], tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A few lines that went wrong in a compiler once.

    Attributes:
        name: Of its function, with hyphens.
        link: The public report that it comes from.
        call: What is compiled. It may change its inputs: these are compared, too.
        inputs: Made anew for each call, from one seed, on the device.
        dynamic: Whether dimension 0 of all tensors that have the batch size there is dynamic; the
            graph is then called with two sizes.
        needs: What a build has to have, such as ``torch:cond``; without it, or where it refuses the
            graph without any compiler, the graph is unsupported.
        draws: Of a graph that draws random numbers: between which values they lie, both included.
            Instead of eager's numbers it has to give numbers that are distributed as eager's are,
            and the same ones again under the same seed. Strides, dtypes and all else count as ever.
    """

    name: str
    link: str
    call: Callable[..., Any]
    inputs: Inputs
    dynamic: bool = False
    needs: tuple[str, ...] = ()
    draws: tuple[float, float] | None = None

    @property
    def sizes(self) -> tuple[int, ...]:
        """The batch sizes that it is called with, in order."""
        return sizes_of(dynamic=self.dynamic)

    def make_inputs(self, size: int, device: str) -> tuple[Any, ...]:
        """The same ones each time."""
        torch.manual_seed(0)
        with torch.device(device):
            return self.inputs(size)

    def lacks(self) -> str:
        """What this build does not have of all that it needs; empty where it has everything."""
        return next((name for name in self.needs if not _is_there(name)), "")


def graph(
    link: str,
    inputs: Inputs,
    *,
    dynamic: bool = False,
    needs: tuple[str, ...] = (),
    draws: tuple[float, float] | None = None,
) -> Callable[[Callable[..., Any]], Graph]:
    """Make a function a graph of the corpus, called as the function is."""

    def make(function: Callable[..., Any]) -> Graph:
        return Graph(
            name=function.__name__.replace("_", "-"),
            link=link,
            call=function,
            inputs=inputs,
            dynamic=dynamic,
            needs=needs,
            draws=draws,
        )

    return make


def _is_there(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True

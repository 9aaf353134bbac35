"""torch itself, for comparison: what it offers without any project around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import torch._inductor.config
from torch import fx

from compat.adapters.driving import Backend, drive_backend, uncompiled
from compat.adapters.protocol import INSIDE, NOWHERE, Driven, Feature, Json, PathSpec, Place
from compat.interface.shapes import symbolic_inputs


class Torch:
    """The build's own interfaces."""

    modules: Sequence[str] = ()
    paths: Mapping[str, PathSpec] = {
        "eager": PathSpec(about="the eager backend", baseline=True, single=NOWHERE),
        "inductor": PathSpec(about="torch._inductor.compile", single=NOWHERE),
        "compile": PathSpec(about="torch.compile as it is", places=INSIDE, single=NOWHERE),
        "partition": PathSpec(
            about="torch.compile with Inductor's graph partition", places=INSIDE, single=NOWHERE
        ),
    }
    features: Mapping[str, Feature] = {}

    def drive(
        self,
        path: str,
        model: torch.nn.Module,
        batches: Sequence[Any],
        cache: Path,
        saved: Json = None,
        *,
        size: int | None = None,
        place: Place = Place.INSIDE,
    ) -> Driven:
        partition = torch._inductor.config.patch(graph_partition=True)
        with partition if path == "partition" else nullcontext():
            return drive_backend(model, batches, _BACKENDS[path], place)


def _compile(graph: fx.GraphModule, example_inputs: list[Any]) -> Callable[..., Any]:
    return torch._inductor.compile(graph, symbolic_inputs(graph))


_BACKENDS: Mapping[str, Backend | str] = {
    "eager": uncompiled,
    "inductor": _compile,
    "compile": "inductor",
    "partition": "inductor",
}


def make(version: str, path: str) -> Torch:
    return Torch()

"""torchtitan: its graph trainer's pass that compiles a graph through ``regional_inductor``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import fx
from torch._dynamo.backends.common import aot_autograd

from compat.adapters.driving import drive_backend, uncompiled
from compat.adapters.protocol import INSIDE, NOWHERE, Driven, Feature, Json, PathSpec, Place


class Torchtitan:
    """A release or a checkout of torchtitan, from 0.3 on."""

    modules: Sequence[str] = (
        "torchtitan.distributed.compile",
        "torchtitan.experiments.graph_trainer.inductor_passes",
    )
    # The pass is given what AOTAutograd traced under Dynamo, and makes a context of its own.
    paths: Mapping[str, PathSpec] = {
        "eager": PathSpec(about="AOTAutograd alone", baseline=True, places=INSIDE, single=NOWHERE),
        "regional": PathSpec(
            about="regional_inductor over the whole graph",
            needs=("aot",),
            places=INSIDE,
            single=NOWHERE,
        ),
    }
    # torch's regional_inductor makes the call, so its keywords are torch's decision.
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
        backend = aot_autograd(fw_compiler=uncompiled if path == "eager" else _regional)
        return drive_backend(model, batches, backend, place)


def _regional(graph: fx.GraphModule, example_inputs: list[Any]) -> Callable[..., Any]:
    from torchtitan.experiments.graph_trainer.inductor_passes import (
        full_inductor_compilation_pass,
    )

    return full_inductor_compilation_pass(graph, tuple(example_inputs))


def make(version: str, path: str) -> Torchtitan:
    return Torchtitan()

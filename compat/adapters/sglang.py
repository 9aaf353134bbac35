"""SGLang: the compilers behind its piecewise backend.

The backend itself, with the splitting, cannot be imported without a GPU: a graph is one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import fx

from compat.adapters.driving import drive_backend
from compat.adapters.protocol import INSIDE, OUTSIDE, Driven, Feature, Json, PathSpec, Place
from compat.interface.shapes import symbolic_inputs

# What SGLang's backend hands to the compiler of every piece.
_OPTIONS = {"enable_auto_functionalized_v2": False}


class Sglang:
    """A release or a checkout of SGLang, from 0.5.23 on."""

    modules: Sequence[str] = (
        "sglang.srt.compilation.compilation_config",
        "sglang.srt.compilation.compiler_interface",
    )
    paths: Mapping[str, PathSpec] = {
        "eager": PathSpec(about="EagerAdapter", baseline=True, single=OUTSIDE),
        "compile_fx": PathSpec(
            about="InductorAdaptor: compile_fx and FxGraphCache",
            saves=True,
            # FxGraphCache refuses a lookup where no compilation of Dynamo's is going on.
            loads=INSIDE,
            # A size is compiled when it is first met, with the real tensors of that call.
            single=OUTSIDE,
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
        from sglang.srt.compilation.compilation_config import CompilationConfig
        from sglang.srt.compilation.compiler_interface import EagerAdapter, InductorAdaptor

        # Sets Inductor's config, where the compiler is Inductor.
        CompilationConfig([], compiler="eager" if path == "eager" else "inductor")
        adaptor = EagerAdapter() if path == "eager" else InductorAdaptor()
        adaptor.initialize_cache(str(cache))
        handles: list[Any] = []

        def backend(graph: fx.GraphModule, example_inputs: list[Any]) -> Callable[..., Any]:
            inputs = example_inputs if size is not None else symbolic_inputs(graph)
            if saved is not None:
                return adaptor.load(tuple(saved), graph, inputs, 0, size)
            compiled, handle = adaptor.compile(graph, inputs, dict(_OPTIONS), size, None)
            handles.append(handle)
            return compiled

        return drive_backend(
            model, batches, backend, place, lambda: handles[0] if handles else saved
        )


def make(version: str, path: str) -> Sglang:
    return Sglang()

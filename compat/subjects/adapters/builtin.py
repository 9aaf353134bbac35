"""This project's own small interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from compat.interface.backend import PiecewiseBackend
from compat.interface.compilers import COMPILERS, Compiler, StandaloneCompiler
from compat.interface.features import FEATURES
from compat.subjects.driving import drive_backend
from compat.subjects.protocol import INSIDE, Driven, Feature, Json, PathSpec, Place

_MAKERS: Mapping[str, Callable[[], Compiler]] = {
    **COMPILERS,
    "standalone": lambda: StandaloneCompiler(features={"donate_graph_module": False}),
    "donated": lambda: StandaloneCompiler(features={"donate_graph_module": True}),
}


class Builtin:
    """:mod:`compat.interface`."""

    modules: Sequence[str] = ()
    paths: Mapping[str, PathSpec] = {
        "eager": PathSpec(about="compiles nothing", baseline=True),
        # FxGraphCache refuses a lookup where no compilation of Dynamo's is going on.
        "compile_fx": PathSpec(about="compile_fx and FxGraphCache", saves=True, loads=INSIDE),
        "standalone": PathSpec(about="standalone_compile", saves=True),
        "donated": PathSpec(
            about="standalone_compile, which is given the graph",
            needs=("donate_graph_module",),
            saves=True,
        ),
        "aot": PathSpec(about="standalone_compile, ahead of time", needs=("aot",), saves=True),
    }
    features: Mapping[str, Feature] = {
        name: Feature(
            function="standalone_compile",
            keyword=name,
            # The others overrule their gates, so that both ways are there to compare.
            paths=("aot",),
            source=FEATURES[name].source,
        )
        for name in ("donate_graph_module", "fake_mode", "aot")
    }

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
        compiler = _MAKERS[path]()
        compiler.initialize_cache(cache)
        handles = None if saved is None else {key: (a, b) for key, (a, b) in saved.items()}
        backend = PiecewiseBackend(compiler, sizes=[] if size is None else [size], handles=handles)
        return drive_backend(model, batches, backend, place, lambda: backend.handles or None)


def make(version: str, path: str) -> Builtin:
    return Builtin()

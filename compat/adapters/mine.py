"""A user's own backend: a file that defines ``compile(graph, example_inputs)``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import fx

from compat.adapters.backend_file import LOAD, defined_in
from compat.adapters.driving import drive_backend
from compat.adapters.protocol import Driven, Feature, Json, PathSpec, Place

_MODULE = "compat_mine"


class Mine:
    """The backend in the file at ``path``."""

    modules: Sequence[str] = ()
    features: Mapping[str, Feature] = {}

    def __init__(self, path: Path) -> None:
        self._path = path
        self.paths: Mapping[str, PathSpec] = {
            "mine": PathSpec(
                about=path.name,
                saves=LOAD in defined_in(path),
                # What a single size means is up to the backend, and it is not told one.
                single=frozenset(),
            )
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
        file = self._import()
        graphs: list[Callable[..., Any]] = []

        def backend(graph: fx.GraphModule, example_inputs: list[Any]) -> Callable[..., Any]:
            folder = cache / f"graph-{len(graphs)}"
            compiled: Callable[..., Any] = (
                file.compile(graph, example_inputs)
                if saved is None
                else file.load(folder, graph, example_inputs)
            )
            graphs.append(compiled)
            return compiled

        def save() -> Json:
            if not self.paths[path].saves or saved is not None:
                return saved
            for number, compiled in enumerate(graphs):
                folder = cache / f"graph-{number}"
                folder.mkdir(exist_ok=True)
                file.save(compiled, folder)
            return {"graphs": len(graphs)}

        return drive_backend(model, batches, backend, place, save)

    def _import(self) -> ModuleType:
        loader = SourceFileLoader(_MODULE, str(self._path))
        module = ModuleType(_MODULE)
        module.__file__ = str(self._path)
        # What pickles or inspects its functions looks for them there.
        sys.modules[_MODULE] = module
        loader.exec_module(module)
        return module


def make(version: str, path: str) -> Mine:
    return Mine(Path(path))

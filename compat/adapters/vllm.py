"""vLLM: its compiler manager and graph splitting, without the engine around them.

The engine's own passes need vLLM's compiled extensions and are left out.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import fx

from compat.adapters.driving import accepted, drive_backend, operators
from compat.adapters.protocol import INSIDE, Driven, Feature, Json, PathSpec, Place
from compat.interface.shapes import LARGEST

_STANDALONE = ("standalone", "aot")
_ARTIFACTS = "aot-artifacts"


def _switches(*, standalone: bool, aot: bool) -> Mapping[str, str]:
    # Together and explicitly: unset, the second one depends on torch's version.
    return {
        "VLLM_USE_STANDALONE_COMPILE": str(int(standalone)),
        "VLLM_USE_MEGA_AOT_ARTIFACT": str(int(aot)),
        "VLLM_USE_AOT_COMPILE": str(int(aot)),
        "VLLM_DISABLE_COMPILE_CACHE": "0",
        "VLLM_ENABLE_PREGRAD_PASSES": "0",
        "VLLM_ENABLE_INDUCTOR_MAX_AUTOTUNE": "0",
        "VLLM_ENABLE_INDUCTOR_COORDINATE_DESCENT_TUNING": "0",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_PLUGINS": "",
    }


PATHS: Mapping[str, PathSpec] = {
    "eager": PathSpec(
        about="EagerAdaptor",
        baseline=True,
        environment=_switches(standalone=True, aot=False),
    ),
    "standalone": PathSpec(
        about="InductorStandaloneAdaptor, saving binary artifacts",
        saves=True,
        environment=_switches(standalone=True, aot=False),
    ),
    "aot": PathSpec(
        about="InductorStandaloneAdaptor, ahead-of-time artifacts",
        needs=("aot",),
        saves=True,
        environment=_switches(standalone=True, aot=True),
    ),
    "legacy": PathSpec(
        about="InductorAdaptor: compile_fx and FxGraphCache",
        saves=True,
        # FxGraphCache refuses a lookup where no compilation of Dynamo's is going on.
        loads=INSIDE,
        again=INSIDE,
        environment=_switches(standalone=False, aot=False),
    ),
}


class Vllm:
    """A release or a checkout of vLLM, from 0.20 on."""

    modules: Sequence[str] = (
        "vllm.compilation.backends",
        "vllm.compilation.caching",
        "vllm.compilation.compiler_interface",
        "vllm.compilation.piecewise_backend",
    )
    paths = PATHS
    features: Mapping[str, Feature] = {
        "donate_graph_module": Feature(
            function="standalone_compile",
            keyword="donate_graph_module",
            paths=_STANDALONE,
            source="vllm#39733, pytorch#179910",
        ),
        "fake_mode": Feature(
            function="standalone_compile",
            keyword="fake_mode",
            paths=_STANDALONE,
            source="pytorch#176562",
        ),
        "aot": Feature(
            function="standalone_compile",
            keyword="aot",
            paths=("aot",),
            source="vllm compiler_interface.py",
        ),
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
        backend = _Backend(path, cache, saved, size)
        return drive_backend(model, batches, backend, place, backend.save)


class _Backend:
    """Splits a graph and compiles its pieces as ``VllmBackend`` does, for one range or size."""

    def __init__(self, path: str, cache: Path, saved: Json, size: int | None) -> None:
        from vllm.compilation.backends import CompilerManager
        from vllm.config import CompilationConfig
        from vllm.config.utils import Range

        self._config = CompilationConfig(
            backend="eager" if path == "eager" else "inductor",
            cache_dir=str(cache),
            compile_sizes=[] if size is None else [size],
            splitting_ops=[],
        )
        self._manager = CompilerManager(
            self._config, **accepted(CompilerManager, use_aot_compile=True)
        )
        self._manager.initialize_cache(str(cache))
        self._range = Range(1, LARGEST) if size is None else Range(size, size)
        self._aot = path == "aot"
        self._cache = cache
        self._saved = saved
        self._size = size
        self._runnables: dict[str, Callable[..., Any]] = {}

    def __call__(self, graph: fx.GraphModule, example_inputs: list[Any]) -> Callable[..., Any]:
        from vllm.compilation.backends import split_graph

        # vLLM splits at its own attention operators; ours stand in for them.
        split, items = split_graph(
            graph, [node.target.name() for node in operators(graph, "compat")]
        )
        pieces = [item.submod_name for item in items if not item.is_splitting_graph]
        for index, name in enumerate(pieces):
            piece = getattr(split, name)
            make = self._compile if self._saved is None else self._load
            runnable = make(name, piece, self._arguments(piece), index, len(pieces))
            self._runnables[name] = runnable
            split.__dict__[name] = runnable
        return split

    def save(self) -> Json:
        """Keep what was compiled below the cache folder."""
        from vllm.compilation.piecewise_backend import PiecewiseBackend

        if not self._aot:
            self._manager.save_to_file()
            return {"pieces": sorted(self._runnables)} if self._manager.cache else None
        if self._saved is not None:
            return self._saved
        folder = self._cache / _ARTIFACTS
        folder.mkdir(exist_ok=True)
        for name, runnable in self._runnables.items():
            entry = SimpleNamespace(compiled=True, runnable=runnable)
            owner = SimpleNamespace(range_entries={self._range: entry})
            (folder / name).write_bytes(PiecewiseBackend.to_bytes(owner)[str(self._range)])
        return {"pieces": sorted(self._runnables)}

    def _arguments(self, piece: fx.GraphModule) -> list[Any]:
        from vllm.compilation.piecewise_backend import (
            create_concrete_args,
            get_fake_args_from_graph,
        )

        if self._size is None:
            return list(get_fake_args_from_graph(piece))
        return list(create_concrete_args(piece, self._size))

    def _compile(
        self, name: str, piece: fx.GraphModule, arguments: list[Any], index: int, pieces: int
    ) -> Callable[..., Any]:
        return self._manager.compile(
            piece,
            arguments,
            copy.deepcopy(self._config.inductor_compile_config),
            self._config,
            compile_range=self._range,
            graph_index=index,
            num_graphs=pieces,
        )

    def _load(
        self, name: str, piece: fx.GraphModule, arguments: list[Any], index: int, pieces: int
    ) -> Callable[..., Any]:
        if self._aot:
            return self._load_artifact(name, piece)
        found = self._manager.load(piece, arguments, index, self._range)
        if found is None:
            raise RuntimeError(f"vLLM has nothing in its cache for {name}")
        return found

    def _load_artifact(self, name: str, piece: fx.GraphModule) -> Callable[..., Any]:
        from torch._inductor.compile_fx import graph_returns_tuple
        from vllm.compilation.caching import StandaloneCompiledArtifacts
        from vllm.compilation.piecewise_backend import PiecewiseBackend

        artifacts = StandaloneCompiledArtifacts()
        shape = str(self._range)
        artifacts.insert(name, shape, (self._cache / _ARTIFACTS / name).read_bytes())
        artifacts.load_all()
        return PiecewiseBackend.get_compiled_graph_wrapper(
            SimpleNamespace(returns_tuple=graph_returns_tuple(piece)),
            artifacts.get_loaded(name, shape),
        )


def make(version: str, path: str) -> Vllm:
    return Vllm()

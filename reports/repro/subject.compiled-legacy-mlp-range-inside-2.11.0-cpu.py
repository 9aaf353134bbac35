"""The model `mlp`, compiled by vllm==0.20.2 as its path `legacy` does, with PyTorch 2.11.0.

vllm-0.20.2:subject.compiled[legacy-mlp-range-inside]@2.11.0-cpu: 'AlwaysHitShapeEnv' object has
no attribute 'var_to_hint_override'

Needs vllm==0.20.2 beside PyTorch, and the C++ compiler that it calls.
Exits with 1 where the compiled model does not compile, or does not
compute what it does without a compiler, with 0 where it does, and with
125, as for git bisect, where neither can be told.
"""

from __future__ import annotations

import copy
import inspect
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import torch._dynamo
import torch._inductor
from torch import fx, nn

DEVICE = "cpu"


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


Json = Any
_ARTIFACTS = "aot-artifacts"
LARGEST = 8192


def accepted(function: Callable[..., Any], **settings: Any) -> dict[str, Any]:
    """Those of ``settings`` that ``function`` takes: releases differ in what they can be told."""
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in settings.items() if name in parameters}


def operators(graph: fx.GraphModule, namespace: str) -> list[fx.Node]:
    """The nodes of ``graph`` that call an operator registered in ``namespace``."""
    return [
        node
        for node in graph.graph.nodes
        if isinstance(node.target, torch._ops.OpOverload) and node.target.namespace == namespace
    ]


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


SIZES = (5, 8)
WIDTH = 64


class Mlp(nn.Module):
    """Two linear layers and a GELU: one piece, one output."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(nn.functional.gelu(self.up(x)))


# vLLM reads them when it is imported.
os.environ.update(_switches(standalone=False, aot=False))

# The batch sizes that it is called with: all of a range, or a single one that is compiled for.
SIZE = None
CALLED = SIZES if SIZE is None else [SIZE]


def inputs_for(size):
    generator = torch.Generator().manual_seed(size)
    return torch.randn(size, WIDTH, generator=generator).to(DEVICE)


def tensors(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors(each)


def traits(found):
    """Of each tensor what a caller may rely on besides its values."""
    return [
        (
            str(each.dtype),
            tuple(each.shape),
            tuple(step for size, step in zip(each.shape, each.stride()) if size > 1),
            # A tensor that is returned as it was given stands there twice.
            [
                place
                for place, other in enumerate(found)
                if place != own
                and other.untyped_storage().data_ptr() == each.untyped_storage().data_ptr() != 0
            ],
        )
        for own, each in enumerate(found)
    ]


def difference(found, wanted):
    """What is not the same of tensors; empty where nothing is."""
    if traits(found) != traits(wanted):
        return (
            "dtypes, shapes, strides and what shares memory\n"
            f"  compiled: {traits(found)}\n"
            f"  eager:    {traits(wanted)}"
        )
    for got, want in zip(found, wanted):
        # What torch.testing allows by itself would let float64 be as coarse as float32.
        allowed = {"rtol": 1e-12, "atol": 1e-12} if want.dtype == torch.float64 else {}
        try:
            torch.testing.assert_close(got, want, equal_nan=True, **allowed)
        except AssertionError as error:
            return str(error)
    return ""


def main() -> int:
    import vllm.compilation.compiler_interface

    print(f"vLLM {vllm.__version__}")
    torch.manual_seed(0)
    model = Mlp().to(DEVICE).eval().requires_grad_(False)
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        wanted = [list(tensors(model(inputs_for(size)))) for size in CALLED]
        backend = _Backend("legacy", Path(folder), None, SIZE)
        compiled = torch.compile(model, backend=backend, fullgraph=True)
        for size, right in zip(CALLED, wanted):
            inputs = inputs_for(size)
            torch._dynamo.mark_dynamic(inputs, 0)
            try:
                wrong = difference(list(tensors(compiled(inputs))), right)
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                print(f"wrong: {wrong}")
                return 1
    print("right")
    return 0


if __name__ == "__main__":
    import os
    import shutil

    print(f"PyTorch {torch.__version__}")
    try:
        torch.empty(1, device=DEVICE)
        if shutil.which(os.environ.get("CXX", "g++")) is None:
            raise RuntimeError("there is no C++ compiler: install g++, or set CXX")
        status = main()
    except Exception as error:
        # What the compiler is not to blame for, such as that there is no such device or no g++.
        print(f"not known: {type(error).__name__}: {error}")
        status = 125
    sys.exit(status)

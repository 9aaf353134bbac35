"""The compiler interface: a Protocol and the three implementations that satisfy it."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol
from unittest.mock import patch

import torch
import torch._functorch.config
import torch._inductor.config
from torch import fx
from torch._dynamo.utils import get_metrics_context
from torch._functorch._aot_autograd.autograd_cache import AOTAutogradCache
from torch._inductor import codecache
from torch._inductor import compile_fx as inductor
from torch._inductor.output_code import CompiledFxGraphConstantsWithGm
from torch._subclasses.fake_tensor import FakeTensor

from compat.interface.features import FEATURES
from compat.interface.settings import Settings
from compat.interface.shape_env import AlwaysHitShapeEnv
from compat.interface.shapes import CompileRange
from compat.interface.tracing_context import Run, choose_strategy

Compiled = Callable[..., Any]
Handle = tuple[str, str]
Options = Mapping[str, Any]


class Compiler(Protocol):
    """Compiles graphs that Dynamo captured, one at a time, and loads them again."""

    name: str

    def initialize_cache(self, cache_dir: Path, *, disable_cache: bool = False) -> None:
        """Keep everything that is written below ``cache_dir``, or write nothing."""

    def compute_hash(self) -> str:
        """Ten hex digits that change when anything torch-side that enters the output changes."""

    def compile(
        self,
        graph: fx.GraphModule,
        example_inputs: Sequence[Any],
        compile_range: CompileRange,
        *,
        key: str,
        options: Options | None = None,
    ) -> tuple[Compiled, Handle | None]:
        """Compile ``graph`` for the batch sizes of ``compile_range``.

        Args:
            graph: As captured by Dynamo, placeholders with ``example_value`` in their meta.
            example_inputs: One for each placeholder, fake or real.
            compile_range: A single size specialises on the example inputs; a range keeps the
                graph's own symbolic shapes.
            key: Names this compilation; what is saved lies at ``cache_dir / key``.
            options: Inductor config entries.

        Returns:
            A callable with the graph's calling convention, and a handle for :meth:`load`, None
            where nothing was kept.
        """

    def load(
        self, handle: Handle, graph: fx.GraphModule, example_inputs: Sequence[Any]
    ) -> Compiled:
        """The callable that :meth:`compile` gave back together with ``handle``.

        Raises:
            RuntimeError: Nothing is stored under ``handle``.
        """


class EagerCompiler:
    """Compiles nothing: the reference that the others are compared with."""

    name = "eager"

    def initialize_cache(self, cache_dir: Path, *, disable_cache: bool = False) -> None:
        pass

    def compute_hash(self) -> str:
        return ""

    def compile(
        self,
        graph: fx.GraphModule,
        example_inputs: Sequence[Any],
        compile_range: CompileRange,
        *,
        key: str,
        options: Options | None = None,
    ) -> tuple[Compiled, Handle | None]:
        return graph, None

    def load(
        self, handle: Handle, graph: fx.GraphModule, example_inputs: Sequence[Any]
    ) -> Compiled:
        raise RuntimeError("the eager compiler keeps nothing, so there is nothing to load")


class StandaloneCompiler:
    """Drives ``torch._inductor.standalone_compile``, the path that vLLM ships.

    Args:
        aot: Produce one bundled ahead-of-time artifact, where the gate for it is open.
        save_format: How :meth:`compile` saves; an aot artifact is always binary.
        features: Switches features on or off by name, against their gates.
    """

    name = "standalone"

    def __init__(
        self,
        *,
        aot: bool = False,
        save_format: Literal["binary", "unpacked"] = "binary",
        features: Mapping[str, bool] | None = None,
    ) -> None:
        self._features = dict(features or {})
        self._aot = aot and self.uses("aot")
        self._save_format = save_format

    def uses(self, feature: str) -> bool:
        """Whether this compiler passes ``feature``: its gate's answer unless overruled."""
        return self._features.get(feature, FEATURES[feature].gate_open())

    def initialize_cache(self, cache_dir: Path, *, disable_cache: bool = False) -> None:
        self._cache_dir = cache_dir
        self._keep = not disable_cache
        if self._keep:
            _redirect_caches(cache_dir)

    def compute_hash(self) -> str:
        return _torch_hash()

    def compile(
        self,
        graph: fx.GraphModule,
        example_inputs: Sequence[Any],
        compile_range: CompileRange,
        *,
        key: str,
        options: Options | None = None,
    ) -> tuple[Compiled, Handle | None]:
        arguments: dict[str, Any] = {
            "dynamic_shapes": (
                "from_example_inputs" if compile_range.is_single_size else "from_graph"
            ),
            "options": {"config_patches": _size_options(compile_range) | dict(options or {})},
        }
        if self.uses("donate_graph_module"):
            arguments["donate_graph_module"] = True
        if self._aot:
            arguments["aot"] = True

        shared_mode: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        mode = _fake_mode_of(example_inputs) if compile_range.is_single_size else None
        if mode is not None and self.uses("fake_mode"):
            arguments["fake_mode"] = mode
        elif mode is not None:
            shared_mode = _standalone_compile_reuses(mode)

        with shared_mode, torch._functorch.config.patch(bundled_autograd_cache=self._aot):
            artifact = torch._inductor.standalone_compile(graph, example_inputs, **arguments)

        if not self._keep:
            return artifact, None
        path = self._cache_dir / key
        artifact.save(path=str(path), format="binary" if self._aot else self._save_format)
        return artifact, (key, str(path))

    def load(
        self, handle: Handle, graph: fx.GraphModule, example_inputs: Sequence[Any]
    ) -> Compiled:
        _, path = handle
        if not Path(path).exists():
            raise RuntimeError(f"no compiled artifact at {path}")
        artifact = torch._inductor.CompiledArtifact.load(
            path=path, format="unpacked" if Path(path).is_dir() else "binary"
        )
        return with_convention_of(graph, artifact)


class CompileFxCompiler:
    """Drives ``compile_fx`` and reaches into ``FxGraphCache``: vLLM's legacy path.

    It is called from inside Dynamo's tracing context, hides that context from ``compile_fx``,
    and offers a ShapeEnv stand-in to the cache, so that what it compiles can be looked up again.

    Args:
        without_tracing_context: How to hide Dynamo's tracing context; the first strategy
            that works at each compilation when left out.
    """

    name = "compile_fx"

    def __init__(self, *, without_tracing_context: Run | None = None) -> None:
        self._without_tracing_context = without_tracing_context

    def initialize_cache(self, cache_dir: Path, *, disable_cache: bool = False) -> None:
        self._keep = not disable_cache
        if self._keep:
            _redirect_caches(cache_dir)

    def compute_hash(self) -> str:
        return _torch_hash()

    def compile(
        self,
        graph: fx.GraphModule,
        example_inputs: Sequence[Any],
        compile_range: CompileRange,
        *,
        key: str,
        options: Options | None = None,
    ) -> tuple[Compiled, Handle | None]:
        config_patches = {
            "fx_graph_cache": self._keep,
            "fx_graph_remote_cache": False,
            **_size_options(compile_range),
            **(options or {}),
        }
        stored: list[Handle] = []

        def remember_key(*args: Any, **kwargs: Any) -> Any:
            output = inductor.compile_fx_inner(*args, **kwargs)
            if cache_key := getattr(output, "_fx_graph_cache_key", None):
                stored.append((cache_key, key))
            return output

        # Inductor rewrites the graph it is given (pytorch#138980).
        donor = copy.deepcopy(graph)

        def compile_here() -> Compiled:
            compiled: Compiled = inductor.compile_fx(
                donor,
                list(example_inputs),
                inner_compile=remember_key,
                config_patches=config_patches,
            )
            return compiled

        run = self._without_tracing_context or choose_strategy().run
        with _graph_cache_without_shape_env(), get_metrics_context():
            compiled = run(compile_here)
        if not self._keep:
            return compiled, None
        if not stored:
            raise RuntimeError("compile_fx stored no graph: FxGraphCache reported no key")
        return compiled, stored[-1]

    def load(
        self, handle: Handle, graph: fx.GraphModule, example_inputs: Sequence[Any]
    ) -> Compiled:
        """Look the graph up in ``FxGraphCache``. Works inside a Dynamo context only."""
        cache_key, key = handle
        constants = CompiledFxGraphConstantsWithGm(graph)
        with _graph_cache_without_shape_env(), get_metrics_context():
            found, _ = codecache.FxGraphCache._lookup_graph(
                cache_key, list(example_inputs), True, None, constants
            )
        if found is None:
            raise RuntimeError(f"FxGraphCache has no graph {cache_key} (compiled as {key})")
        return with_convention_of(graph, lambda *args: found(list(args)))


COMPILERS: Mapping[str, Callable[[], Compiler]] = {
    "eager": EagerCompiler,
    "compile_fx": CompileFxCompiler,
    "standalone": StandaloneCompiler,
    "aot": partial(StandaloneCompiler, aot=True),
}


def make_compiler(settings: Settings, cache_dir: Path) -> Compiler:
    """The compiler that ``settings`` ask for, with its cache initialised below ``cache_dir``."""
    compiler: Compiler
    if settings.use_standalone_compile:
        compiler = StandaloneCompiler(aot=settings.use_aot_artifact)
    else:
        compiler = CompileFxCompiler()
    compiler.initialize_cache(cache_dir, disable_cache=settings.disable_compile_cache)
    return compiler


def _redirect_caches(cache_dir: Path) -> None:
    """Let Inductor and Triton keep their caches below ``cache_dir``."""
    for variable, folder in (
        ("TORCHINDUCTOR_CACHE_DIR", cache_dir / "inductor_cache"),
        ("TRITON_CACHE_DIR", cache_dir / "triton_cache"),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[variable] = str(folder)


def _torch_hash() -> str:
    factors = (
        codecache.CacheBase.get_system(),
        codecache.torch_key(),
        torch._inductor.config.save_config_portable(),
        torch._functorch.config.save_config_portable(),
    )
    return hashlib.sha256(str(factors).encode()).hexdigest()[:10]


def _size_options(compile_range: CompileRange) -> dict[str, Any]:
    """A single size may be tuned further; both switches are off, as vLLM's defaults on CPU."""
    if not compile_range.is_single_size:
        return {}
    return {"max_autotune": False, "coordinate_descent_tuning": False}


def _fake_mode_of(inputs: Sequence[Any]) -> Any | None:
    return next((value.fake_mode for value in inputs if isinstance(value, FakeTensor)), None)


def _standalone_compile_reuses(mode: Any) -> contextlib.AbstractContextManager[Any]:
    """Make ``standalone_compile`` take ``mode`` where it would create one (pytorch#176562)."""
    # Patched on the module object: on Python 3.10 a dotted string finds the function of the
    # same name (vllm#37858).
    module = sys.modules["torch._inductor.standalone_compile"]
    return patch.object(module, "FakeTensorMode", lambda *args, **kwargs: mode)


@contextlib.contextmanager
def _graph_cache_without_shape_env() -> Any:
    """Let ``FxGraphCache`` store and find graphs that have no ShapeEnv of their own."""

    def shape_env(*args: Any) -> AlwaysHitShapeEnv:
        return AlwaysHitShapeEnv()

    def can_always_cache(*args: Any, **kwargs: Any) -> None:
        return None

    with (
        patch.object(codecache.FxGraphCache, "_get_shape_env", shape_env),
        patch.object(AOTAutogradCache, "_get_shape_env", shape_env),
        patch.object(codecache.FxGraphCache, "_check_can_cache", can_always_cache),
        torch._inductor.config.patch(fx_graph_remote_cache=False),
        # The key is only reported while the cache one level up is off.
        torch._functorch.config.patch(
            enable_autograd_cache=False, enable_remote_autograd_cache=False
        ),
    ):
        yield


def with_convention_of(graph: fx.GraphModule, loaded: Compiled) -> Compiled:
    """What was loaded returns a tuple always; ``graph`` may return a bare value."""
    if inductor.graph_returns_tuple(graph):
        return loaded
    return lambda *args: loaded(*args)[0]

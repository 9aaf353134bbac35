"""Ways to break what a later compilation, or process, makes of what was compiled before."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch._dynamo.precompile_context import PrecompileContext
from torch._dynamo.utils import counters
from torch._inductor.codecache import FxGraphCachePickler
from torch._inductor.output_code import CompiledFxGraph

from tests.probes.sabotages.registry import sabotage_of


@sabotage_of("caches.keys[common")
def every_graph_has_one_key(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FxGraphCachePickler, "get_hash", lambda *_: "0" * 40)


@sabotage_of("caches.keys[common")
def no_graph_has_its_key_again(patch: pytest.MonkeyPatch) -> None:
    number = itertools.count()
    patch.setattr(FxGraphCachePickler, "dumps", lambda *_: str(next(number)).encode())


@sabotage_of("caches.recompiled[common")
def what_was_found_is_off(patch: pytest.MonkeyPatch) -> None:
    real = CompiledFxGraph.__call__

    def call(self: Any, inputs: Any) -> Any:
        found = counters["inductor"]["fxgraph_cache_hit"]
        return [each + 0.1 if found else each for each in real(self, inputs)]

    patch.setattr(CompiledFxGraph, "__call__", call)


@sabotage_of("caches.portable[common")
def portable_artifacts_are_not_loaded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(torch.compiler, "load_cache_artifacts", lambda _: None)


@sabotage_of("caches.aot_compile[common")
def nothing_is_loaded_that_was_compiled_ahead(patch: pytest.MonkeyPatch) -> None:
    def load(*_: Any) -> Any:
        raise RuntimeError("it was compiled elsewhere")

    patch.setattr(torch.compiler, "load_compiled_function", load)


@sabotage_of("caches.aot_compile[common")
def what_was_compiled_ahead_is_off(patch: pytest.MonkeyPatch) -> None:
    real = torch.compiler.load_compiled_function

    def load(file: Any) -> Any:
        loaded = real(file)
        return lambda *args: loaded(*args) + 0.1

    patch.setattr(torch.compiler, "load_compiled_function", load)


@sabotage_of("caches.precompile")
def dynamo_keeps_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PrecompileContext, "save_to_dynamo_cache", dict)

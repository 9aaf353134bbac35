"""Ways to break compiled functions on odd machines, and the switches of the compiler."""

from __future__ import annotations

import os
import threading
from contextlib import nullcontext
from typing import Any

import pytest
import torch
import torch._dynamo.config
from torch._inductor import compile_fx
from torch._inductor.output_code import CompiledFxGraph

from tests.probes.sabotages.registry import sabotage_of


@sabotage_of("machines.odd[common")
def a_thread_moves_the_numbers(patch: pytest.MonkeyPatch) -> None:
    real = CompiledFxGraph.__call__

    def call(self: Any, inputs: Any) -> Any:
        moved = threading.current_thread() is not threading.main_thread()
        return [each + 0.1 if moved else each for each in real(self, inputs)]

    patch.setattr(CompiledFxGraph, "__call__", call)


@sabotage_of("machines.odd[common")
def only_the_main_thread_compiles(patch: pytest.MonkeyPatch) -> None:
    real = compile_fx.compile_fx

    def compile_there(*args: Any, **kwargs: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("only the main thread compiles")
        return real(*args, **kwargs)

    patch.setattr(compile_fx, "compile_fx", compile_there)


@sabotage_of("machines.stances[common-full")
def stances_are_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(torch.compiler, "set_stance", lambda *_, **__: nullcontext())


@sabotage_of("machines.switched_off[config", "machines.switched_off[TORCHDYNAMO_DISABLE")
def the_compiler_stays_on(patch: pytest.MonkeyPatch) -> None:
    real = torch.compile

    def compile_all_the_same(function: Any, **kwargs: Any) -> Any:
        os.environ.pop("TORCHDYNAMO_DISABLE", None)
        with torch._dynamo.config.patch(disable=False):
            compiled = real(function, **kwargs)

        def call(*args: Any) -> Any:
            with torch._dynamo.config.patch(disable=False):
                return compiled(*args)

        return call

    patch.setattr(torch, "compile", compile_all_the_same)

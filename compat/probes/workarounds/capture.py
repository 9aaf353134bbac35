"""Workarounds for what is captured, and for what a graph is called with."""

from __future__ import annotations

import builtins
import pickle
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch._dynamo import convert_frame
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from compat.probes.driving import SINGLE_SIZE
from compat.probes.models import make_input, make_model
from compat.probes.workarounds.trial import (
    NeededError,
    Trial,
    Try,
    agrees,
    captured,
    compiled,
    under,
)


def _with_fakes(patched: Callable[[FakeTensorMode], AbstractContextManager[Any]]) -> Try:
    def run(device: str, _: Path) -> None:
        block = make_model("block", torch.float32, device)
        for function, x in (
            (lambda x: torch.sin(x) * 3, torch.eye(4, device=device)),
            (block, make_input(SINGLE_SIZE, torch.float32, device)),
        ):
            piece, inputs = captured(function, x)
            mode = FakeTensorMode(shape_env=ShapeEnv())
            fakes = [mode.from_tensor(each) for each in inputs]
            with patched(mode):
                artifact = compiled(piece, fakes, dynamic_shapes="from_example_inputs")
            agrees(artifact, inputs, function(x))

    return run


def _shared(mode: FakeTensorMode) -> AbstractContextManager[Any]:
    module = sys.modules["torch._inductor.standalone_compile"]
    return patch.object(module, "FakeTensorMode", lambda *_, **__: mode)


def returns_a_builtin(x: torch.Tensor) -> tuple[torch.Tensor, type]:
    return x + 1, type


def runtime_builtins(device: str, folder: Path) -> None:
    x = torch.eye(4, device=device)
    with torch.no_grad(), torch._dynamo.config.patch(enable_aot_compile=True):
        ahead = torch.compile(returns_a_builtin, fullgraph=True, backend="inductor")
        ahead.aot_compile(((x,), {})).save_compiled_function(str(folder / "saved"))
        torch._dynamo.reset()
        with (folder / "saved").open("rb") as file:
            loaded = torch.compiler.load_compiled_function(file)
        agrees(loaded, [x], x + 1)


def builtins_kept() -> AbstractContextManager[Any]:
    real = convert_frame.GraphCaptureOutput.get_runtime_env

    def picklable(value: object) -> bool:
        try:
            pickle.dumps(value)
        except Exception:  # noqa: BLE001  (whatever it is, it cannot be kept)
            return False
        return True

    def get_runtime_env(self: Any) -> Any:
        found = real(self)
        for name in found.external_refs:
            if name in found.used_globals:
                continue
            if name.startswith("__builtins_dict__") and name in self.f_globals:
                kept = {key: each for key, each in self.f_globals[name].items() if picklable(each)}
                found.used_globals[name] = kept
            elif hasattr(builtins, name):
                found.used_globals[name] = getattr(builtins, name)
        return found

    return patch.object(convert_frame.GraphCaptureOutput, "get_runtime_env", get_runtime_env)


def no_aot_compile() -> str:
    keys = torch._dynamo.config._config
    return "" if "enable_aot_compile" in keys else "torch._dynamo.config.enable_aot_compile"


def nested_trace(_: str, __: Path) -> None:
    wrapped = torch.compile(lambda x: torch.sin(x) + 1, backend="eager")
    piece = make_fx(wrapped)(torch.ones(3))
    called = [node for node in piece.graph.nodes if node.op == "call_function"]
    assert len(called) == 2, piece.graph


def nested_allowed() -> AbstractContextManager[Any]:
    allowed: AbstractContextManager[Any] = torch._dynamo.config.patch(
        error_on_nested_fx_trace=False
    )
    return allowed


def makes_a_mode(x: torch.Tensor) -> torch.Tensor:
    mode = FakeTensorMode(shape_env=None)
    return x + (1 if mode.shape_env is None else 2)


def fake_mode_in_dynamo(device: str, _: Path) -> None:
    """Whether Dynamo traced any code of the constructor."""
    traced: list[str] = []
    real = torch._dynamo.symbolic_convert.InliningInstructionTranslator.build_inline_tracer

    def build(parent: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        code = function.get_code()
        if code.co_qualname.startswith("FakeTensorMode.__init__"):
            traced.append(code.co_qualname)
        return real(parent, function, *args, **kwargs)

    x = torch.ones(3, device=device)
    name = "build_inline_tracer"
    translator = torch._dynamo.symbolic_convert.InliningInstructionTranslator
    with patch.object(translator, name, staticmethod(build)):
        agrees(torch.compile(makes_a_mode, backend="eager"), [x], x + 1)
    if traced:
        raise NeededError("Dynamo traces FakeTensorMode.__init__")


def constructor_disabled() -> AbstractContextManager[Any]:
    disabled = torch.compiler.disable(FakeTensorMode.__init__, recursive=True)
    return patch.object(FakeTensorMode, "__init__", disabled)


def _rows_of_float8(picked: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Try:
    def run(_: str, __: Path) -> None:
        weights = torch.arange(12.0).reshape(4, 3)
        rows = torch.tensor([1, 2])
        result = picked(weights.to(torch.float8_e4m3fn), rows)
        torch.testing.assert_close(result.float(), weights[rows])

    return run


TRIALS = {
    "fake-mode-patch": Trial(
        without=_with_fakes(lambda _: nullcontext()), with_it=_with_fakes(_shared)
    ),
    "runtime-builtins": Trial(
        without=runtime_builtins,
        with_it=under(builtins_kept, runtime_builtins),
        lacks=no_aot_compile,
    ),
    "nested-trace": Trial(without=nested_trace, with_it=under(nested_allowed, nested_trace)),
    "fake-mode-in-dynamo": Trial(
        without=fake_mode_in_dynamo, with_it=under(constructor_disabled, fake_mode_in_dynamo)
    ),
    "float8-rows": Trial(
        without=_rows_of_float8(lambda weights, rows: weights[rows]),
        with_it=_rows_of_float8(
            lambda weights, rows: weights.to(torch.float16)[rows].to(weights.dtype)
        ),
    ),
}

"""The tracing-context workaround: is it still needed, does it still work, does it clean up.

The compile_fx path runs inside Dynamo's tracing context with fake inputs of another mode
(vllm#38015); each strategy of :mod:`compat.interface.tracing_context` hides that context.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import fx
from torch._guards import TracingContext
from torch._inductor import compile_fx as inductor

from compat.interface import tracing_context
from compat.interface.compilers import CompileFxCompiler
from compat.interface.shapes import concrete_inputs
from compat.interface.tracing_context import STRATEGIES, Run, T, choose_strategy
from compat.probes.agreement import Judgement, judge
from compat.probes.conftest import Record
from compat.probes.driving import (
    SINGLE_SIZE,
    drive,
    initialized,
    inside_dynamo,
    make_batches,
    run_eagerly,
    unhidden,
)
from compat.probes.models import make_input, make_model
from compat.runs.signature import signature_of
from compat.topics.tracing_context.records import Fallback, Hidden, Needed, Reentrant, Restored


class BoomError(Exception):
    """Raised on purpose."""


def distance_from_eager(run: Run, device: str, batch: str, cache_dir: Path) -> Judgement:
    """Of what compile_fx makes, called by ``run`` inside Dynamo; raises what compile_fx does."""
    torch._dynamo.reset()
    model = make_model("mlp", torch.float32, device)
    batches = make_batches(batch, torch.float32, device)
    compiler = initialized(CompileFxCompiler(without_tracing_context=run), cache_dir)
    return judge(drive(model, compiler, batches).calls, run_eagerly(model, batches))


@pytest.mark.parametrize("batch", ["static", "dynamic"])
def test_needed(batch: str, device: str, record: Record, tmp_path: Path) -> None:
    """Does compile_fx fail inside Dynamo's context unless that context is hidden?

    The control is in the probe: whatever fails unhidden must work once the context is hidden.
    """
    failure = ""
    try:
        seen = distance_from_eager(unhidden, device, batch, tmp_path / "unhidden")
        assert seen.agrees, f"outputs are {seen}"
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
        failure = signature_of(error)
    record(Needed(needed=bool(failure), failure=failure))
    if failure:
        seen = distance_from_eager(choose_strategy().run, device, batch, tmp_path / "hidden")
        assert seen.agrees, f"hiding the context does not help: outputs are still {seen}"


@pytest.mark.parametrize("batch", ["static", "dynamic"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy(strategy: str, batch: str, device: str, record: Record, tmp_path: Path) -> None:
    """compile_fx works inside Dynamo's context with the context hidden this way."""
    seen = distance_from_eager(STRATEGIES[strategy].run, device, batch, tmp_path)
    record(Hidden(max_abs=seen.max_abs))
    assert seen.agrees, f"outputs are {seen}"


@pytest.mark.parametrize("when", ["success", "exception", "nested"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_restored(strategy: str, when: str, device: str, record: Record) -> None:
    """Afterwards Dynamo's own context is back, the very same object.

    A context that stays hidden breaks the frame that Dynamo is still tracing.
    """
    run = STRATEGIES[strategy].run

    def boom(*args: object, **kwargs: object) -> None:
        raise BoomError

    def compile_and_fail(graph: fx.GraphModule) -> None:
        inductor.compile_fx(graph, concrete_inputs(graph, SINGLE_SIZE), inner_compile=boom)

    def body(graph: fx.GraphModule, _: Any) -> tuple[bool, bool]:
        before = TracingContext.try_get()
        assert before is not None, "Dynamo gave the backend no tracing context"
        if when == "success":
            hidden = run(TracingContext.try_get) is None
        elif when == "nested":
            hidden = run(lambda: run(TracingContext.try_get)) is None
        else:
            # Newer builds wrap what they raise; which wrapper it is does not matter here.
            with pytest.raises(Exception) as raised:  # noqa: PT011
                run(lambda: compile_and_fail(graph))
            hidden = _caused_by_boom(raised.value)
        return hidden, TracingContext.try_get() is before

    hidden, restored = inside_dynamo(
        make_model("mlp", torch.float32, device),
        make_input(SINGLE_SIZE, torch.float32, device),
        body,
        dynamic=True,
    )
    record(Restored(hidden=hidden, restored=restored))
    assert hidden, f"{strategy} does not hide the tracing context"
    assert restored, f"{strategy} leaves another tracing context behind"


@pytest.mark.parametrize("taken", ["_TLS", "_TLS+tracing"])
def test_fallback(
    taken: str, device: str, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a private name gone from torch._guards the chain takes the next strategy, and it works.

    The name is gone for the interface only, as after a rename: torch itself still finds it.
    """
    gone = taken.split("+")
    guards = SimpleNamespace(**{k: v for k, v in vars(torch._guards).items() if k not in gone})
    view = SimpleNamespace(**{**vars(torch), "_guards": guards})
    monkeypatch.setattr(tracing_context, "torch", view)
    chosen: list[str] = []

    def run_chosen(function: Callable[[], T]) -> T:
        strategy = choose_strategy()
        chosen.append(strategy.name)
        record(Fallback(chosen=", ".join(dict.fromkeys(chosen))))
        return strategy.run(function)

    seen = distance_from_eager(run_chosen, device, "dynamic", tmp_path)
    order = list(STRATEGIES)
    assert set(chosen) == {order[len(gone)]}, f"without {taken} the chain chose {chosen}"
    assert seen.agrees, f"outputs are {seen}"


def compile_and_check(model_name: str, device: str, cache_dir: Path) -> None:
    """Compile a model on the compile_fx path, from wherever this is called."""
    model = make_model(model_name, torch.float32, device)
    batches = make_batches("static", torch.float32, device)
    driven = drive(model, initialized(CompileFxCompiler(), cache_dir), batches)
    assert driven.backend.pieces, f"{model_name} was not compiled"
    seen = judge(driven.calls, run_eagerly(model, batches))
    assert seen.agrees, f"{model_name}: outputs are {seen}"


def leaves_another(model_name: str, device: str, cache_dir: Path) -> bool:
    """Whether compiling leaves another tracing context behind than the one that was there."""
    before = TracingContext.try_get()
    compile_and_check(model_name, device, cache_dir)
    return TracingContext.try_get() is not before


def in_two_threads(device: str, cache_dir: Path) -> bool:
    with ThreadPoolExecutor(max_workers=2) as executor:
        done = [
            executor.submit(leaves_another, model, device, cache_dir / model)
            for model in ("mlp", "reduction")
        ]
        left = [each.result() for each in done]
    return any(left)


def inside_another(device: str, cache_dir: Path) -> bool:
    def body(graph: fx.GraphModule, _: Any) -> bool:
        return leaves_another("reduction", device, cache_dir)

    model = make_model("mlp", torch.float32, device)
    batch = make_input(SINGLE_SIZE, torch.float32, device)
    left: bool = inside_dynamo(model, batch, body, dynamic=False)
    return left


def from_an_autograd_hook(device: str, cache_dir: Path) -> bool:
    left: list[bool] = []

    def hook(gradient: torch.Tensor) -> None:
        left.append(leaves_another("mlp", device, cache_dir))

    leaf = make_input(SINGLE_SIZE, torch.float32, device).requires_grad_()
    leaf.register_hook(hook)
    torch.sin(leaf).sum().backward()
    assert left, "the hook was not called"
    return any(left)


PLACES: Mapping[str, Callable[[str, Path], bool]] = {
    "two-threads": in_two_threads,
    "another-compile": inside_another,
    "autograd-hook": from_an_autograd_hook,
}


@pytest.mark.full
@pytest.mark.parametrize("place", PLACES)
def test_reentrant(place: str, device: str, record: Record, tmp_path: Path) -> None:
    """compile_fx with the context hidden works in two threads at once, and from inside others.

    A server compiles in its threads; a context that is hidden in one must not be lost in another.
    """
    left_behind = PLACES[place](device, tmp_path) or TracingContext.try_get() is not None
    record(Reentrant(left_behind=left_behind))
    assert not left_behind, "another tracing context is left behind"


def _caused_by_boom(error: BaseException) -> bool:
    """Whether ``error`` is :class:`BoomError` or wraps it, as newer builds do."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, BoomError):
        seen = getattr(seen, "inner_exception", None) or seen.__cause__
    return seen is not None

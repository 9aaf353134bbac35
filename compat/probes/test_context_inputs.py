"""Which inputs compile_fx takes inside Dynamo's tracing context, hidden or not.

Downstreams call it there with what they have at hand: real tensors, the fakes that Dynamo recorded,
or fakes of a mode of their own (vllm#38015); and with graphs of their own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import fx, nn
from torch._guards import TracingContext
from torch._inductor import compile_fx as inductor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx.experimental.symbolic_shapes import (
    DimDynamic,
    ShapeEnv,
    StatelessSymbolicContext,
)

from compat.interface.shapes import concrete_inputs, symbolic_inputs
from compat.interface.tracing_context import STRATEGIES, Run, choose_strategy
from compat.probes.agreement import STRUCTURE, judge
from compat.probes.conftest import Record
from compat.probes.driving import (
    DTYPES,
    SINGLE_SIZE,
    Batch,
    call_with,
    inside_dynamo,
    run_eagerly,
    unhidden,
)
from compat.probes.models import make_input, make_model
from compat.probes.packages import make_importable
from compat.probes.real_models import TOKENS, Decoder
from compat.runs.signature import signature_of
from compat.topics.inputs.records import Inputs, OnModel

WAYS: Mapping[str, Run] = {
    "none": unhidden,
    **{name: strategy.run for name, strategy in STRATEGIES.items()},
}


def real_inputs(graph: fx.GraphModule, examples: Sequence[Any]) -> list[Any]:
    """Tensors with memory, and the batch size as a number."""
    return [each if isinstance(each, torch.Tensor) else SINGLE_SIZE for each in examples]


def own_inputs(graph: fx.GraphModule, examples: Sequence[Any]) -> list[Any]:
    """The fakes that Dynamo recorded, of the very mode that the context has."""
    return symbolic_inputs(graph)


def foreign_inputs(graph: fx.GraphModule, examples: Sequence[Any]) -> list[Any]:
    """Fakes of a new mode without symbols: what vLLM passes for a single size."""
    return concrete_inputs(graph, SINGLE_SIZE)


def foreign_symbolic_inputs(graph: fx.GraphModule, examples: Sequence[Any]) -> list[Any]:
    """Fakes of a new mode, symbolic where the graph's own are."""
    mode = FakeTensorMode(shape_env=ShapeEnv())
    fakes = [
        mode.from_tensor(example, symbolic_context=_like(own))
        if isinstance(own, FakeTensor)
        else None
        for own, example in zip(symbolic_inputs(graph), examples, strict=True)
    ]
    sizes = [size for fake in fakes if fake is not None for size in fake.shape]
    symbol = next((size for size in sizes if isinstance(size, torch.SymInt)), SINGLE_SIZE)
    return [symbol if fake is None else fake for fake in fakes]


def mixed_inputs(graph: fx.GraphModule, examples: Sequence[Any]) -> list[Any]:
    """The last input as a fake of a new mode, all before it of the context's own."""
    return [*symbolic_inputs(graph)[:-1], concrete_inputs(graph, SINGLE_SIZE)[-1]]


def _like(fake: torch.Tensor) -> StatelessSymbolicContext[Any, Any]:
    return StatelessSymbolicContext(
        dynamic_sizes=[
            DimDynamic.DYNAMIC if isinstance(size, torch.SymInt) else DimDynamic.STATIC
            for size in fake.shape
        ]
    )


INPUTS: Mapping[str, Callable[[fx.GraphModule, Sequence[Any]], list[Any]]] = {
    "real": real_inputs,
    "own": own_inputs,
    "foreign": foreign_inputs,
    "foreign-symbolic": foreign_symbolic_inputs,
    "mixed": mixed_inputs,
}


def state_of(context: TracingContext) -> dict[str, str]:
    """What can be told of a tracing context and its ShapeEnv from outside, by attribute."""
    state = {f"context.{name}": _sketch(value) for name, value in vars(context).items()}
    shape_env = context.fake_mode.shape_env if context.fake_mode else None
    for name in ("guards", "replacements", "deferred_runtime_asserts"):
        state[f"shape_env.{name}"] = _sketch(getattr(shape_env, name, None))
    return state


def _sketch(value: Any) -> str:
    if isinstance(value, (list, tuple, dict, set)):
        return f"{type(value).__name__} of {len(value)}"
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    return f"{type(value).__name__} {id(value)}"


@pytest.mark.full
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("batch", ["static", "dynamic"])
@pytest.mark.parametrize("inputs", INPUTS)
def test_inputs(inputs: str, batch: str, way: str, device: str, record: Record) -> None:
    """Inputs that compile_fx takes compute the right numbers; a hidden context stays as it was.

    That it refuses some inputs is no fault: which ones, and with what words, is recorded. What it
    leaves behind in Dynamo's own context when that is not hidden, and whether Dynamo then still
    finishes its frame, is what the workaround also buys.
    """
    model = make_model("mlp", torch.float32, device)
    data = make_input(SINGLE_SIZE, torch.float32, device)
    real: list[Any] = []
    graphs: list[fx.GraphModule] = []
    failure = ""
    leaks: list[str] = []

    def body(graph: fx.GraphModule, examples: Sequence[Any]) -> Callable[..., Any] | None:
        nonlocal failure, leaks
        context = TracingContext.try_get()
        assert context is not None, "Dynamo gave the backend no tracing context"
        real[:] = real_inputs(graph, examples)
        graphs.append(graph)
        before = state_of(context)
        compiled: Callable[..., Any] | None = None
        try:
            compiled = WAYS[way](
                lambda: inductor.compile_fx(copy.deepcopy(graph), INPUTS[inputs](graph, examples))
            )
        except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
            failure = signature_of(error)
        leaks = sorted(name for name, value in state_of(context).items() if value != before[name])
        return compiled

    try:
        compiled = inside_dynamo(model, data, body, dynamic=batch == "dynamic")
    except Exception as error:
        # What leaked may break the frame that Dynamo goes on to finish.
        if way != "none":
            raise
        compiled, failure = None, f"afterwards, in Dynamo: {signature_of(error)}"
    found = Inputs(
        compiles=compiled is not None,
        failure=failure,
        leaks=tuple(leaks),
        returned="",
        max_abs=None,
    )
    record(found)
    if compiled is not None:
        call = call_with(compiled, graphs[0], tuple(real))
        found = replace(found, returned=call.structure)
        record(found)
        assert isinstance(call.result, (tuple, list)), f"it compiles, and returns {call.structure}"
        # compile_fx gives a list where the graph returns a tuple; what it returned is recorded.
        seen = judge([call], run_eagerly(graphs[0], [tuple(real)]), left_out=(STRUCTURE,))
        record(replace(found, max_abs=seen.max_abs))
        assert seen.agrees, f"it compiles, and is {seen}"
    touched = [name for name in leaks if name.startswith("context.")]
    assert way == "none" or not touched, f"hidden, and yet it changed {', '.join(touched)}"


DECODER = "llama"
# A transformer block, a graph that changes a buffer, and a decoder of transformers.
MODELS = [
    ("block", "float32"),
    ("block", "bfloat16"),
    ("buffer", "float32"),
    (DECODER, "float32"),
    (DECODER, "bfloat16"),
]


@pytest.mark.full
@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("batch", ["dynamic"])
@pytest.mark.parametrize(("model", "dtype"), MODELS)
def test_models(
    model: str,
    dtype: str,
    batch: str,
    inputs: str,
    device: str,
    record: Record,
    request: pytest.FixtureRequest,
) -> None:
    """What compile_fx takes of one small model it takes of models that people compile.

    Each is asked in Dynamo's context and with that hidden. That some inputs are refused is
    recorded; what vLLM passes must be taken with the context hidden, and what is taken must
    compute the right numbers.
    """
    if model == DECODER:
        make_importable(request.config.getoption("--packages"))
    unhidden_fails, wrong = on_model(model, dtype, inputs, device, unhidden)
    hidden_fails, wrong_hidden = on_model(model, dtype, inputs, device, choose_strategy().run)
    record(OnModel(unhidden=unhidden_fails, hidden=hidden_fails))
    assert not wrong, f"in Dynamo's context it compiles, and is {wrong}"
    assert not wrong_hidden, f"with the context hidden it compiles, and is {wrong_hidden}"
    if inputs == "foreign":
        assert not hidden_fails, f"hiding the context does not help: {hidden_fails}"


def on_model(model: str, dtype: str, inputs: str, device: str, run: Run) -> tuple[str, str]:
    """What goes wrong, as a signature, and how far from eager it is where that is wrong."""
    torch._dynamo.reset()
    real: list[Any] = []
    graphs: list[fx.GraphModule] = []

    def body(graph: fx.GraphModule, examples: Sequence[Any]) -> Callable[..., Any]:
        real[:] = real_inputs(graph, examples)
        graphs.append(graph)
        given = INPUTS[inputs](graph, examples)
        compiled: Callable[..., Any] = run(lambda: inductor.compile_fx(copy.deepcopy(graph), given))
        return compiled

    try:
        compiled = inside_dynamo(*model_and_batch(model, DTYPES[dtype], device), body, dynamic=True)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
        return signature_of(error), ""
    # A graph changes buffers that it was given: each call gets its own.
    call = call_with(compiled, graphs[0], _copied(real))
    seen = judge([call], run_eagerly(graphs[0], [_copied(real)]), left_out=(STRUCTURE,))
    return ("", "") if seen.agrees else (f"outputs are {seen}", str(seen))


def model_and_batch(name: str, dtype: torch.dtype, device: str) -> tuple[nn.Module, Batch]:
    """A decoder is given a prompt of ``SINGLE_SIZE`` tokens, any other as many rows."""
    if name != DECODER:
        return make_model(name, dtype, device), make_input(SINGLE_SIZE, dtype, device, name)
    decoder = Decoder(name, dtype).to(device).eval().requires_grad_(False)
    positions = torch.arange(SINGLE_SIZE, device=device)
    return decoder, (positions * 7 % TOKENS, positions)


def _copied(inputs: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(each.clone() if isinstance(each, torch.Tensor) else each for each in inputs)

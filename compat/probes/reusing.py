"""Compiling what may have been compiled before, and telling whether that was used."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch._dynamo.config
import torch._functorch.config
import torch._inductor.config
from torch._dynamo.utils import counters
from torch._inductor.codecache import FxGraphCachePickler
from torch._inductor.utils import clear_caches

from compat.probes.attempts import raises, same
from compat.topics.caches.records import Again

# Where torch counts hits, misses and bypasses of each of its caches.
_CACHES = {
    "dynamo_cache": "dynamo_cache",
    "aot_autograd": "autograd_cache",
    "inductor": "fxgraph_cache",
}
_ENDS = ("hit", "guard_miss", "miss", "bypass")


def compile_again(
    make: Callable[[], Callable[..., Any]],
    inputs: Sequence[Any],
    want: Any,
    context: AbstractContextManager[Any] | None = None,
) -> Again:
    """Compile a function as if this process had not compiled any; call it, and compare."""
    torch._dynamo.reset()
    clear_caches()
    counters.clear()
    try:
        with context or nullcontext():
            result = make()(*inputs)
    except Exception as error:  # noqa: BLE001  (it is the answer)
        return Again(reused=None, right=None, how=raises(error))
    how = caches_used()
    return Again(reused=" hit" in how, right=same(result, want), how=how)


def caches_used() -> str:
    """Which of torch's caches were asked since they were last counted, and what they had."""
    said = [
        f"{cache} {end.replace('_', ' ')}"
        for group, cache in _CACHES.items()
        for end in _ENDS
        if counters[group][f"{cache}_{end}"]
    ]
    return ", ".join(said) or "no cache was asked"


def inductor(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """``function``, compiled as a whole and for these shapes alone unless ``options`` say else."""
    result: Callable[..., Any] = torch.compile(
        function, **{"fullgraph": True, "dynamic": False, **options}
    )
    return result


BASE = """
def asked(x):
    return torch.addmm(bias, x, weight, alpha=FACTOR)
"""
X = torch.linspace(-1, 1, 16).reshape(4, 4)
WEIGHT = torch.linspace(1, 2, 16).reshape(4, 4)
BIAS = torch.ones(4)


def function_of(source: str, *, file: str = "asked.py", **names: Any) -> Callable[..., Any]:
    """The function ``asked`` of a source, which may use these names."""
    namespace: dict[str, Any] = {
        "torch": torch,
        "weight": WEIGHT,
        "bias": BIAS,
        # Dynamo imports the module by its name.
        "__name__": __name__,
        **names,
    }
    exec(compile(source, file, "exec"), namespace)  # noqa: S102  (it is this module's own)
    found: Callable[..., Any] = namespace["asked"]
    return found


def base(factor: float = 2.0, **names: Any) -> Callable[..., Any]:
    return function_of(BASE.replace("FACTOR", repr(factor)), **names)


class Adapted(torch.nn.Module):
    """With a buffer, as a LoRA adapter has, a tensor that is no buffer, and a plain number."""

    lora: torch.Tensor

    def __init__(self, *, lora: float = 1.0, tensor: float = 1.0, factor: float = 2.0) -> None:
        super().__init__()
        self.register_buffer("lora", WEIGHT * lora)
        self.tensor = BIAS * tensor
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.addmm(self.tensor, x, self.lora, alpha=self.factor)


def graph_with_tensor(value: float) -> Callable[..., Any]:
    """A graph that holds a tensor of its own, which is no parameter and no buffer."""
    root = torch.nn.Module()
    root.held = WEIGHT * value
    graph = torch.fx.Graph()
    x = graph.placeholder("x")
    graph.output(graph.call_function(torch.mm, (x, graph.get_attr("held"))))
    return torch.fx.GraphModule(root, graph)


def closure(factor: float) -> Callable[..., Any]:
    return function_of(
        "def make(factor):\n"
        "    def asked(x):\n"
        "        return torch.addmm(bias, x, weight, alpha=factor)\n"
        "    return asked\n"
        f"asked = make({factor})\n"
    )


def default(factor: float) -> Callable[..., Any]:
    return function_of(
        f"def asked(x, factor={factor}):\n    return torch.addmm(bias, x, weight, alpha=factor)\n"
    )


@dataclass(frozen=True)
class Change:
    """Two functions, or one under two settings: the second after the first is in the caches.

    Attributes:
        first: What is compiled first; the base, by default,
        then: and then.
        inputs: For the second, if they are others,
        context: and what it is compiled and called within,
        options: of ``torch.compile``.
    """

    first: Callable[[], Callable[..., Any]] = base
    then: Callable[[], Callable[..., Any]] = base
    inputs: Callable[[], Sequence[Any]] = lambda: [X.clone()]
    context: Callable[[], AbstractContextManager[Any]] = nullcontext
    options: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def matmul_precision() -> Iterator[None]:
    kept = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(kept)


@contextmanager
def frozen() -> Iterator[None]:
    with torch.no_grad(), torch._inductor.config.patch(freezing=True):
        yield


# An operator is gone as soon as nobody holds its library.
_libraries: list[torch.library.Library] = []


def composite(factor: float) -> Callable[..., Any]:
    """A function that calls an operator of a downstream's, which torch traces through."""
    _libraries.clear()
    library = torch.library.Library("compat_keys", "DEF")
    library.define("scaled(Tensor x, Tensor bias, Tensor weight) -> Tensor")
    library.impl("scaled", scaled_by(factor), "CompositeImplicitAutograd")
    _libraries.append(library)
    return function_of("def asked(x):\n    return torch.ops.compat_keys.scaled(x, bias, weight)\n")


def write(x: torch.Tensor, out: torch.Tensor) -> None:
    out.copy_(x)


def declared(schema: str) -> Callable[..., Any]:
    """A function that calls an operator, which writes into its second argument, declared so."""
    _libraries.clear()
    library = torch.library.Library("compat_keys", "DEF")
    library.define(f"written({schema}) -> ()")
    library.impl("written", write, "CPU")
    library.impl("written", lambda x, out: None, "Meta")
    _libraries.append(library)
    return function_of(
        "def asked(x):\n"
        "    out = torch.zeros_like(x)\n"
        "    torch.ops.compat_keys.written(x, out)\n"
        "    return torch.mm(out, weight)\n"
    )


def allowed(factor: float) -> Callable[..., Any]:
    """A function that calls one that Dynamo is told not to trace."""
    opaque = torch._dynamo.allow_in_graph(scaled_by(factor))
    return function_of("def asked(x):\n    return opaque(x, bias, weight)\n", opaque=opaque)


def scaled_by(factor: float) -> Callable[..., Any]:
    def scaled(x: torch.Tensor, bias: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return torch.addmm(bias, x, weight, alpha=factor)

    return scaled


# What the same result would be wrong for, or compiled under other flags than it asks for.
DIFFER: Mapping[str, Change] = {
    "constant": Change(then=lambda: base(3.0)),
    "closure": Change(first=lambda: closure(2.0), then=lambda: closure(5.0)),
    "flag": Change(options={"options": {"epilogue_fusion": False}}),
    "deterministic": Change(context=deterministic),
    "dtype": Change(
        then=lambda: base(weight=WEIGHT.double(), bias=BIAS.double()),
        inputs=lambda: [X.double()],
    ),
}
DIFFER_RARELY: Mapping[str, Change] = {
    "global": Change(
        first=lambda: function_of(BASE.replace("FACTOR", "factor"), factor=2.0),
        then=lambda: function_of(BASE.replace("FACTOR", "factor"), factor=7.0),
    ),
    "default": Change(first=lambda: default(2.0), then=lambda: default(11.0)),
    "attribute": Change(first=Adapted, then=lambda: Adapted(factor=13.0)),
    "shape": Change(inputs=lambda: [torch.cat([X, X])]),
    "strides": Change(inputs=lambda: [X.clone().t()]),
    "requires_grad": Change(inputs=lambda: [X.clone().requires_grad_()]),
    "dynamic": Change(options={"dynamic": True}),
    "autocast": Change(context=lambda: torch.autocast("cpu", torch.bfloat16)),
    "matmul_precision": Change(context=matmul_precision),
    "config": Change(context=lambda: torch._inductor.config.patch(max_fusion_size=7)),
    "mode": Change(options={"mode": "max-autotune-no-cudagraphs"}),
    "no_caches": Change(
        context=lambda: torch._inductor.config.patch(force_disable_caches=True),
    ),
    "composite_operator": Change(first=lambda: composite(2.0), then=lambda: composite(17.0)),
    # A declaration that was wrong at first, and then was put right.
    "operator_schema": Change(
        first=lambda: declared("Tensor x, Tensor out"),
        then=lambda: declared("Tensor x, Tensor(a!) out"),
    ),
    "allowed_function": Change(first=lambda: allowed(2.0), then=lambda: allowed(19.0)),
}
# A key holds an operator's name and neither what it does nor how it is declared: of a downstream's,
# an older version's code is used (pytorch#187319, pytorch#144344). Answers, and no failure.
KNOWN_AS_STALE = {"composite_operator", "operator_schema"}
# What the same result is right for.
SAME: Mapping[str, Change] = {
    "nothing": Change(),
    "comment": Change(then=lambda: function_of("# A comment.\n" + BASE.replace("FACTOR", "2.0"))),
    "path": Change(
        then=lambda: function_of(BASE.replace("FACTOR", "2.0"), file="/elsewhere/other.py")
    ),
}
SAME_RARELY: Mapping[str, Change] = {
    "values": Change(inputs=lambda: [X + 1]),
    "seed": Change(context=torch.random.fork_rng),
    "name": Change(
        then=lambda: function_of(
            "def another(x):\n    return torch.addmm(bias, x, weight, alpha=2.0)\nasked = another\n"
        )
    ),
    "unrelated_global": Change(then=lambda: base(unrelated=object())),
}
# What it may be right for: a tensor may be an input of the graph, or a part of it.
FREE: Mapping[str, Change] = {
    "lora_buffer": Change(first=Adapted, then=lambda: Adapted(lora=3.0)),
    "tensor_attribute": Change(first=Adapted, then=lambda: Adapted(tensor=3.0)),
}
FREE_RARELY: Mapping[str, Change] = {
    "functorch_config": Change(
        context=lambda: torch._functorch.config.patch(activation_memory_budget=0.5)
    ),
    "graph_tensor": Change(
        first=lambda: graph_with_tensor(1.0), then=lambda: graph_with_tensor(3.0)
    ),
    "captured_tensor": Change(then=lambda: base(weight=WEIGHT * 3)),
    "argument": Change(
        then=lambda: function_of(BASE.replace("FACTOR", "2.0").replace("x", "renamed"))
    ),
    "no_grad": Change(context=torch.no_grad),
    "inference_mode": Change(context=torch.inference_mode),
    "freezing": Change(
        first=Adapted,
        then=lambda: Adapted(lora=3.0),
        context=frozen,
    ),
}


def ask(changes: Mapping[str, Change]) -> dict[str, Again]:
    """Compile the first, then the second: by name, what the second one made of the first.

    No two changes compile the same second one: what one leaves would serve the other.
    """
    found: dict[str, Again] = {}
    before: dict[Callable[[], Callable[..., Any]], Again] = {}
    for name, change in changes.items():
        if change.first not in before:
            first = change.first()
            before[change.first] = compile_again(partial(inductor, first), [X], first(X))
        ready = before[change.first]
        found[name] = (
            _second(change)
            if ready.right is not None
            else Again(reused=None, right=None, how=f"before it was changed: {ready.how}")
        )
    return found


def _second(change: Change) -> Again:
    then, inputs = change.then(), change.inputs()
    with change.context():
        want = then(*inputs)
    compiled = partial(inductor, then, **change.options)
    return compile_again(compiled, inputs, want, change.context())


def pointwise(x: torch.Tensor) -> torch.Tensor:
    """It takes a C++ compiler on CPU."""
    return torch.relu(x @ WEIGHT.to(x.device)) + 1


def start(cache: Path, device: str, prepare: Callable[[], None] | None = None) -> Again:
    """What a process that has compiled nothing makes of a cache folder."""
    if prepare is not None:
        prepare()
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache)
    x = X.to(device)
    with torch.no_grad():
        want = pointwise(x)
        return compile_again(partial(inductor, pointwise), [x], want)


def device_index() -> Again:
    """Whether Inductor's key of a graph tells one GPU from another; there need not be any."""

    def key(index: int) -> str:
        graph = torch.fx.Graph()
        x = graph.placeholder("x")
        device = torch.device("cuda", index)
        there = graph.call_function(torch.ops.aten.to.device, (x, device, torch.float32))
        graph.output((there,))
        module = torch.fx.GraphModule(torch.nn.Module(), graph)
        found: str = FxGraphCachePickler(module).get_hash(module)
        return found

    try:
        one, again, other = key(0), key(0), key(1)
    except Exception as error:  # noqa: BLE001  (it is the answer)
        return Again(reused=None, right=None, how=raises(error))
    if one != again:
        return Again(reused=None, right=None, how="the same graph has two keys")
    return Again(reused=one == other, right=True, how="one key" if one == other else "two keys")

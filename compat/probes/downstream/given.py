"""Functions of a downstream given to AOTAutograd and Inductor, or put in the place of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, fx
from torch._dynamo.backends import common
from torch._functorch._aot_autograd import autograd_cache
from torch._functorch._aot_autograd.autograd_cache import AOTAutogradCache
from torch._functorch.aot_autograd import aot_module_simplified, make_boxed_func
from torch._inductor import codecache, compile_fx

from compat.probes.caches import caches_below
from compat.probes.downstream.drives import make_inputs, product
from compat.probes.downstream.trials import compared
from compat.topics.reach.records import RIGHT, Trial

Backend = Callable[[fx.GraphModule, Sequence[Any]], Callable[..., Any]]


class Counted:
    """A compiler of a downstream: a plain function around another one, counting its calls."""

    def __init__(self, inner: Callable[..., Any]) -> None:
        self.inner = inner
        self.calls = 0
        self.keywords: set[str] = set()

    def function(self) -> Callable[..., Any]:
        def compiler(graph: fx.GraphModule, inputs: Sequence[Any], **kwargs: Any) -> Any:
            self.calls += 1
            self.keywords |= kwargs.keys()
            return self.inner(graph, inputs, **kwargs)

        return compiler


def _forward(graph: fx.GraphModule, _: Sequence[Any], **__: Any) -> Any:
    return graph.forward


def _boxed(graph: fx.GraphModule, _: Sequence[Any], **__: Any) -> Any:
    return make_boxed_func(graph.forward)


def _graph_itself(graph: fx.GraphModule, _: Sequence[Any], **__: Any) -> Any:
    return graph


def _inductor(graph: fx.GraphModule, inputs: Sequence[Any], **kwargs: Any) -> Any:
    return compile_fx.compile_fx_inner(graph, inputs, **kwargs)


INNER: Mapping[str, Callable[..., Any]] = {
    "forward": _forward,
    "boxed": _boxed,
    "graph": _graph_itself,
    "inductor": _inductor,
}


def _twice(backend: Backend, device: str, *, grad: bool, counted: Counted) -> Trial:
    """Compiled, and compiled again on warm caches: how often the downstream's function ran."""
    said: list[str] = []
    found = Trial(ended=RIGHT, said="")
    for _ in range(2):
        before = counted.calls
        torch._dynamo.reset()
        inputs, others = make_inputs(device, grad=grad), make_inputs(device, grad=grad)
        with torch.set_grad_enabled(grad):
            got = torch.compile(product, backend=backend, fullgraph=True)(*inputs)
            wanted = product(*others)
        results: tuple[Any, Any] = (got, wanted)
        if grad:
            got.sum().backward()
            wanted.sum().backward()
            results = ((got, [x.grad for x in inputs]), (wanted, [x.grad for x in others]))
        said.append(str(counted.calls - before))
        found = compared(*results)
        if found.ended != RIGHT:
            break
    keywords = f"; keywords {', '.join(sorted(counted.keywords))}" if counted.keywords else ""
    return Trial(ended=found.ended, said=f"called {', '.join(said)} times{keywords}")


def _to_simplified(counted: Counted) -> Backend:
    return lambda graph, inputs: aot_module_simplified(
        graph, inputs, fw_compiler=counted.function()
    )


def _to_autograd(counted: Counted) -> Backend:
    return common.aot_autograd(fw_compiler=counted.function())


def _to_inner(counted: Counted) -> Backend:
    return lambda graph, inputs: compile_fx.compile_fx(
        graph, inputs, inner_compile=counted.function()
    )


def _to_partition(counted: Counted) -> Backend:
    from torch._functorch.partitioners import default_partition

    counted.inner = default_partition
    return common.aot_autograd(fw_compiler=_boxed, partition_fn=counted.function())


GIVEN_TO: dict[str, Callable[[Counted], Backend]] = {
    "aot_module_simplified": _to_simplified,
    "aot_autograd": _to_autograd,
    "compile_fx": _to_inner,
}


def given(folder: Path, device: str) -> dict[str, Callable[[], Trial]]:
    """By what a function is given to and what it returns; then what replacements change."""
    found: dict[str, Callable[[], Trial]] = {}
    for where, make in GIVEN_TO.items():
        for what, inner in INNER.items():
            for grad in (False, True):
                name = f"given.{where}.{what}{'_trained' if grad else ''}"
                found[name] = partial(_given, make, inner, folder / name, device, grad=grad)
    found["given.partition_fn"] = partial(
        _given, _to_partition, _forward, folder / "partition", device, grad=True
    )
    for name, replaced in REPLACED.items():
        found[f"replaced.{name}"] = partial(replaced, folder / name, device)
    return found


def _given(
    make: Callable[[Counted], Backend],
    inner: Callable[..., Any],
    folder: Path,
    device: str,
    *,
    grad: bool,
) -> Trial:
    counted = Counted(inner)
    with caches_below(folder):
        return _twice(make(counted), device, grad=grad, counted=counted)


def _compiled(device: str, **options: Any) -> Tensor:
    torch._dynamo.reset()
    with torch.no_grad():
        return torch.compile(product, fullgraph=True, options=options or None)(*make_inputs(device))


def _kept(folder: Path, name: str) -> str:
    return "kept" if any(folder.rglob(f"*{name}*")) else "not kept"


def _key(owner: ModuleType, function: str, key: str, folder: Path, device: str) -> Trial:
    """A key of a downstream's own, in the place of what ``function`` makes, names what is kept."""
    calls = []

    def own(*args: Any, **kwargs: Any) -> tuple[str, list[str]]:
        calls.append(kwargs)
        return key, []

    with caches_below(folder), patch.object(owner, function, own):
        got = _compiled(device)
    return compared(
        got, product(*make_inputs(device)), f"called {len(calls)}, {_kept(folder, key)}"
    )


_autograd_key = partial(_key, autograd_cache, "autograd_cache_key", "acompatkey")
_graph_key = partial(_key, codecache, "compiled_fx_graph_hash", "fcompatkey")


def _never_cached(folder: Path, device: str) -> Trial:
    """What refuses to cache a graph is heeded."""
    calls = []

    def refuse(*args: Any, **kwargs: Any) -> None:
        calls.append(args)
        raise codecache.BypassFxGraphCache("compat")

    with caches_below(folder), patch.object(codecache.FxGraphCache, "_check_can_cache", refuse):
        got = _compiled(device)
    kept = "kept" if any((folder / "fxgraph").rglob("*")) else "not kept"
    return compared(got, product(*make_inputs(device)), f"called {len(calls)}, {kept}")


def _always_cached(folder: Path, device: str) -> Trial:
    """A pass without a uuid, where a downstream says that everything can be cached."""
    runs = []

    def allow(*args: Any, **kwargs: Any) -> None:
        return None

    def custom_pass(graph: fx.Graph) -> None:
        runs.append(graph)

    said = []
    with caches_below(folder), patch.object(codecache.FxGraphCache, "_check_can_cache", allow):
        for _ in range(2):
            before = len(runs)
            got = _compiled(device, post_grad_custom_post_pass=custom_pass)
            said.append(str(len(runs) - before))
    return compared(got, product(*make_inputs(device)), f"ran {', '.join(said)} times")


def _shape_env(folder: Path, device: str) -> Trial:
    """Where no ShapeEnv is given to the caches, nothing is asked of it for static shapes."""
    calls = []

    def none(*args: Any, **kwargs: Any) -> None:
        calls.append(args)

    with (
        caches_below(folder),
        patch.object(AOTAutogradCache, "_get_shape_env", none),
        patch.object(codecache.FxGraphCache, "_get_shape_env", none),
    ):
        got = _compiled(device)
        got = _compiled(device)
    return compared(got, product(*make_inputs(device)), f"called {len(calls)} times")


def _wrapped_simplified(folder: Path, device: str) -> Trial:
    """As DeepSpeed does: a wrapper puts its own function around the compilers it is given."""
    real = common.aot_module_simplified
    compiled: list[str] = []

    def around(name: str, compiler: Any) -> Any:
        def wrapped(graph: Any, inputs: Any) -> Any:
            compiled.append(name)
            return compiler(graph, inputs)

        return wrapped

    def wrapper(graph: Any, inputs: Any, **kwargs: Any) -> Any:
        for name in ("fw_compiler", "bw_compiler", "inference_compiler"):
            if kwargs.get(name) is not None:
                kwargs[name] = around(name, kwargs[name])
        return real(graph, inputs, **kwargs)

    with caches_below(folder), patch.object(common, "aot_module_simplified", wrapper):
        torch._dynamo.reset()
        with torch.no_grad():
            got = torch.compile(product, fullgraph=True)(*make_inputs(device))
        torch._dynamo.reset()
        torch.compile(product, fullgraph=True)(*make_inputs(device, grad=True)).sum().backward()
    return compared(got, product(*make_inputs(device)), f"compiled {', '.join(compiled)}")


def _keywords(folder: Path, device: str) -> Trial:
    """As DeepSpeed does: the constructor of AotAutograd is replaced, and rewrites its keywords."""
    real = common.AotAutograd.__init__
    seen: list[str] = []

    def init(self: Any, **kwargs: Any) -> None:
        compiler: Any = kwargs.get("fw_compiler")

        def wrapped(graph: Any, inputs: Any) -> Any:
            seen.append("fw_compiler")
            return compiler(graph, inputs)

        kwargs["fw_compiler"] = wrapped
        real(self, **kwargs)

    with caches_below(folder), patch.object(common.AotAutograd, "__init__", init):
        torch._dynamo.reset()
        got = torch.compile(product, fullgraph=True)(*make_inputs(device, grad=True))
        got.sum().backward()
    return compared(got, product(*make_inputs(device)), f"compiled {', '.join(seen)}")


REPLACED: dict[str, Callable[[Path, str], Trial]] = {
    "autograd_cache_key": _autograd_key,
    "compiled_fx_graph_hash": _graph_key,
    "check_that_refuses": _never_cached,
    "check_that_allows": _always_cached,
    "shape_env_that_is_none": _shape_env,
    "aot_module_simplified": _wrapped_simplified,
    "constructor_of_AotAutograd": _keywords,
}

# Asked at default depth.
FEW = frozenset(
    (
        "given.aot_module_simplified.forward",
        "given.aot_autograd.forward_trained",
        "given.compile_fx.inductor",
        "given.compile_fx.forward",
        "replaced.autograd_cache_key",
        "replaced.check_that_allows",
    )
)

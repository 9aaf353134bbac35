"""Workarounds for what is cached, saved and loaded."""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import torch._functorch.config
from torch import fx
from torch._inductor import compile_fx
from torch._inductor.codecache import BypassFxGraphCache, FxGraphCachePickler
from torch._subclasses import FakeTensorMode
from torch.fx._graph_pickler import GraphPickler, Options
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.utils import _pytree as pytree

from compat.interface.surface import accepts
from compat.probes.workarounds.trial import (
    NeededError,
    Trial,
    Try,
    agrees,
    captured,
    compiled,
    under,
)


class Unpicklable:
    """As a tensor in a layout that cannot be pickled."""

    def __reduce__(self) -> str:
        raise ValueError("this layout cannot be pickled")


def cache_value_error(_: str, __: Path) -> None:
    pickler = FxGraphCachePickler(fx.symbolic_trace(lambda x: x + 1))
    try:
        pickler.dumps(Unpicklable())
    except BypassFxGraphCache:
        return
    raise NeededError("an object that cannot be pickled was")


def bypass_instead() -> AbstractContextManager[Any]:
    real = FxGraphCachePickler.dumps

    def dumps(self: Any, what: object) -> bytes:
        try:
            return bytes(real(self, what))
        except ValueError as error:
            raise BypassFxGraphCache("cannot be pickled") from error

    return patch.object(FxGraphCachePickler, "dumps", dumps)


def pre_grad_passes(device: str, _: Path) -> None:
    x = torch.eye(4, device=device)
    ran = 0
    real = compile_fx.pre_grad_passes

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal ran
        ran += 1
        return real(*args, **kwargs)

    for _temperature in ("cold", "warm"):
        piece, inputs = captured(lambda x: torch.sin(x) * 3, x)
        ran = 0
        before = torch._dynamo.utils.counters["aot_autograd"]["autograd_cache_hit"]
        with patch.object(compile_fx, "pre_grad_passes", counted):
            agrees(compiled(piece, inputs), inputs, torch.sin(x) * 3)
    hits = torch._dynamo.utils.counters["aot_autograd"]["autograd_cache_hit"] - before
    assert hits == 1, f"{hits} results came from the warm cache, not 1"
    if ran:
        raise NeededError("the pre-grad passes ran although the result came from the cache")


def passes_off() -> AbstractContextManager[Any]:
    return patch.object(compile_fx, "_recursive_pre_grad_passes", lambda piece, *_: piece)


def _saved_with_view(change: Callable[[torch.Tensor], torch.Tensor]) -> Try:
    def run(device: str, _: Path) -> None:
        def views(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.relu(x + 1), change(x.view(x.shape[0] * x.shape[1], -1))

        x = torch.ones(2, 6, 4, device=device)
        torch._dynamo.mark_dynamic(x, (0, 1))
        piece, inputs = captured(views, x)
        strict = torch._functorch.config.patch(
            strict_autograd_cache=True, bundled_autograd_cache=True
        )
        with strict:
            compiled(piece, inputs, aot=True).serialize()

    return run


def bare_result(device: str, folder: Path) -> None:
    loaded, inputs = _loaded_bare(device, folder)
    result = loaded(*inputs)
    if not isinstance(result, torch.Tensor):
        raise NeededError(f"a loaded artifact returns a {type(result).__name__}, no tensor")


def only_element(device: str, folder: Path) -> None:
    loaded, inputs = _loaded_bare(device, folder)
    result = loaded(*inputs)
    first = result if isinstance(result, torch.Tensor) else result[0]
    assert isinstance(first, torch.Tensor), f"it holds a {type(first).__name__}"


def _loaded_bare(device: str, folder: Path) -> tuple[Callable[..., Any], list[Any]]:
    piece, inputs = captured(lambda x: torch.sin(x) * 3, torch.eye(4, device=device))
    (output,) = piece.graph.find_nodes(op="output")
    output.args = (output.args[0][0],)
    piece.recompile()
    path = str(folder / "bare")
    compiled(piece, inputs).save(path=path, format="unpacked")
    return torch._inductor.CompiledArtifact.load(path=path, format="unpacked"), inputs


def saveable(device: str, _: Path) -> None:
    assert _artifact(device).is_saveable() is True


def private_artifacts(device: str, _: Path) -> None:
    _, info = _artifact(device)._artifacts
    assert len(info.aot_autograd_artifacts) == 1


def _artifact(device: str) -> Any:
    piece, inputs = captured(lambda x: torch.sin(x) * 3, torch.eye(4, device=device))
    return compiled(piece, inputs)


def atomic_save(device: str, folder: Path) -> None:
    artifact = _artifact(device)
    path = str(folder / "artifact")
    opened: list[str] = []
    listening = [True]

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if listening and event == "open" and args[0] == path:
            opened.append(path)

    sys.addaudithook(hook)
    artifact.save(path=path, format="binary")
    listening.clear()
    assert Path(path).exists(), "nothing was saved"
    if opened:
        raise NeededError("the artifact is written in its place, not moved there")


def saved_beside(device: str, folder: Path) -> None:
    artifact = _artifact(device)
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        artifact.save(path=f"{beside}/artifact", format="binary")
        os.replace(f"{beside}/artifact", folder / "artifact")  # noqa: PTH105
    assert (folder / "artifact").exists()


def _halved(x: torch.Tensor) -> torch.Tensor:
    return x[: x.shape[0] // 2] + 1


def pickled_graph(device: str, _: Path) -> None:
    x = torch.ones(6, 2, device=device)
    torch._dynamo.mark_dynamic(x, 0)
    piece, _inputs = captured(_halved, x)
    data = GraphPickler.dumps(piece, Options(ops_filter=None))
    loaded = GraphPickler.loads(data, FakeTensorMode(shape_env=ShapeEnv()))
    assert str(loaded.graph) == str(piece.graph), "another graph was loaded"


@contextmanager
def slices_known() -> Iterator[None]:
    pytree._private_register_pytree_node(
        slice,
        lambda each: ([each.start, each.stop, each.step], None),
        lambda parts, _: slice(*parts),
    )
    try:
        yield
    finally:
        pytree._deregister_pytree_node(slice)


def symbols_known() -> AbstractContextManager[Any]:
    real = GraphPickler.reducer_override

    def reducer_override(self: Any, each: Any) -> Any:
        # The symbolic functions of torch are classes that say how to find them again.
        if inspect.isclass(each) and (unpickler := getattr(each, "_torch_unpickler", None)):
            return unpickler, (vars(each)["_torch_handler_name"],)
        if isinstance(each, FakeTensorMode):
            return type(None), ()
        return real(self, each)

    return patch.object(GraphPickler, "reducer_override", reducer_override)


def no_aot() -> str:
    return "" if accepts(torch._inductor.standalone_compile, "aot") else "aot"


TRIALS = {
    "cache-value-error": Trial(
        without=cache_value_error, with_it=under(bypass_instead, cache_value_error)
    ),
    "pre-grad-passes": Trial(without=pre_grad_passes, with_it=under(passes_off, pre_grad_passes)),
    "view-of-input": Trial(
        without=_saved_with_view(lambda view: view),
        with_it=_saved_with_view(torch.clone),
        lacks=no_aot,
    ),
    "bare-result": Trial(without=bare_result, with_it=only_element),
    "saveable": Trial(without=saveable, with_it=private_artifacts),
    "pickled-slices": Trial(
        without=under(symbols_known, pickled_graph),
        with_it=under(symbols_known, under(slices_known, pickled_graph)),
    ),
    "pickled-symbols": Trial(
        without=under(slices_known, pickled_graph),
        with_it=under(slices_known, under(symbols_known, pickled_graph)),
    ),
    "atomic-save": Trial(without=atomic_save, with_it=saved_beside),
}

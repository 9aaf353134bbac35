from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import fx

from compat.interface.backend import PiecewiseBackend
from compat.interface.compilers import EagerCompiler, Handle, StandaloneCompiler
from compat.interface.shapes import CompileRange, concrete_inputs


class Remembering(EagerCompiler):
    """Compiles nothing and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, CompileRange, list[Any]]] = []
        self.loaded: list[str] = []

    def compile(
        self,
        graph: fx.GraphModule,
        example_inputs: Any,
        compile_range: Any,
        *,
        key: str,
        options: Any = None,
    ) -> Any:  # type: ignore[override]
        self.asked.append((key, compile_range, list(example_inputs)))
        return graph, (key, "somewhere")

    def load(self, handle: Handle, graph: fx.GraphModule, example_inputs: Any) -> Any:
        self.loaded.append(handle[0])
        return graph


def attend(x: torch.Tensor) -> torch.Tensor:
    y = (x + 1).unsqueeze(0)
    z = torch.nn.functional.scaled_dot_product_attention(y, y, y)
    return (z * 2).squeeze(0)


def run(backend: PiecewiseBackend, *sizes: int) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(attend, backend=backend, fullgraph=True)
    for size in sizes:
        x = torch.randn(size, 4)
        torch._dynamo.mark_dynamic(x, 0)
        torch.testing.assert_close(compiled(x), attend(x))


def test_pieces_are_cut_at_attention_and_compiled_for_range_and_sizes() -> None:
    compiler = Remembering()
    run(PiecewiseBackend(compiler, sizes=[8, 4], largest=64), 5, 8, 4)
    assert [(key, str(asked)) for key, asked, _ in compiler.asked] == [
        (f"piece_{piece}_{start}_{end}", f"CompileRange(start={start}, end={end})")
        for piece in (0, 1)
        for start, end in ((8, 8), (4, 4), (1, 64))
    ]


def test_a_single_size_gets_concrete_fakes_of_one_new_mode() -> None:
    compiler = Remembering()
    run(PiecewiseBackend(compiler, sizes=[8]), 5)
    single, whole = (inputs for _, _, inputs in compiler.asked[:2])
    tensors = [value for value in single if isinstance(value, torch.Tensor)]
    assert tensors[0].shape == (8, 4)
    dynamic = [value for value in whole if isinstance(value, torch.Tensor)]
    assert isinstance(dynamic[0].shape[0], torch.SymInt)
    assert tensors[0].fake_mode is not dynamic[0].fake_mode  # type: ignore[attr-defined]


def test_what_has_a_handle_is_loaded() -> None:
    first = PiecewiseBackend(Remembering(), sizes=[8])
    run(first, 5)
    again = Remembering()
    run(PiecewiseBackend(again, sizes=[8], handles=first.handles), 5)
    assert again.asked == []
    assert sorted(again.loaded) == sorted(first.handles)


def test_a_size_outside_of_every_range_is_refused() -> None:
    with pytest.raises(ValueError, match="batch size 9 is in none of"):
        run(PiecewiseBackend(Remembering(), largest=8), 9)


def test_concrete_inputs_leave_the_graph_dynamic() -> None:
    graphs: list[fx.GraphModule] = []

    def keep(graph: fx.GraphModule, inputs: Any) -> Any:
        concrete_inputs(graph, 8)
        graphs.append(graph)
        return graph

    torch._dynamo.reset()
    compiled = torch.compile(lambda x: x * 2, backend=keep, fullgraph=True)
    for size in (5, 6, 7):
        x = torch.randn(size, 3)
        torch._dynamo.mark_dynamic(x, 0)
        compiled(x)
    assert len(graphs) == 1, "a symbolic size was specialised"


def test_loading_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    compiler = StandaloneCompiler()
    compiler.initialize_cache(tmp_path, disable_cache=True)
    with pytest.raises(RuntimeError, match="no compiled artifact at"):
        compiler.load(("key", str(tmp_path / "gone")), fx.GraphModule({}, fx.Graph()), [])

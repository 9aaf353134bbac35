"""A piecewise Dynamo backend that drives a compiler as vLLM does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import getitem
from typing import Any

import torch
from torch import fx
from torch.fx.experimental.symbolic_shapes import is_symbolic
from torch.fx.passes.split_module import split_module

from compat.interface.compilers import Compiled, Compiler, Handle, Options
from compat.interface.features import FEATURES
from compat.interface.shapes import LARGEST, CompileRange, concrete_inputs, symbolic_inputs

ATTENTION: frozenset[Any] = frozenset({torch.nn.functional.scaled_dot_product_attention})


class Piece(torch.nn.Module):
    """One piece of the captured graph, compiled for its ranges and called by batch size."""

    def __init__(self, name: str, graph: fx.GraphModule) -> None:
        super().__init__()
        self.name = name
        self.graph = graph
        self.compiled: dict[CompileRange, Compiled] = {}
        self._batch_position = _find_batch(symbolic_inputs(graph))

    @property
    def is_static(self) -> bool:
        """Whether no input has a symbolic size."""
        return self._batch_position is None

    def forward(self, *args: Any) -> Any:
        return self._choose(args)(*args)

    def _choose(self, args: Sequence[Any]) -> Compiled:
        if self._batch_position is None:
            return next(iter(self.compiled.values()))
        position, dim = self._batch_position
        value = args[position]
        size = value if dim is None else value.shape[dim]
        # Single sizes come first: they win over the range that contains them.
        for compile_range in sorted(self.compiled, key=lambda each: not each.is_single_size):
            if size in compile_range:
                return self.compiled[compile_range]
        raise ValueError(f"batch size {size} is in none of {list(self.compiled)}")


class PiecewiseBackend:
    """Splits what Dynamo captured and compiles each piece from inside the tracing context.

    Each piece is compiled once for the range, with the graph's own fake inputs, and once for
    each single size, with concrete fakes of a new mode. A piece without symbolic sizes is
    compiled once. What is split off, attention by default, stays as it was captured.

    Args:
        compiler: Compiles the pieces; its cache must be initialised.
        sizes: Batch sizes that get a compilation of their own.
        largest: The end of the range that serves every other batch size.
        split_at: Call targets that become pieces of their own and are not compiled.
        options: Inductor config entries for each piece.
        handles: The ``handles`` of an earlier backend, perhaps of another process: what
            they name is loaded instead of compiled.
    """

    def __init__(
        self,
        compiler: Compiler,
        *,
        sizes: Collection[int] = (),
        largest: int = LARGEST,
        split_at: frozenset[Any] = ATTENTION,
        options: Options | None = None,
        handles: Mapping[str, Handle] | None = None,
    ) -> None:
        self.compiler = compiler
        self.pieces: list[Piece] = []
        self.handles: dict[str, Handle] = dict(handles or {})
        self._ranges = [
            CompileRange(1, largest),
            *(CompileRange(size, size) for size in sorted(sizes)),
        ]
        self._split_at = split_at
        self._options = options

    def __call__(self, graph: fx.GraphModule, example_inputs: Sequence[Any]) -> Compiled:
        split, compiled_names = split_graph(graph, self._split_at)
        for name in compiled_names:
            piece = Piece(f"piece_{len(self.pieces)}", getattr(split, name))
            self._compile(piece)
            setattr(split, name, piece)
            self.pieces.append(piece)
        return split

    def _compile(self, piece: Piece) -> None:
        # The single sizes go last to first so that the range, which may donate the graph that
        # all of them are made from, comes after them.
        ranges = self._ranges[:1] if piece.is_static else self._ranges
        for compile_range in reversed(ranges):
            inputs = (
                concrete_inputs(piece.graph, compile_range.start)
                if compile_range.is_single_size
                else symbolic_inputs(piece.graph)
            )
            key = f"{piece.name}_{compile_range.start}_{compile_range.end}"
            piece.compiled[compile_range] = self._load_or_compile(
                key, piece.graph, inputs, compile_range
            )

    def _load_or_compile(
        self, key: str, graph: fx.GraphModule, inputs: Sequence[Any], compile_range: CompileRange
    ) -> Compiled:
        if key in self.handles:
            return self.compiler.load(self.handles[key], graph, inputs)
        compiled, handle = self.compiler.compile(
            graph, inputs, compile_range, key=key, options=self._options
        )
        if handle is not None:
            self.handles[key] = handle
        return compiled


def split_graph(
    graph: fx.GraphModule, split_at: frozenset[Any]
) -> tuple[fx.GraphModule, list[str]]:
    """Cut ``graph`` before and after each call of a target in ``split_at``.

    Returns:
        A module that calls the parts in order, and the names of those to be compiled.
    """
    part_of: dict[fx.Node, int] = {}
    split_off: set[int] = set()
    part = 0
    for node in graph.graph.nodes:
        if node.op in ("placeholder", "output"):
            continue
        source = node.args[0] if node.target is getitem else None
        if source in part_of:
            # Keeps a tuple and what is taken out of it in one part: a part's inputs must be
            # tensors.
            part_of[node] = part_of[source]
        elif node.op == "call_function" and node.target in split_at:
            part_of[node] = part + 1
            split_off.add(part + 1)
            part += 2
        else:
            part_of[node] = part
    arguments = {"tuple_return": True} if FEATURES["tuple_return"].gate_open() else {}
    split = split_module(graph, None, part_of.__getitem__, keep_original_order=True, **arguments)
    compiled = [
        name for name, _ in split.named_children() if int(name.rpartition("_")[2]) not in split_off
    ]
    return split, compiled


def _find_batch(inputs: Sequence[Any]) -> tuple[int, int | None] | None:
    """Where a symbolic size can be read off: an input, and its dimension if it is a tensor."""
    for position, value in enumerate(inputs):
        if isinstance(value, torch.SymInt):
            return position, None
        if isinstance(value, torch.Tensor):
            for dim, size in enumerate(value.shape):
                if is_symbolic(size) and size.node.expr.is_symbol:
                    return position, dim
    return None

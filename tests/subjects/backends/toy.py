"""A Dynamo backend of one's own: standalone_compile, saved and loaded again."""

from pathlib import Path

import torch
from torch._inductor.compile_fx import graph_returns_tuple


def compile(graph, example_inputs):
    fakes = [node.meta["example_value"] for node in graph.graph.find_nodes(op="placeholder")]
    return torch._inductor.standalone_compile(graph, fakes, dynamic_shapes="from_graph")


def save(compiled, folder: Path):
    compiled.save(path=str(folder / "artifact"), format="binary")


def load(folder: Path, graph, example_inputs):
    artifact = torch._inductor.CompiledArtifact.load(path=str(folder / "artifact"), format="binary")
    if graph_returns_tuple(graph):
        return artifact
    return lambda *args: artifact(*args)[0]

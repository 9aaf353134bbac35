"""Files of the corpus: a graph, what it is called with, and a path."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from compat.errors import UsageError
from compat.report.repro.maker import PATHS, Maker, ended_badly, prose, rendered
from compat.report.repro.source import Module, modules_in, taken
from compat.runs.model import Build, Cell
from compat.topics.corpus.records import sizes_of

_GRAPHS = "compat.probes.graphs"


@cache
def _parameters() -> Mapping[str, Collection[str]]:
    """Numbers that are drawn are judged as many, and by other means than a file has."""
    graphs = (node for module in modules_in(_GRAPHS) for node in _graphs_of(module).values())
    names = {each.name.replace("_", "-") for each in graphs if "draws" not in _options(each)}
    return {"graph": names, "path": PATHS}


def _write(cell: Cell, build: Build) -> str:
    name = cell.params["graph"].replace("-", "_")
    module = next(each for each in modules_in(_GRAPHS) if name in _graphs_of(each))
    node = _graphs_of(module)[name]
    link, inputs = _made_with(node)
    dynamic = bool(_options(node).get("dynamic"))
    nodes = [node.args, node.returns, *node.body, inputs]
    parts = taken(
        *((module, each) for each in nodes if each is not None),
        imports=("import copy", "import sys", "import torch"),
        given=frozenset(_graphs_of(module)),
    )
    return rendered(
        "corpus",
        cell,
        build,
        title=f"{node.name.replace('_', ' ').capitalize()}, compiled by PyTorch {build.release}.",
        says=prose(cell, cell.reason),
        link=link,
        path=cell.params["path"],
        sizes=sizes_of(dynamic=dynamic),
        name=node.name,
        inputs=module.lines_of(inputs),
        function=module.lines_of(node),
        parts=parts,
        dynamic=dynamic,
    )


MAKER = Maker(parameters=_parameters, shows=ended_badly, write=_write)


def _graphs_of(module: Module) -> Mapping[str, ast.FunctionDef]:
    """The functions that are decorated, by their names."""
    functions = (each for each in module.tree.body if isinstance(each, ast.FunctionDef))
    return {each.name: each for each in functions if each.decorator_list}


def _made_with(node: ast.FunctionDef) -> tuple[str, ast.expr]:
    """The link of a graph, and the lambda that makes what it is called with."""
    match node.decorator_list:
        case [ast.Call(args=[ast.Constant(value=str(link)), inputs])]:
            return link, inputs
    raise UsageError(f"{node.name}: expected a graph with a link and its inputs")


def _options(node: ast.FunctionDef) -> dict[str | None, Any]:
    match node.decorator_list:
        case [ast.Call(keywords=keywords)]:
            return {each.arg: ast.literal_eval(each.value) for each in keywords}
    return {}

"""A red cell of the corpus as one file that needs torch alone, for whoever mends it."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import compat
from compat.errors import UsageError
from compat.runs.model import Build, Cell
from compat.topics.corpus.records import sizes_of

PROBE = "corpus.right"
_GRAPHS = Path(compat.__file__).parent / "probes" / "graphs"
# What the file has of its own, or needs not.
_NOT_TAKEN = ("__future__", "compat.probes.graphs.graph")
_WIDTH = 96


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What the corpus says of a graph.

    Attributes:
        function: Its lines, without the decorator,
        helpers: those of what it names in its module,
        imports: and those that bring what both take from torch.
        inputs: The lambda that makes what it is called with.
    """

    name: str
    link: str
    inputs: str
    function: str
    helpers: tuple[str, ...]
    imports: str
    dynamic: bool


def repro_of(cell: Cell, build: Build) -> str:
    """The Python file.

    Raises:
        UsageError: The cell is none of the corpus, or its graph draws random numbers.
    """
    if cell.probe != PROBE:
        raise UsageError(f"{cell.id}: expected a cell of {PROBE}, of which a file can be made")
    # Only whoever makes a file needs it: that one can be made is said by ``compat explain``.
    import jinja2

    source = _source(cell.params["graph"])
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("compat.report", "."),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (Python, which nobody renders)
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("repro.py.jinja").render(
        title=f"{_words(source.name).capitalize()}, compiled by PyTorch {build.release}.",
        cell=cell.id,
        reason=_prose(cell.reason.partition("\n")[0]),
        link=source.link,
        device=build.device.kind,
        path=cell.params["path"],
        sizes=sizes_of(dynamic=source.dynamic),
        name=source.name,
        inputs=source.inputs,
        function=source.function,
        helpers=source.helpers,
        imports=source.imports,
        dynamic=source.dynamic,
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _prose(text: str) -> str:
    """A line of anybody's as part of a docstring that it cannot end."""
    inert = text.replace("\\", "/").replace('"', "'")
    return "\n".join(textwrap.wrap(inert, _WIDTH)) or "it did not end well"


def _source(graph: str) -> _Source:
    name = graph.replace("-", "_")
    for path in sorted(_GRAPHS.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        module = ast.parse(text)
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name == name and node.decorator_list:
                return _taken_apart(text, module, node)
    raise UsageError(f"{graph}: expected a graph of the corpus as it is now")


def _taken_apart(text: str, module: ast.Module, node: ast.FunctionDef) -> _Source:
    match node.decorator_list:
        case [ast.Call(args=[ast.Constant(value=str(link)), inputs], keywords=keywords)]:
            options = {each.arg: ast.literal_eval(each.value) for each in keywords}
        case _:
            raise UsageError(f"{node.name}: expected a graph with a link and its inputs")
    if options.get("draws"):
        raise UsageError(f"{node.name}: it draws random numbers, which are judged as many")
    imports = [
        each
        for each in module.body
        if isinstance(each, ast.Import)
        or (isinstance(each, ast.ImportFrom) and each.module not in _NOT_TAKEN)
    ]
    return _Source(
        name=node.name,
        link=link,
        inputs=_lines_of(text, inputs),
        function=_lines_of(text, node),
        helpers=tuple(_lines_of(text, each) for each in _helpers(module, node)),
        imports="\n".join(_lines_of(text, each) for each in imports),
        dynamic=bool(options.get("dynamic")),
    )


def _helpers(module: ast.Module, node: ast.AST) -> list[ast.stmt]:
    """What a function names of its own module, and what that names, in the module's order."""
    there: Mapping[str, ast.stmt] = {name: each for each in module.body for name in _defined(each)}
    wanted: set[str] = set()
    pending = [node]
    while pending:
        for each in ast.walk(pending.pop()):
            if isinstance(each, ast.Name) and each.id in there and each.id not in wanted:
                wanted.add(each.id)
                pending.append(there[each.id])
    return [each for each in module.body if wanted.intersection(_defined(each))]


def _defined(statement: ast.stmt) -> list[str]:
    """The helpers that a statement defines: graphs are none."""
    match statement:
        case ast.ClassDef(name=name):
            return [name]
        case ast.FunctionDef(name=name, decorator_list=[]):
            return [name]
        case ast.Assign(targets=targets):
            return [each.id for each in targets if isinstance(each, ast.Name)]
    return []


def _lines_of(text: str, node: ast.AST) -> str:
    """What stands there, without decorators."""
    return ast.get_source_segment(text, node) or ""

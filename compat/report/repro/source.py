"""Parts of what runs inside a build, taken out of their modules as text that stands alone."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

import compat
from compat.errors import UsageError

_ROOT = Path(compat.__file__).parent
_OWN = "compat"

_Function: TypeAlias = ast.FunctionDef | ast.ClassDef
# A module's name, and a name that it defines.
_Name: TypeAlias = tuple[str, str]
# A module's name, and a line of it.
_Place: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class Module:
    """A module of this project that is read and never imported: it may import torch."""

    name: str
    text: str
    tree: ast.Module

    def lines_of(self, node: ast.AST) -> str:
        """What stands there; of a function or class without its decorators."""
        return ast.get_source_segment(self.text, node) or ""

    def value_of(self, name: str) -> ast.expr | None:
        """What is assigned to a name of the module's own, if anything is."""
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and name in _defined(statement):
                return statement.value
        return None

    def entries_of(self, name: str) -> Mapping[str, ast.expr]:
        """The values of a dictionary that is assigned to a name, by those keys that are texts."""
        match self.value_of(name):
            case ast.Dict(keys=keys, values=values):
                return {
                    key.value: value
                    for key, value in zip(keys, values, strict=True)
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                }
        return {}

    def names_of(self, name: str) -> Mapping[str, str]:
        """Of such a dictionary: the names among its values."""
        entries = self.entries_of(name)
        return {key: each.id for key, each in entries.items() if isinstance(each, ast.Name)}


def keywords_of(call: ast.expr) -> Mapping[str, str]:
    """What a call is given by keyword, as it stands there; nothing of what is no call."""
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return {each.arg: ast.unparse(each.value) for each in keywords if each.arg is not None}


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What was taken: the lines that import, and the definitions in an order that works."""

    imports: str
    definitions: str


# A node, and the module whose names it reads.
Wanted: TypeAlias = tuple[Module, ast.AST]


@cache
def module_of(name: str) -> Module:
    """A module of this project by its dotted name."""
    path = _ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py")
    text = path.read_text(encoding="utf-8")
    return Module(name, text, ast.parse(text))


@cache
def modules_in(package: str) -> Sequence[Module]:
    """All modules of a package, by name."""
    folder = _ROOT.joinpath(*package.split(".")[1:])
    return [module_of(f"{package}.{path.stem}") for path in sorted(folder.glob("[!_]*.py"))]


def names(module: str, *wanted: str) -> Iterator[Wanted]:
    """Names of a module, as what is to be taken."""
    return ((module_of(module), ast.Name(each, ast.Load())) for each in wanted)


def taken(*wanted: Wanted, imports: Sequence[str], given: frozenset[str] = frozenset()) -> Taken:
    """What each node names of its module and of others of this project, and what that names.

    The nodes themselves are not among the definitions.

    ``imports`` is what the file imports anyway, a line each; ``given`` are names that it defines.

    Raises:
        UsageError: It needs more than PyTorch, or two things of one name.
    """
    search = _Search(given, imports=dict.fromkeys(imports))
    for module, node in wanted:
        search.follow(module, node)
    return search.found()


@dataclass
class _Search:
    given: frozenset[str]
    imports: dict[str, None]
    names: dict[str, _Name] = field(default_factory=dict)
    definitions: dict[_Place, str] = field(default_factory=dict)
    pending: set[_Place] = field(default_factory=set)

    def follow(self, module: Module, node: ast.AST) -> None:
        for name in _used(node):
            if name not in self.given:
                self._take(module, name)

    def found(self) -> Taken:
        return Taken(
            imports="\n".join(_together(self.imports)),
            definitions="\n".join(_apart(self.definitions.values())),
        )

    def _take(self, module: Module, name: str) -> None:
        for statement in module.tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                for alias in statement.names:
                    if name in {alias.asname, alias.name.partition(".")[0]}:
                        self._import(statement, alias)
            elif name in _defined(statement):
                self._define(module, statement, name)

    def _define(self, module: Module, statement: ast.stmt, name: str) -> None:
        place = (module.name, statement.lineno)
        if self.names.setdefault(name, (module.name, name)) != (module.name, name):
            raise UsageError(f"{name}: two modules define it, and one file cannot")
        if place in self.pending:
            return
        self.pending.add(place)
        self.follow(module, statement)
        self.definitions[place] = _with_decorators(module, statement)
        for each in module.tree.body:
            if _registers(each, name):
                self.follow(module, each)
                self.definitions[module.name, each.lineno] = _with_decorators(module, each)

    def _import(self, statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> None:
        source = statement.module or "" if isinstance(statement, ast.ImportFrom) else alias.name
        if source.partition(".")[0] != _OWN:
            name = ast.unparse(alias)
            from_it = isinstance(statement, ast.ImportFrom)
            self.imports[f"from {source} import {name}" if from_it else f"import {name}"] = None
        elif alias.asname is None and _is_a_module(source):
            self._take(module_of(source), alias.name)
        else:
            raise UsageError(f"{ast.unparse(statement)}: expected a name of a module")


def _is_a_module(name: str) -> bool:
    return _ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py").is_file()


def _used(node: ast.AST) -> Iterator[str]:
    """The names that a node reads, each once, in the order in which they stand there."""
    names = (
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    )
    return iter(dict.fromkeys(names))


def _defined(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [each.id for each in targets if isinstance(each, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return [name]
    return []


def _registers(statement: ast.stmt, name: str) -> bool:
    """Whether a statement adds to what has a name: ``@name.register_fake``, ``name.f(…)``."""
    match statement:
        case ast.FunctionDef(decorator_list=[ast.Attribute(value=ast.Name(id=owner))]):
            return owner == name
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=owner)))):
            return owner == name
    return False


def _with_decorators(module: Module, statement: ast.stmt) -> str:
    decorators = statement.decorator_list if isinstance(statement, _Function) else []
    lines = [f"@{module.lines_of(each)}" for each in decorators]
    return "\n".join([*lines, module.lines_of(statement)])


def _together(imports: Iterable[str]) -> Iterator[str]:
    """What comes with Python, and below it what comes with PyTorch; of each module one line."""
    modules: dict[str, list[str]] = {}
    for line in imports:
        start, _, name = line.rpartition(" import ")
        modules.setdefault(start or line, []).extend([name] if start else [])
    lines = [
        f"{start} import {', '.join(sorted(found))}" if found else start
        for start, found in modules.items()
    ]
    of_torch = [each for each in lines if each.split()[1].partition(".")[0] == "torch"]
    yield from sorted(set(lines).difference(of_torch), key=_order)
    yield ""
    yield from sorted(of_torch, key=_order)


def _order(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line


def _apart(definitions: Iterable[str]) -> Iterator[str]:
    """Two empty lines around what has several lines, none between constants."""
    before = ""
    for number, each in enumerate(definitions):
        if number and "\n" in before + each:
            yield "\n"
        yield each
        before = each

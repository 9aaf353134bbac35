"""Whether probes, records and topics fit together, told from their source alone.

Each check gives a line for everything that does not fit. With mypy, they see to it that what is
renamed in one place is renamed everywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from compat.probes.names import ProbeSource, probes

PARTS = ("records", "answers", "finding", "view", "topic")
# What the matrix is asked by type of record, with a parameter's name as keyword.
_LOOK_UPS = {"seen", "everywhere", "records"}


@dataclass(frozen=True)
class Record:
    """A type of record as its file has it."""

    topic: str
    name: str
    fields: tuple[str, ...]


class Tree:
    """The source as it is now, each file read once.

    Args:
        root: The folder that ``compat`` is in.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._parsed: dict[Path, ast.Module] = {}

    @cached_property
    def probes(self) -> list[ProbeSource]:
        return probes(self.root / "compat/probes")

    @cached_property
    def topics(self) -> list[str]:
        """The folders that have records."""
        paths = (self.root / "compat/topics").glob("*/records.py")
        return sorted(path.parent.name for path in paths)

    @cached_property
    def written(self) -> list[str]:
        """The topics that are there."""
        return [name for name in self.topics if (self.folder(name) / "topic.py").exists()]

    def folder(self, topic: str) -> Path:
        return self.root / "compat/topics" / topic

    def parsed(self, path: Path) -> ast.Module:
        """A file's syntax tree; an empty one where there is no such file."""
        if path not in self._parsed:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            self._parsed[path] = ast.parse(text)
        return self._parsed[path]


def table(tree: Tree, path: Path, name: str) -> dict[str, str]:
    """The keys and values of a dictionary that a module defines, as they are written."""
    for node in tree.parsed(path).body:
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == name
            and isinstance(node.value, ast.Dict)
        ):
            keys = [key for key in node.value.keys if key is not None]
            return {
                ast.unparse(key).strip("'"): ast.unparse(value)
                for key, value in zip(keys, node.value.values, strict=True)
            }
    return {}


def recorded(tree: Tree, topic: str) -> dict[str, str]:
    """By probe: the name of the type of record that it fills."""
    return table(tree, tree.folder(topic) / "records.py", "RECORDS")


def records(tree: Tree, topic: str) -> list[Record]:
    """The dataclasses of a topic's records, those within others included."""
    return [
        Record(
            topic,
            node.name,
            tuple(
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            ),
        )
        for node in tree.parsed(tree.folder(topic) / "records.py").body
        if isinstance(node, ast.ClassDef) and "dataclass" in map(_called, node.decorator_list)
    ]


def parameters(probe: ProbeSource) -> set[str]:
    """What a probe's checks differ in."""
    function = probe.body.body[-1]
    assert isinstance(function, ast.FunctionDef)
    found = {
        name.strip()
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("parametrize")
        for constant in ast.walk(decorator.args[0])
        if isinstance(constant, ast.Constant)
        for name in str(constant.value).split(",")
    }
    arguments = {argument.arg for argument in function.args.args}
    # The worker gives these values; the second fixture asks for the first.
    given = {"path", "model", "shape", "place"} if "path" in arguments - found else set()
    saved = {"saved_by"} if arguments & {"saved_by", "saved_artifacts"} else set()
    return found | saved | given & arguments


def check_probes(tree: Tree) -> Iterator[str]:
    """Every probe belongs to one topic, and every record has a probe."""
    owners: dict[str, list[str]] = {}
    for topic in tree.topics:
        for probe in recorded(tree, topic):
            owners.setdefault(probe, []).append(topic)
    names = {probe.name for probe in tree.probes}
    for name in sorted(names - owners.keys()):
        yield f"{name} belongs to no topic"
    for name in sorted(owners.keys() - names):
        yield f"{name} is a record of {owners[name][0]} and no probe"
    for name, among in owners.items():
        if len(among) > 1:
            yield f"{name} belongs to {' and '.join(among)}"


def check_registry(tree: Tree) -> Iterator[str]:
    """The registry has every topic once, and each is called as its folder is."""
    source = tree.parsed(tree.root / "compat/topics/registry.py")
    topics = {
        alias.asname or alias.name: module.split(".")[-2]
        for module, alias in _imports(source)
        if alias.name == "TOPIC"
    }
    listed = [
        topics.get(each.id, each.id)
        for node in source.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Tuple)
        for each in node.value.elts
        if isinstance(each, ast.Name)
    ]
    if sorted(listed) != tree.topics:
        yield f"the registry has {', '.join(listed)}; there are {', '.join(tree.topics)}"


def check_topic(tree: Tree, topic: str) -> Iterator[str]:
    """All that is asked of one topic."""
    folder = tree.folder(topic)
    for part in PARTS:
        if not (folder / f"{part}.py").exists():
            yield f"{topic} has no {part}.py"
    yield from _check_name(tree, topic)
    yield from _check_filled(tree, topic)
    yield from _check_answered(tree, topic)
    yield from _check_read(tree, topic)
    yield from _check_shown(tree, topic)
    yield from _check_parameters(tree, topic)


def _check_name(tree: Tree, topic: str) -> Iterator[str]:
    names = [
        keyword.value.value
        for call in _calls(tree.parsed(tree.folder(topic) / "topic.py"))
        for keyword in call.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    ]
    if names != [topic]:
        yield f"the topic {topic} is called {names}"


def _check_filled(tree: Tree, topic: str) -> Iterator[str]:
    """Every type of record is made by the probes that are to fill it."""
    sources = {probe.name: probe for probe in tree.probes}
    for name, kind in recorded(tree, topic).items():
        if name in sources and kind not in _made(tree, topic, sources[name]):
            yield f"{name} makes no {kind}"


def _made(tree: Tree, topic: str, probe: ProbeSource) -> set[str]:
    """The topic's records that a probe makes, itself or in a module of probes that it imports."""
    seen: set[Path] = set()
    todo: list[tuple[Path, ast.Module]] = [(probe.path, probe.body)]
    made: set[str] = set()
    while todo:
        path, source = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        called = {_called(call) for call in _calls(source)}
        for module, alias in _imports(source):
            if (
                module == f"compat.topics.{topic}.records"
                and (alias.asname or alias.name) in called
            ):
                made.add(alias.name)
            if module.startswith("compat.probes"):
                for name in (module, f"{module}.{alias.name}"):
                    other = tree.root / f"{name.replace('.', '/')}.py"
                    todo.append((other, tree.parsed(other)))
    return made


def _check_answered(tree: Tree, topic: str) -> Iterator[str]:
    """Every type of record has answers."""
    answered = table(tree, tree.folder(topic) / "answers.py", "ANSWERS")
    for kind in sorted(set(recorded(tree, topic).values()) - answered.keys()):
        yield f"{topic} draws no answers from {kind}"


def _check_read(tree: Tree, topic: str) -> Iterator[str]:
    """Every field of every record is read in the topic's answers, finding or view."""
    kinds = records(tree, topic)
    read: set[tuple[str, str]] = set()
    for part in ("answers", "finding", "view"):
        source = tree.parsed(tree.folder(topic) / f"{part}.py")
        read |= _read(source, [kind.name for kind in kinds])
    for kind in kinds:
        for field in kind.fields:
            if not {(kind.name, field), ("", field)} & read:
                yield f"{topic} does not read {kind.name}.{field}"


def _read(source: ast.Module, kinds: Iterable[str]) -> set[tuple[str, str]]:
    """The attributes that are read, each with the type of record if the parameter's type tells it.

    What is read of one record does not count for a field of the same name of another one.
    """
    told: dict[ast.Attribute, str] = {}
    for function in ast.walk(source):
        if isinstance(function, ast.FunctionDef):
            typed = {
                argument.arg: kind
                for argument in function.args.args
                for kind in kinds
                if argument.annotation is not None and kind in _names(argument.annotation)
            }
            told |= {
                node: typed[node.value.id]
                for node in _attributes(function)
                if isinstance(node.value, ast.Name) and node.value.id in typed
            }
    return {(told.get(node, ""), node.attr) for node in _attributes(source)}


def _check_shown(tree: Tree, topic: str) -> Iterator[str]:
    """The view says or shows something."""
    called = {_called(call) for call in _calls(tree.parsed(tree.folder(topic) / "view.py"))}
    if not called & {"Sentence", "Section", "Chart"}:
        yield f"{topic} neither says nor shows anything"


def _check_parameters(tree: Tree, topic: str) -> Iterator[str]:
    """Whatever parameter a topic asks for is one of a probe that fills that record."""
    by_kind: dict[tuple[str, str], set[str]] = {}
    sources = {probe.name: parameters(probe) for probe in tree.probes}
    for each in tree.topics:
        for probe, kind in recorded(tree, each).items():
            by_kind.setdefault((each, kind), set()).update(sources.get(probe, ()))
    for path in sorted(tree.folder(topic).glob("*.py")):
        source = tree.parsed(path)
        imported = {
            alias.asname or alias.name: (module.split(".")[-2], alias.name)
            for module, alias in _imports(source)
            if module.endswith(".records")
        }
        known = {name: by_kind[of] for name, of in imported.items() if of in by_kind}
        every = set(chain.from_iterable(known.values()))
        for kind, name in _asked(source):
            if name not in known.get(kind, every):
                yield f"{topic}/{path.name}: no probe of {kind or 'its records'} has {name!r}"


def _asked(source: ast.Module) -> Iterator[tuple[str, str]]:
    """The parameters that are asked for by name, each with the type of record if that is told."""
    for call in _calls(source):
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr in _LOOK_UPS:
            kind = ast.unparse(call.args[0]) if call.args else ""
            for keyword in call.keywords:
                if keyword.arg not in {None, "subject"}:
                    yield kind, str(keyword.arg)
        elif isinstance(function, ast.Attribute) and function.attr == "values" and call.args:
            yield from ((ast.unparse(call.args[0]), name) for name in _text(call.args[-1]))
        elif ast.unparse(function).endswith(".params.get") and call.args:
            yield from (("", name) for name in _text(call.args[0]))
    for node in ast.walk(source):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith(".params"):
            yield from (("", name) for name in _text(node.slice))


def _text(node: ast.expr) -> list[str]:
    """A literal text; of a constant from elsewhere, its name in small letters: SAVED_BY.

    What a variable holds cannot be told.
    """
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    return [node.id.lower()] if isinstance(node, ast.Name) and node.id.isupper() else []


def _calls(source: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(source) if isinstance(node, ast.Call)]


def _attributes(source: ast.AST) -> list[ast.Attribute]:
    return [node for node in ast.walk(source) if isinstance(node, ast.Attribute)]


def _called(node: ast.expr) -> str:
    """The name of what is called, or of a decorator with arguments or without."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def _names(source: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}


def _imports(source: ast.Module) -> Iterable[tuple[str, ast.alias]]:
    for node in ast.walk(source):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.module, alias


def complaints(tree: Tree, topics: Iterable[str]) -> list[str]:
    """Everything that does not fit, of the probes, of the registry and of these topics."""
    return [
        *check_probes(tree),
        *check_registry(tree),
        *chain.from_iterable(check_topic(tree, topic) for topic in topics),
    ]


def modules(tree: Tree, topics: Iterable[str]) -> list[str]:
    """The files of these topics, and of the probes that fill their records."""
    wanted = {probe for topic in topics for probe in recorded(tree, topic)}
    files = {
        *(path for topic in topics for path in (tree.folder(topic)).glob("*.py")),
        *(probe.path for probe in tree.probes if probe.name in wanted),
    }
    return sorted(str(path.relative_to(tree.root)) for path in files)

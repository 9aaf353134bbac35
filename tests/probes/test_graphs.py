"""Every graph of the corpus has a name of its own, a link, and lies where the probe finds it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from compat.findings.expectations import load_expectations
from tests.conftest import ROOT

FOLDER = ROOT / "compat/probes/graphs"
LINK = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull)/\d+")


def kinds() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*.py") if path.stem not in {"__init__", "graph"})


def graphs() -> list[tuple[str, ast.Call]]:
    """The name of each function that is made a graph, and how."""
    return [
        (node.name, decorator)
        for path in kinds()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "graph"
    ]


def test_there_are_forty_and_more() -> None:
    assert len(graphs()) >= 40


def test_every_graph_has_the_link_of_its_report() -> None:
    for name, decorator in graphs():
        link = decorator.args[0]
        assert isinstance(link, ast.Constant), name
        assert LINK.fullmatch(str(link.value)), name


def test_names_are_unique() -> None:
    """The probe finds them by name: of two of one name it would ask one."""
    assert [
        name for name, number in Counter(name for name, _ in graphs()).items() if number > 1
    ] == []


def test_every_function_of_a_kind_is_a_graph() -> None:
    for path in kinds():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                assert any(
                    ast.unparse(each).startswith("graph(") for each in node.decorator_list
                ), f"{path.name}: {node.name} is no graph"


def test_every_kind_is_asked() -> None:
    (table,) = (
        node.value
        for node in ast.parse((FOLDER / "__init__.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_KINDS"
    )
    assert isinstance(table, ast.Tuple)
    assert sorted(map(ast.unparse, table.elts)) == [path.stem for path in kinds()]


def test_what_is_expected_is_of_a_graph_and_has_its_link() -> None:
    links = {
        name.replace("_", "-"): ast.literal_eval(decorator.args[0]) for name, decorator in graphs()
    }
    expected = [each for each in load_expectations().known if each.scope.probe == "corpus.right"]
    assert expected
    for each in expected:
        for name in each.scope.params["graph"]:
            assert links[name] == each.link, name

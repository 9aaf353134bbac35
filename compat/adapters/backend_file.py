"""What a user's file must define to be a subject; read without running it."""

from __future__ import annotations

import ast
from pathlib import Path

COMPILE, SAVE, LOAD = "compile", "save", "load"


def defined_in(path: Path) -> frozenset[str]:
    """Those of ``compile``, ``save`` and ``load`` that the file defines at its top level.

    Raises:
        ValueError: It cannot be read as Python, or lacks ``compile``, or has one of ``save`` and
            ``load`` without the other; the message says which.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        raise ValueError(f"{path}: cannot be read as Python: {error}") from None
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    found = frozenset(names & {COMPILE, SAVE, LOAD})
    if COMPILE not in found:
        raise ValueError(f"{path}: expected a function compile(graph, example_inputs)")
    if len(found) == 2:  # noqa: PLR2004  (compile and one of the others)
        (alone,) = found - {COMPILE}
        raise ValueError(f"{path}: expected save and load together; it has {alone} alone")
    return found

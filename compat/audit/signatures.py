"""Whether a call fits what a probe wrote down of a function's parameters."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from compat.audit.model import Call


def not_taken(signature: inspect.Signature, call: Call) -> tuple[str, ...]:
    """What of a call a signature refuses, or wants and does not get, if that is certain."""
    parameters = signature.parameters
    kinds = {each.kind for each in parameters.values()}
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        unknown = tuple(each for each in call.keywords if each not in parameters)
        if unknown:
            return unknown
    if not call.whole:
        return ()
    try:
        signature.bind(*range(call.positional), **dict.fromkeys(call.keywords))
    except TypeError as error:
        return (str(error),)
    return ()


def signature_of(described: str) -> inspect.Signature | None:
    """From what the probe wrote of a callable: ``function(a, *, b=…)``; None of anything else."""
    kind, bracket, parameters = described.partition("(")
    if kind not in {"function", "class"} or not bracket or parameters == "…)":
        return None
    try:
        parsed = ast.parse(f"def f({parameters.replace('…', '...')}: ...").body[0]
    except SyntaxError:
        return None
    assert isinstance(parsed, ast.FunctionDef)  # noqa: S101  (it is what was written)
    return inspect.Signature(list(_parameters(parsed.args)))


def _parameters(arguments: ast.arguments) -> Iterator[inspect.Parameter]:
    kinds = inspect.Parameter
    by_position = [*arguments.posonlyargs, *arguments.args]
    required = len(by_position) - len(arguments.defaults)
    for index, each in enumerate(by_position):
        only = index < len(arguments.posonlyargs)
        kind = kinds.POSITIONAL_ONLY if only else kinds.POSITIONAL_OR_KEYWORD
        yield kinds(each.arg, kind, default=kinds.empty if index < required else ...)
    if arguments.vararg is not None:
        yield kinds(arguments.vararg.arg, kinds.VAR_POSITIONAL)
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield kinds(each.arg, kinds.KEYWORD_ONLY, default=kinds.empty if default is None else ...)
    if arguments.kwarg is not None:
        yield kinds(arguments.kwarg.arg, kinds.VAR_KEYWORD)

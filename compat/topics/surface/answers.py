"""What the records of private names, config keys and operators say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Said, count, text, verdict
from compat.topics.surface.records import Config, Name, Operators, Used


def of_name(record: Name) -> Iterable[Said]:
    return _of_name(record, "")


def of_used(record: Used) -> Iterable[Said]:
    """As of a name; each answer ends with the name that it is about."""
    for path, name in record.names.items():
        yield from _of_name(name, f".{path}")


def of_config(record: Config) -> Iterable[Said]:
    for path, key in record.keys.items():
        yield verdict(f"there.{path}", key.there)
        yield text(f"default.{path}", key.default if key.there else None)


def of_operators(record: Operators) -> Iterable[Said]:
    for name, operator in record.operators.items():
        yield verdict(f"there.{name}", operator.there)
        yield text(f"schemas.{name}", "; ".join(operator.schemas) if operator.there else None)


def _of_name(record: Name, about: str) -> Iterable[Said]:
    yield verdict(f"there{about}", record.there)
    yield text(f"signature{about}", record.signature if record.there else None)
    refused = len(record.refused) if record.there else None
    yield count(f"refused{about}", refused, unit="parameters")


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Name: of_name,
    Used: of_used,
    Config: of_config,
    Operators: of_operators,
}

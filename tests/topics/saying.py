"""What records say, and how one answer relates to another record's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.document.parts import Code, Link, Section, Seen, Strong, Text
from compat.runs.answers import Change, Said, relate
from compat.runs.ids import BuildId

Answers = Mapping[type, Callable[[Any], Iterable[Said]]]


def said_of(answers: Answers, record: object) -> dict[str, Said]:
    """By name; no two answers of a record have the same one."""
    found = list(answers[type(record)](record))
    by_name = {each.name: each for each in found}
    assert len(by_name) == len(found)
    return by_name


def changes(answers: Answers, before: object, after: object) -> dict[str, Change]:
    """By name: how the answers that are no longer the same relate."""
    old, new = said_of(answers, before), said_of(answers, after)
    assert old.keys() == new.keys()
    related = {name: relate(each.scale, each.value, new[name].value) for name, each in old.items()}
    return {name: change for name, change in related.items() if change is not Change.SAME}


def words(text: Text) -> str:
    """A text as plain characters."""
    if isinstance(text, tuple):
        return "".join(map(words, text))
    if isinstance(text, BuildId):
        return text.label
    return text.text if isinstance(text, Code | Link | Seen | Strong) else text


def rows(section: Section) -> list[list[str]]:
    """The first table's headers and rows, each of the same length."""
    table = section.tables[0]
    found = [[words(each) for each in row] for row in [table.headers, *table.rows]]
    assert len({len(row) for row in found}) == 1
    return found

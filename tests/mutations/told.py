"""Which answers change under each mutation, and whether these are the ones that must."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from compat.findings.answers import answers_of
from compat.runs.answers import Answer, Change, relate
from compat.runs.ids import AnswerId, BuildId
from compat.runs.model import Build, Cell, Run
from compat.topics.matrix import Matrix
from tests.mutations.catalogue import UNBROKEN

_PARAM = "mutation"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the catalogue says of a mutation."""

    about: str = ""
    asks: Sequence[str] = ()
    told: Sequence[str] = ()
    also: Sequence[str] = ()
    through: Sequence[str] = ()
    quick: bool = False
    since: str = ""
    until: str = ""
    replays: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one mutation.

    Attributes:
        told: The answers that changed, as ``CHECK NAME: CHANGE``.
        missed: What must have been told and was not: the catalogue's patterns,
        false: and what was told though nothing of the mutation explains it.
    """

    told: tuple[str, ...]
    missed: tuple[str, ...]
    false: tuple[str, ...]

    @property
    def right(self) -> bool:
        return not self.missed and not self.false


def verdicts(
    build: Build, cells: Sequence[Cell], catalogue: Mapping[str, Expected]
) -> dict[str, Verdict]:
    """By mutation; the second run of the unbroken build is one of which nothing may be told."""
    said = _said(build, cells)
    control, again = (said[name] for name in UNBROKEN)
    return {
        UNBROKEN[1]: _verdict(_told(control, again), Expected()),
        **{
            name: _verdict(_told(control, said[name]), expected)
            for name, expected in catalogue.items()
        },
    }


def _said(build: Build, cells: Sequence[Cell]) -> dict[str, Mapping[AnswerId, Answer]]:
    """The answers under each mutation, as if each were a build of its own."""
    by_mutation: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        params = {name: value for name, value in cell.params.items() if name != _PARAM}
        by_mutation[cell.params[_PARAM]].append(replace(cell, params=params))
    said = {}
    for name, those in by_mutation.items():
        mutated = replace(build, id=BuildId.of(f"local-{name}", build.device.kind))
        run = Run(
            schema_version=0,
            sources=(),
            builds=(mutated,),
            descriptions={},
            cells=tuple(replace(cell, build=mutated.id) for cell in those),
        )
        said[name] = answers_of(Matrix(run), mutated)
    return said


def _told(before: Mapping[AnswerId, Answer], now: Mapping[AnswerId, Answer]) -> tuple[str, ...]:
    """What changed of all that was asked under both."""
    checks = {name.check for name in now}
    changes = {}
    for name in sorted(before.keys() | now.keys()):
        if name.check in checks:
            old, new = before.get(name), now.get(name)
            known = old or new
            assert known is not None
            change = relate(known.scale, old and old.value, new and new.value)
            if change not in {Change.SAME, Change.UNKNOWN}:
                changes[name] = change
    return tuple(f"{name.check} {name.name}: {change.value}" for name, change in changes.items())


def _verdict(told: tuple[str, ...], expected: Expected) -> Verdict:
    explained = (*expected.told, *expected.also)
    return Verdict(
        told=told,
        missed=tuple(
            each for each in expected.told if not any(re.search(each, one) for one in told)
        ),
        false=tuple(one for one in told if not any(re.search(each, one) for each in explained)),
    )

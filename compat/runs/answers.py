"""Answers, and the one function that says how two of them relate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TypeAlias

from compat.runs.ids import AnswerId, CellId
from compat.runs.model import Outcome


class Kind(str, Enum):
    """What sort of value an answer has, which decides how two of them relate."""

    ENDING = "ending"  # how a cell ended
    VERDICT = "verdict"  # yes or no
    COUNT = "count"  # exact
    QUANTITY = "quantity"  # measured, with noise
    TEXT = "text"  # a signature, a name
    NUMBERS = "numbers"  # what a model computed


class Good(str, Enum):
    """Which side of an answer is the good one."""

    YES = "yes"
    NO = "no"
    LESS = "less"
    MORE = "more"
    NEITHER = "neither"


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How the values of an answer are to be read.

    Attributes:
        noise: Of a quantity: the relative change that means nothing, 0.5 for half as much again. Of
            numbers: the change of a value that means nothing, in units of the output's root mean
            square.
        unit: Of a quantity or a count, for readers.
    """

    kind: Kind
    good: Good = Good.NEITHER
    noise: float = 0.0
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A few values of one output; what is not finite is None.

    Attributes:
        norm: The Euclidean norm over all its elements.
    """

    shape: tuple[int, ...]
    norm: float | None
    values: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a cell ended; ``signature`` is that of a bad one."""

    outcome: Outcome
    signature: str = ""


Value: TypeAlias = bool | int | float | str | tuple[Sample, ...] | Ending


@dataclass(frozen=True, kw_only=True)
class Said:
    """One thing that a record, or several of them, says; ``value`` is None where it is unknown."""

    name: str
    scale: Scale
    value: Value | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a reader or an alarm compares.

    Attributes:
        value: None where it is unknown.
        cells: Those that say so.
    """

    id: AnswerId
    scale: Scale
    value: Value | None
    cells: tuple[CellId, ...]


class Change(str, Enum):
    """How an answer relates to the one before."""

    # Equal to its text, it has the hash of that; that of an Enum is a function in Python.
    __hash__ = str.__hash__

    LOST = "lost"
    WORSE = "worse"
    GAINED = "gained"
    BETTER = "better"
    CHANGED = "changed"
    SAME = "same"
    UNKNOWN = "unknown"

    @property
    def alarms(self) -> bool:
        """Whether it turns a run red unless it is expected."""
        return self in {Change.LOST, Change.WORSE}


# How a cell ended is an answer of every check.
OUTCOME = "outcome"
ENDING = Scale(kind=Kind.ENDING)
_TEXT = Scale(kind=Kind.TEXT)
_VERDICTS = {good: Scale(kind=Kind.VERDICT, good=good) for good in Good}


@cache
def _count(good: Good, unit: str) -> Scale:
    return Scale(kind=Kind.COUNT, good=good, unit=unit)


def verdict(name: str, value: bool | None, *, good: Good = Good.YES) -> Said:
    """Yes or no; by default yes is the good side."""
    return Said(name=name, scale=_VERDICTS[good], value=value)


def count(name: str, value: int | None, *, good: Good = Good.LESS, unit: str = "") -> Said:
    """An exact number; by default less is better."""
    return Said(name=name, scale=_count(good, unit), value=value)


def quantity(
    name: str, value: float | None, *, noise: float, good: Good = Good.LESS, unit: str = ""
) -> Said:
    """A measurement; a change by less than the share ``noise`` means nothing."""
    scale = Scale(kind=Kind.QUANTITY, good=good, noise=noise, unit=unit)
    return Said(name=name, scale=scale, value=value)


def text(name: str, value: str | None) -> Said:
    """A signature or a name: that it changes is neither good nor bad."""
    return Said(name=name, scale=_TEXT, value=value)


def numbers(name: str, value: Sequence[Sample] | None, *, noise: float) -> Said:
    """What a model computed; ``noise`` is in units of an output's root mean square."""
    scale = Scale(kind=Kind.NUMBERS, noise=noise)
    return Said(name=name, scale=scale, value=None if value is None else tuple(value))


def relate(scale: Scale, before: Value | None, after: Value | None) -> Change:
    """How ``after`` relates to ``before``; unknown where either is, or is of another kind."""
    match scale.kind:
        case Kind.ENDING:
            return _relate_endings(before, after)
        case Kind.VERDICT:
            return _relate_verdicts(scale, before, after)
        case Kind.COUNT | Kind.QUANTITY:
            return _relate_sizes(scale, before, after)
        case Kind.TEXT:
            return _relate_texts(before, after)
        case Kind.NUMBERS:
            return _relate_numbers(scale, before, after)


def _relate_verdicts(scale: Scale, before: Value | None, after: Value | None) -> Change:
    if not isinstance(before, bool) or not isinstance(after, bool):
        return Change.UNKNOWN
    if before == after:
        return Change.SAME
    if scale.good is Good.NEITHER:
        return Change.CHANGED
    return Change.GAINED if after is (scale.good is Good.YES) else Change.LOST


def _relate_endings(before: Value | None, after: Value | None) -> Change:
    if not isinstance(before, Ending) or not isinstance(after, Ending):
        return Change.UNKNOWN
    if not before.outcome.known or not after.outcome.known:
        return Change.UNKNOWN
    if before == after:
        return Change.SAME
    if before.outcome is Outcome.PASS:
        return Change.LOST
    if after.outcome is Outcome.PASS:
        return Change.GAINED
    # It fails where it was not there to fail, or in another way than before.
    return Change.WORSE if after.outcome.bad else Change.CHANGED


def _relate_sizes(scale: Scale, before: Value | None, after: Value | None) -> Change:
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return Change.UNKNOWN
    smaller, larger = sorted((before, after))
    if larger - smaller <= abs(smaller) * scale.noise:
        return Change.SAME
    if scale.good is Good.NEITHER:
        return Change.CHANGED
    return Change.BETTER if (after < before) is (scale.good is Good.LESS) else Change.WORSE


def _relate_texts(before: Value | None, after: Value | None) -> Change:
    if not isinstance(before, str) or not isinstance(after, str):
        return Change.UNKNOWN
    return Change.SAME if before == after else Change.CHANGED


def _relate_numbers(scale: Scale, before: Value | None, after: Value | None) -> Change:
    if not isinstance(before, tuple) or not isinstance(after, tuple):
        return Change.UNKNOWN
    moved = distance(before, after)
    return Change.SAME if moved is not None and moved <= scale.noise else Change.CHANGED


def distance(before: Sequence[Sample], after: Sequence[Sample]) -> float | None:
    """The largest change of a sampled value, in units of its output's root mean square.

    That is the larger one of the two sides. None where no change can be told: other shapes, or a
    value that is finite on one side only.
    """
    if [each.shape for each in before] != [each.shape for each in after]:
        return None
    largest = 0.0
    for old, new in zip(before, after, strict=True):
        if len(old.values) != len(new.values):
            return None
        pairs = [(old.norm, new.norm), *zip(old.values, new.values, strict=True)]
        if any((was is None) is not (now is None) for was, now in pairs):
            return None
        norm = max(old.norm or 0.0, new.norm or 0.0)
        elements = max(1.0, math.prod(map(float, old.shape)))
        scale = norm / math.sqrt(elements) or 1.0
        known = [(was, now) for was, now in pairs[1:] if was is not None and now is not None]
        largest = max([largest, *(abs(was - now) / scale for was, now in known)])
    return largest

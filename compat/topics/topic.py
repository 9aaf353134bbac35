"""What every topic has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from compat.document.parts import Chart, Section, Sentence
from compat.runs.answers import Said
from compat.runs.ids import BuildId, CellId, CheckId
from compat.topics.matrix import Matrix
from compat.topics.upgrade import UpgradeRow

F = TypeVar("F")


@dataclass(frozen=True, kw_only=True)
class Across:
    """An answer that takes several cells of one build.

    Attributes:
        check: The group of cells that it is about, such as ``parity.outputs[mlp-float32-static]``.
    """

    check: CheckId
    said: Said
    cells: tuple[CellId, ...]


class AdviceKind(str, Enum):
    """What a downstream that supports some builds can do about a gate or a workaround."""

    GATE_CAN_GO = "gates that can go"
    GATE_CAN_MOVE = "gates that can move"
    CAN_GO = "workarounds that can go"
    STILL_NEEDED = "still needed"
    BREAKS = "what breaks"
    UNKNOWN = "not known"


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What can be done about one thing, and the cells that say so."""

    kind: AdviceKind
    about: str
    text: str
    cells: tuple[CellId, ...]


def no_answers_across(_: Matrix, __: str, ___: BuildId) -> Iterable[Across]:
    """Of a topic whose answers each come from a single cell."""
    return ()


def no_advice(_: Matrix, __: Any, ___: Sequence[BuildId]) -> Iterable[Advice]:
    """Of a topic with neither gates nor workarounds."""
    return ()


def no_upgrade(_: Matrix, __: Any) -> Iterable[UpgradeRow]:
    """Likewise."""
    return ()


def no_charts(_: Matrix, __: Any) -> Iterable[Chart]:
    """Of a topic that draws nothing."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Topic(Generic[F]):
    """A family of questions with one meaning.

    Attributes:
        heading: What readers see, where the name alone does not say it.
        records: By probe: the type of record that it fills.
        answers: By type of record: what one says.
        across: What the cells of a subject on one build say together.
        find: What follows from all cells, over builds: a frozen dataclass.
        say: The finding in sentences,
        show: in sections of the report,
        draw: and in charts.
        advise: What a downstream that supports these builds can do.
        upgrade: The gates and workarounds, each over all builds.
    """

    name: str
    heading: str = ""
    records: Mapping[str, type]
    answers: Mapping[type, Callable[[Any], Iterable[Said]]]
    across: Callable[[Matrix, str, BuildId], Iterable[Across]] = no_answers_across
    find: Callable[[Matrix], F]
    say: Callable[[Matrix, F], Iterable[Sentence]]
    show: Callable[[Matrix, F], Iterable[Section]]
    draw: Callable[[Matrix, F], Iterable[Chart]] = no_charts
    advise: Callable[[Matrix, F, Sequence[BuildId]], Iterable[Advice]] = no_advice
    upgrade: Callable[[Matrix, F], Iterable[UpgradeRow]] = no_upgrade

    @property
    def title(self) -> str:
        return self.heading or self.name.replace("_", " ").capitalize()

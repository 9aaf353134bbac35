"""What the records of cost say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Kind, Said, Scale
from compat.topics.cost.records import CompileTime, Work

# Half as much work again is worse. Two processes of one build count the same, and neighbours from
# 2.10.0 to 2.15.0 are within 10 %: the figures are in docs/reading-the-report.md. On 2.13.0 a
# compile_fx that does its work twice makes 1.9 (standalone) to 2.8 times as many calls.
CALLS = Scale(kind=Kind.QUANTITY, good=Good.LESS, noise=0.45, unit="calls")
INSTRUCTIONS = Scale(kind=Kind.QUANTITY, good=Good.LESS, noise=0.45, unit="instructions")


def of_work(record: Work) -> Iterable[Said]:
    yield Said(name="calls", scale=CALLS, value=record.calls)
    yield Said(name="instructions", scale=INSTRUCTIONS, value=record.instructions)


def of_compile_time(_: CompileTime) -> Iterable[Said]:
    """Seconds are information: two runs of one build differ in them."""
    return ()


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Work: of_work,
    CompileTime: of_compile_time,
}

"""Records of: whether graphs that once went wrong are right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# A batch that a graph is captured with, and one that only a dynamic graph serves.
_CAPTURED_SIZE, _OTHER_SIZE = 5, 8


def sizes_of(*, dynamic: bool) -> tuple[int, ...]:
    """The batch sizes that a graph is called with, in order."""
    return (_CAPTURED_SIZE, _OTHER_SIZE) if dynamic else (_CAPTURED_SIZE,)


@dataclass(frozen=True, kw_only=True)
class GraphRun:
    """What became of a graph on a path.

    Attributes:
        link: The public report that it comes from.
        compiles: Whether the path gave something that can be called.
        failure: Of a graph that could not be compiled, or not be run then: the signature.
        share: The largest error as a share of what is allowed: above 1 it is red; None where it is
            not finite, or the graph was not run.
        max_abs: The largest difference from eager, likewise.
        contract: What else is not as eager returns it, such as ``strides``.
        draws: What is not so of the random numbers.
        seconds: To the first results, capture and compilation included.
    """

    link: str
    compiles: bool
    failure: str
    share: float | None
    max_abs: float | None
    contract: tuple[str, ...]
    draws: tuple[str, ...]
    seconds: float


RECORDS: Mapping[str, type] = {
    "corpus.right": GraphRun,
}

"""Records of: what a compilation that fails leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.topics.naming import check_names

RIGHT = "right"


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What was left of one failure.

    Attributes:
        reached: Whether it failed of what was to make it fail.
        raised: The types that an ``except`` may name, from the exception's own to ``Exception``.
        broke: Likewise, of what the exception wraps.
        signature: See :mod:`compat.runs.signature`.
        changed: What is not as it was of the graph that the caller gave.
        left: What is not as it was of the process, such as the tracing context.
        eager: What that graph gives when it is called: ``right``, what is wrong, or a signature.
        copied: Likewise, a copy of it, whose code is made anew.
        next: Likewise, what the next compilation gives.
    """

    reached: bool
    raised: str
    broke: str
    signature: str
    changed: tuple[str, ...]
    left: tuple[str, ...]
    eager: str
    copied: str
    next: str


@dataclass(frozen=True, kw_only=True)
class Failed:
    """What was left of failures.

    Attributes:
        places: By where the compilation failed.
    """

    places: Mapping[str, Aftermath]

    def __post_init__(self) -> None:
        check_names(self.places)


@dataclass(frozen=True, kw_only=True)
class FailedBackward:
    """What was left of a backward graph that could not be compiled.

    Attributes:
        stage: When it failed: ``compile``, ``forward`` or ``backward``; ``never`` where it did not.
        raised: See :class:`Aftermath`, as with all that follows.
        signature: See there.
        left: See there.
        gradients: How many inputs got a gradient all the same.
        eager: What a step of the caller's graph gives without any compiler.
        again: What the next step gives with what was compiled, now that nothing fails any more:
            ``right``, what is wrong, or a signature; empty where nothing was compiled.
        next: What a step gives with the next compilation.
    """

    stage: str
    raised: str
    signature: str
    left: tuple[str, ...]
    gradients: int
    eager: str
    again: str
    next: str


RECORDS: Mapping[str, type] = {
    "failing.compilation": Failed,
    "failing.backward": FailedBackward,
}

"""What failures leave behind on which builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.runs.ids import BuildId, CellId
from compat.runs.model import Outcome
from compat.topics.failing.records import Aftermath, Failed, FailedBackward
from compat.topics.matrix import Matrix, Seen


@dataclass(frozen=True, kw_only=True)
class OnBuild:
    """A path on one build.

    Attributes:
        places: By where it failed; empty where nothing is known.
    """

    places: Mapping[str, Aftermath]
    cell: CellId
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class OnPath:
    """A path with a graph that returns a tuple, or a bare tensor."""

    path: str
    returns: str
    builds: Mapping[BuildId, OnBuild]


@dataclass(frozen=True, kw_only=True)
class Failures:
    """What is left of failures.

    Attributes:
        paths: Of a graph that is compiled at once.
        backward: By path, then by build: of a backward graph.
    """

    paths: tuple[OnPath, ...]
    backward: Mapping[str, Mapping[BuildId, Seen[FailedBackward]]]


def find(matrix: Matrix) -> Failures:
    return Failures(
        paths=tuple(
            OnPath(path=path, returns=returns, builds=on)
            for path in matrix.values(Failed, "path")
            for returns in matrix.values(Failed, "returns")
            if (
                on := {
                    build.id: OnBuild(
                        places=each.record.places if each.record else {},
                        cell=each.cell.id,
                        outcome=each.cell.outcome,
                    )
                    for build in matrix.builds
                    for each in matrix.seen(Failed, build.id, path=path, returns=returns)
                }
            )
        ),
        backward={
            path: {
                build.id: each
                for build in matrix.builds
                for each in matrix.seen(FailedBackward, build.id, path=path)
            }
            for path in matrix.values(FailedBackward, "path")
        },
    )

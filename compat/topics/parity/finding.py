"""Do all paths compute the same numbers, and do these stay the same from build to build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from compat.runs.answers import distance
from compat.runs.ids import BuildId, CellId, CheckId
from compat.runs.model import Cell, Outcome
from compat.topics.matrix import Matrix, Seen
from compat.topics.parity.answers import (
    REFERENCE,
    all_equal,
    bits_of,
    compiled,
    grouped,
    kernels_of,
    noise_of,
    samples,
)
from compat.topics.parity.records import Parity

# Of the compiled paths the one that tunes kernels when they first run.
TUNES_LATER = "compile_fx"


class Agreement(str, Enum):
    """How a build's compiled paths agree on one model."""

    BITWISE = "bitwise"  # as eager within rounding, and all with the same bits
    CLOSE = "close"  # as eager within rounding
    DIFFER = "differ"  # one computes something else, or returns it otherwise
    UNKNOWN = "unknown"  # one of them has not come to its end, or has left no record


@dataclass(frozen=True, kw_only=True)
class Combination:
    """One model, dtype and batch on one build, over its compiled paths.

    Attributes:
        check: What the paths' checks share.
        max_abs: The largest difference from eager; None where none is known, or it is not finite.
        max_rel: And the largest relative one.
        share: The largest error as a share of what is allowed, of outputs, their bias and elements,
        path: and the path that has it; empty where none is known.
        error: That path's root mean square error, in rounding steps,
        eager_error: eager's,
        worst_steps: and how far its worst element is off.
        contract: What is not as eager returns it, over all paths.
        left_out: What of the contract was not compared on purpose.
        same_kernels: Whether all that tune at the same time generated the same; None where that is
            unknown.
        repeats: Whether each gave its own bits again; None where that is unknown.
        compile_s: By path: seconds to the first result.
    """

    build: BuildId
    check: CheckId
    model: str
    dtype: str
    batch: str
    agreement: Agreement
    max_abs: float | None
    max_rel: float | None
    share: float | None
    path: str
    error: float | None
    eager_error: float | None
    worst_steps: float | None
    contract: tuple[str, ...]
    left_out: tuple[str, ...]
    same_kernels: bool | None
    repeats: bool | None
    compile_s: Mapping[str, float]
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How far a model's outputs moved between neighbouring builds of one device and Python.

    Attributes:
        compiled: The largest change over all compiled paths, in units of an output's root mean
            square; None where that cannot be told: another shape, or not finite.
        eager: Without a compiler; None also where no eager cell was run on both.
        jump: Whether the compiled paths moved by more than the dtype's noise.
    """

    model: str
    dtype: str
    before: BuildId
    after: BuildId
    compiled: float | None
    eager: float | None
    jump: bool
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class PathsAgree:
    """All combinations, all changes from build to build, and how each path's cells ended.

    Attributes:
        paths: By build, then by path.
    """

    combinations: tuple[Combination, ...]
    drift: tuple[Drift, ...]
    paths: Mapping[BuildId, Mapping[str, tuple[Cell, ...]]]


def find(matrix: Matrix) -> PathsAgree:
    return PathsAgree(
        combinations=tuple(
            _combine(build.id, check, seen)
            for build in matrix.builds
            for check, seen in grouped(matrix.seen(Parity, build.id)).items()
        ),
        drift=tuple(_find_drift(matrix)),
        paths=_paths(matrix),
    )


def _paths(matrix: Matrix) -> dict[BuildId, dict[str, tuple[Cell, ...]]]:
    names = matrix.values(Parity, "path")
    return {
        build.id: {
            path: tuple(each.cell for each in matrix.seen(Parity, build.id, path=path))
            for path in names
        }
        for build in matrix.builds
    }


def _combine(build: BuildId, check: CheckId, seen: Sequence[Seen[Parity]]) -> Combination:
    paths = compiled(seen)
    params = seen[0].cell.params
    known = [
        (each.cell.params.get("path", ""), each.record) for each in paths if each.record is not None
    ]
    shares = {path: share for path, record in known if (share := _share(record)) is not None}
    worst = max(shares, key=lambda path: shares[path], default="")
    record = dict(known).get(worst)
    return Combination(
        build=build,
        check=check,
        model=params.get("model", ""),
        dtype=params.get("dtype", ""),
        batch=params.get("batch", ""),
        agreement=_agreement(paths),
        max_abs=_largest([record.max_abs for _, record in known]),
        max_rel=_largest([record.max_rel for _, record in known]),
        share=shares.get(worst),
        path=worst,
        error=record.error if record else None,
        eager_error=record.eager_error if record else None,
        worst_steps=record.worst_steps if record else None,
        contract=_union(record.contract or () for _, record in known),
        left_out=_union(record.left_out for _, record in known),
        same_kernels=all_equal(_alike_tuned(build, paths), kernels_of),
        repeats=_repeats(paths),
        compile_s={path: record.compile_s for path, record in known},
        cells=tuple(each.cell.id for each in paths),
    )


def _alike_tuned(build: BuildId, paths: Sequence[Seen[Parity]]) -> list[Seen[Parity]]:
    """The paths whose kernels are of one sort.

    On a GPU standalone_compile also generates kernels to tune these while it compiles; compile_fx
    tunes when they first run, so its kernels are other ones whatever they compute.
    """
    if build.device == "cpu":
        return list(paths)
    return [each for each in paths if each.cell.params.get("path") != TUNES_LATER]


def _share(record: Parity) -> float | None:
    """The largest of the three that it has; None where one is not known."""
    return _largest([record.ratio, record.bias_ratio, record.element_ratio])


def _largest(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known, default=None) if len(known) == len(values) else None


def _union(several: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({each for values in several for each in values}))


def _agreement(paths: Sequence[Seen[Parity]]) -> Agreement:
    if any(each.cell.outcome is Outcome.FAIL for each in paths):
        return Agreement.DIFFER
    if not paths or any(
        each.cell.outcome is not Outcome.PASS or each.record is None for each in paths
    ):
        return Agreement.UNKNOWN
    return Agreement.CLOSE if all_equal(paths, bits_of) is False else Agreement.BITWISE


def _repeats(paths: Sequence[Seen[Parity]]) -> bool | None:
    repeats = {each.record and each.record.repeats_bitwise for each in paths}
    return None if not repeats or None in repeats else all(repeats)


def _find_drift(matrix: Matrix) -> Iterable[Drift]:
    lines = dict.fromkeys(build.id.line for build in matrix.builds)
    for line in lines:
        builds = [build.id for build in matrix.builds if build.id.line == line]
        models: dict[tuple[str, str], dict[BuildId, list[Seen[Parity]]]] = {}
        for build in builds:
            for each in matrix.seen(Parity, build):
                if each.record is not None:
                    key = (each.cell.params.get("model", ""), each.cell.params.get("dtype", ""))
                    models.setdefault(key, {}).setdefault(build, []).append(each)
        for (model, dtype), by_build in models.items():
            for before, after in pairwise(by_build):
                moves = _moves(by_build[before], by_build[after])
                paths = {cell: moved for cell, (path, moved) in moves.items() if path != REFERENCE}
                eager = [moved for path, moved in moves.values() if path == REFERENCE]
                if paths:
                    moved = _largest(list(paths.values()))
                    yield Drift(
                        model=model,
                        dtype=dtype,
                        before=before,
                        after=after,
                        compiled=moved,
                        eager=_largest(eager),
                        jump=moved is None or moved > noise_of(dtype),
                        cells=tuple(paths),
                    )


def _moves(
    older: Sequence[Seen[Parity]], newer: Sequence[Seen[Parity]]
) -> dict[CellId, tuple[str, float | None]]:
    """By the later cell of each check that both builds ran: its path, and how far it moved."""
    was = {each.cell.check: each.record for each in older}
    moves = {}
    for each in newer:
        before, after = was.get(each.cell.check), each.record
        if before is not None and after is not None:
            moved = distance(samples(before.numbers), samples(after.numbers))
            moves[each.cell.id] = (each.cell.params.get("path", ""), moved)
    return moves

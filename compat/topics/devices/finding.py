"""What a GPU says where only it can be asked, and where it differs from a CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.version import InvalidVersion, Version

from compat.runs.answers import Answer, Change, Good, Kind, Scale, Value, relate
from compat.runs.ids import BUILTIN, AnswerId, BuildId, CellId, CheckId
from compat.runs.model import Build, Outcome, Status
from compat.topics.devices.records import RECORDS, Fakes, Precision
from compat.topics.matrix import Matrix, Seen


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a check ended on one build, and what it found out, if anything."""

    cell: CellId
    outcome: Outcome
    record: Any


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Paths that do something on a build, by the parameters' values of the checks that say so."""

    build: BuildId
    checks: tuple[CheckId, ...]
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Devices:
    """What only a GPU can be asked.

    Attributes:
        checks: By check: what it found out on each build, in the order of the run.
        allocating: Where compiling from fakes takes as much device memory as the inputs do.
        disobedient: Where a product uses TF32 although none is allowed.
    """

    checks: Mapping[CheckId, Mapping[BuildId, Asked]]
    allocating: tuple[Paths, ...]
    disobedient: tuple[Paths, ...]


@dataclass(frozen=True, kw_only=True)
class Twins:
    """The same torch on a CPU and on a GPU.

    Attributes:
        same_python: Whether Python is of the same minor version: else it may be to blame.
    """

    cpu: BuildId
    gpu: BuildId
    same_python: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An answer that a GPU gives otherwise than a CPU with the same torch.

    Attributes:
        twins: Those that answer so.
    """

    subject: str
    answer: AnswerId
    cpu: Value
    gpu: Value
    twins: tuple[Twins, ...]
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Differences:
    """All differences between devices.

    Attributes:
        twins: All that were compared.
        alone: Builds on a GPU without one of the same torch on a CPU: nothing is compared.
    """

    differences: tuple[Difference, ...]
    twins: tuple[Twins, ...]
    alone: tuple[BuildId, ...]


def find(matrix: Matrix) -> Devices:
    checks: dict[CheckId, dict[BuildId, Asked]] = {}
    for kind in RECORDS.values():
        seen: list[Seen[Any]] = matrix.everywhere(kind)
        for each in seen:
            asked = Asked(cell=each.cell.id, outcome=each.cell.outcome, record=each.record)
            checks.setdefault(each.cell.check, {})[each.cell.build] = asked
    return Devices(
        checks=checks,
        allocating=_paths(checks, Fakes, lambda seen: seen.compiling_b >= seen.inputs_b),
        disobedient=_paths(
            checks, Precision, lambda seen: seen.tf32_used and not seen.tf32_allowed
        ),
    )


def _paths(
    checks: Mapping[CheckId, Mapping[BuildId, Asked]], kind: type, holds: Callable[[Any], bool]
) -> tuple[Paths, ...]:
    """By build: the checks with a record of ``kind`` of which something holds."""
    found: dict[BuildId, list[tuple[CheckId, CellId]]] = {}
    for check, on in checks.items():
        for build, asked in on.items():
            if isinstance(asked.record, kind) and holds(asked.record):
                found.setdefault(build, []).append((check, asked.cell))
    return tuple(
        Paths(
            build=build,
            checks=tuple(check for check, _ in seen),
            cells=tuple(cell for _, cell in seen),
        )
        for build, seen in found.items()
    )


def differences(matrix: Matrix, answers_of: Callable[[Build], Iterable[Answer]]) -> Differences:
    """What a GPU answers otherwise than a CPU with the same torch.

    Compared are answers that have a good side, and how cells ended. What is neither good nor bad,
    such as the digest of what was generated, differs between devices by its nature, and so does
    what is measured.

    Args:
        matrix: Of which the builds are compared.
        answers_of: All answers of a build.
    """
    groups: dict[tuple[str, AnswerId, Value, Value], list[tuple[Twins, tuple[CellId, ...]]]] = {}
    pairs, alone = _pairs(matrix)
    for cpu_build, gpu_build in pairs:
        twins = _twins(cpu_build, gpu_build)
        on_cpu = {_key(answer): answer for answer in answers_of(cpu_build)}
        for gpu in answers_of(gpu_build):
            cpu = on_cpu.get(_key(gpu))
            if cpu is None or cpu.value is None or gpu.value is None:
                continue
            if _comparable(gpu.scale) and _differ(gpu.scale, cpu.value, gpu.value):
                key = (*_key(gpu), cpu.value, gpu.value)
                groups.setdefault(key, []).append((twins, (*cpu.cells, *gpu.cells)))
    return Differences(
        differences=tuple(
            Difference(
                subject=subject,
                answer=answer,
                cpu=cpu_says,
                gpu=gpu_says,
                twins=tuple(each for each, _ in group),
                cells=tuple(cell for _, cells in group for cell in cells),
            )
            for (subject, answer, cpu_says, gpu_says), group in groups.items()
        ),
        twins=tuple(_twins(cpu, gpu) for cpu, gpu in pairs),
        alone=alone,
    )


def _comparable(scale: Scale) -> bool:
    return scale.kind is Kind.ENDING or (
        scale.good is not Good.NEITHER and scale.kind is not Kind.QUANTITY
    )


def _differ(scale: Scale, cpu: Value, gpu: Value) -> bool:
    return relate(scale, cpu, gpu) not in {Change.SAME, Change.UNKNOWN}


def _key(answer: Answer) -> tuple[str, AnswerId]:
    return _subject(answer), answer.id


def _subject(answer: Answer) -> str:
    return next((cell.subject for cell in answer.cells), BUILTIN)


def _pairs(matrix: Matrix) -> tuple[list[tuple[Build, Build]], tuple[BuildId, ...]]:
    """Builds on a GPU, each ahead of it the same torch on a CPU, and those without such."""
    ok = [build for build in matrix.builds if build.status is Status.OK]
    pairs, alone = [], []
    for gpu in ok:
        if gpu.id.device == "cpu":
            continue
        same = [cpu for cpu in ok if cpu.id.device == "cpu" and _torch(cpu) == _torch(gpu)]
        if same:
            # Of several, one with the same Python if there is one.
            pairs.append((max(same, key=lambda cpu: _minor(cpu) == _minor(gpu)), gpu))
        else:
            alone.append(gpu.id)
    return pairs, tuple(alone)


def _twins(cpu: Build, gpu: Build) -> Twins:
    return Twins(cpu=cpu.id, gpu=gpu.id, same_python=_minor(cpu) == _minor(gpu))


def _torch(build: Build) -> tuple[str, str]:
    """Which torch it is: its version without the local part, and the commit it was built from.

    An adopted build goes by the name of its folder, and its wheel may be of another variant.
    """
    return (str(build.release) if build.release else build.id.name, build.git_version)


def _minor(build: Build) -> tuple[int, ...] | None:
    """Major and minor version of its Python; None where it never said."""
    try:
        return Version(build.python).release[:2]
    except InvalidVersion:
        return None

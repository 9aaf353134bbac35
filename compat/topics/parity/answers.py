"""What the records of parity say, and what all paths of one build say together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from compat.runs.answers import Good, Said, Sample, count, numbers, text, verdict
from compat.runs.ids import BuildId, CheckId
from compat.runs.model import Outcome
from compat.topics.matrix import Matrix, Seen
from compat.topics.parity.records import OutputSample, Parity, RandomNumbers
from compat.topics.topic import Across

# The path that compiles nothing.
REFERENCE = "eager"

# Changes of a few rounding steps, in units of the output's root mean square, are what another
# order of summation does.
STEPS = 8
NOISE = {"float32": STEPS * 2.0**-23, "float16": STEPS * 2.0**-10, "bfloat16": STEPS * 2.0**-7}


def noise_of(dtype: str) -> float:
    """The change of a value that means nothing, in units of its output's root mean square."""
    return NOISE.get(dtype, 0.0)


def of_parity(record: Parity) -> Iterable[Said]:
    yield verdict("finite", record.max_abs is not None)
    yield verdict("contract", None if record.contract is None else not record.contract)
    yield text("left_out", ", ".join(record.left_out) or "nothing")
    yield verdict("repeats", record.repeats_bitwise)
    yield numbers("outputs", samples(record.numbers), noise=noise_of(record.dtype))
    yield count("kernels", record.kernels, good=Good.NEITHER)
    yield count("pieces", record.pieces, good=Good.NEITHER)


def samples(outputs: Sequence[OutputSample]) -> tuple[Sample, ...]:
    """The sampled outputs as answers have them."""
    return tuple(Sample(shape=each.shape, norm=each.norm, values=each.samples) for each in outputs)


def of_random_numbers(record: RandomNumbers) -> Iterable[Said]:
    yield verdict("finite", record.max_abs is not None)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Parity: of_parity,
    RandomNumbers: of_random_numbers,
}


def grouped(
    seen: Iterable[Seen[Parity]],
) -> dict[CheckId, list[Seen[Parity]]]:
    """Cells that differ in their path alone, by the check that they share."""
    groups: dict[CheckId, list[Seen[Parity]]] = {}
    for each in seen:
        shared = {name: value for name, value in each.cell.params.items() if name != "path"}
        groups.setdefault(CheckId.of(each.cell.probe, shared), []).append(each)
    return groups


def compiled(seen: Iterable[Seen[Parity]]) -> list[Seen[Parity]]:
    """Those that compile, and that the build has."""
    return [
        each
        for each in seen
        if each.cell.params.get("path") != REFERENCE
        and each.cell.outcome is not Outcome.UNSUPPORTED
    ]


def all_equal(seen: Sequence[Seen[Parity]], key: Callable[[Parity], str]) -> bool | None:
    """Whether several paths recorded the same; None where one is not known, or there is but one."""
    records = [each.record for each in seen if each.record is not None]
    if len(records) < len(seen) or not records[1:]:
        return None
    return len({key(record) for record in records}) == 1


def bits_of(record: Parity) -> str:
    return record.digest


def kernels_of(record: Parity) -> str:
    return record.kernels_digest


def across(matrix: Matrix, subject: str, build: BuildId) -> Iterable[Across]:
    """Whether a build's compiled paths gave the same bits, and generated the same kernels.

    On a GPU each compilation tunes for itself, and both may be ``no`` on every build.
    """
    for check, seen in grouped(matrix.seen(Parity, build, subject=subject)).items():
        paths = compiled(seen)
        cells = tuple(each.cell.id for each in paths)
        for name, key in (("same_bits", bits_of), ("same_kernels", kernels_of)):
            yield Across(check=check, said=verdict(name, all_equal(paths, key)), cells=cells)

"""What the records of a GPU say, and what it means when that changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from compat.runs.answers import Change, relate
from compat.topics.devices.answers import ANSWERS
from compat.topics.devices.records import (
    RECORDS,
    Fakes,
    Graphs,
    KernelRuns,
    PathKernels,
    PathMemory,
    PeakMemory,
    Precision,
    ScaledMatmul,
    Stream,
    Triton,
    Tuning,
    UserKernel,
)

MB = 1 << 20
TRITON = Triton(triton=4, kernels=4, max_abs=1e-7)
USER_KERNEL = UserKernel(max_abs=0.0, handles=2, bitwise=True)
GRAPHS = Graphs(replays=4, skips=0, max_abs=1e-7)
TUNING = Tuning(compared=1, templates=1, max_abs=0.0)
SCALED = ScaledMatmul(max_abs=0.0, max_rel=0.0)
HIGHEST = Precision(
    error=9e-7,
    eager_error=9e-7,
    tf32_used=False,
    tf32_used_in_eager=False,
    tf32_allowed=False,
    tf32_allowed_in_cudnn=True,
)
STREAM = Stream(max_abs=0.0, bitwise=True, asleep=True)
FAKES = Fakes(inputs_b=16 * MB, compiling_b=7168, compiling_reserved_b=0, running_b=114 * MB)

COMPILED = PathKernels(
    launched=18,
    generated=4,
    same_kernels=True,
    same_launches=False,
    same_bits=True,
)
KERNELS = KernelRuns(
    paths={
        "compile_fx": COMPILED,
        "standalone": replace(COMPILED, generated=8, same_launches=True),
    },
    same_kernels=True,
    same_launches=False,
    same_bits=False,
)
PEAKS = PathMemory(
    compiling_b=(124 * MB, 124 * MB),
    first_b=(80 * MB, 80 * MB),
    running_b=(80 * MB, 80 * MB),
)
PEAK_MEMORY = PeakMemory(inputs_b=16 * MB, paths={"standalone": PEAKS})


def changes(before: Any, **altered: Any) -> dict[str, Change]:
    """How each answer of a record changes, but for those that stay the same."""
    read = ANSWERS[type(before)]
    related = {
        old.name: relate(old.scale, old.value, new.value)
        for old, new in zip(read(before), read(replace(before, **altered)), strict=True)
    }
    return {name: change for name, change in related.items() if change is not Change.SAME}


def test_every_type_of_record_has_answers() -> None:
    assert set(ANSWERS) == set(RECORDS.values())


@pytest.mark.parametrize(
    ("before", "altered", "told"),
    [
        (
            TRITON,
            {"triton": 0},
            {"generates_triton": Change.LOST, "triton_kernels": Change.CHANGED},
        ),
        (TRITON, {"kernels": 5}, {"kernels": Change.CHANGED}),
        (TRITON, {"max_abs": None}, {"finite": Change.LOST}),
        (TRITON, {"max_abs": 2e-7}, {}),
        (USER_KERNEL, {"bitwise": False}, {"bitwise": Change.LOST}),
        (USER_KERNEL, {"handles": 1}, {"handles": Change.WORSE}),
        (
            GRAPHS,
            {"replays": 0, "skips": 1},
            {"replays_graphs": Change.LOST, "replays": Change.CHANGED, "skips": Change.WORSE},
        ),
        (TUNING, {"compared": 0}, {"compared": Change.CHANGED}),
        (TUNING, {"templates": 0}, {"templates": Change.CHANGED}),
        (SCALED, {"max_abs": None}, {"finite": Change.LOST}),
        (SCALED, {"max_rel": None}, {"finite_relative": Change.LOST}),
        (
            HIGHEST,
            {"tf32_used": True, "error": 1.7e-3},
            {
                "forbidden_tf32_used": Change.LOST,
                "tf32_used": Change.CHANGED,
                "error": Change.WORSE,
            },
        ),
        (
            replace(HIGHEST, tf32_allowed=True),
            {"tf32_used": True},
            {"tf32_used": Change.CHANGED},
        ),
        (HIGHEST, {"error": 2e-6}, {}),
        (
            HIGHEST,
            {"eager_error": 1.7e-3, "tf32_used_in_eager": True},
            {"eager_error": Change.CHANGED, "tf32_used_in_eager": Change.CHANGED},
        ),
        (HIGHEST, {"tf32_allowed_in_cudnn": False}, {"tf32_allowed_in_cudnn": Change.CHANGED}),
        (STREAM, {"bitwise": False}, {"bitwise": Change.LOST}),
        (STREAM, {"asleep": False}, {"told_apart": Change.LOST}),
        (FAKES, {"compiling_b": 90 * 1024}, {}),
        (
            FAKES,
            {"compiling_b": 114 * MB, "compiling_reserved_b": 114 * MB},
            {
                "allocates_inputs": Change.LOST,
                "compiling": Change.WORSE,
                "reserved_compiling": Change.CHANGED,
            },
        ),
        (FAKES, {"running_b": 80 * MB}, {"running": Change.BETTER}),
        (FAKES, {"running_b": 120 * MB}, {}),
        (KERNELS, {"same_kernels": False}, {"same_kernels": Change.CHANGED}),
        (KERNELS, {"same_bits": True, "same_launches": True}, {}),
        (
            KERNELS,
            {
                "paths": {
                    **KERNELS.paths,
                    "compile_fx": replace(COMPILED, launched=20, same_kernels=False),
                }
            },
            {
                "launched.compile_fx": Change.CHANGED,
                "same_kernels_again.compile_fx": Change.CHANGED,
            },
        ),
        (
            PEAK_MEMORY,
            {
                "paths": {
                    "standalone": replace(
                        PEAKS, compiling_b=(124 * MB, 248 * MB), first_b=(16 * MB,)
                    )
                }
            },
            {"compiling.standalone": Change.WORSE, "first_call.standalone": Change.BETTER},
        ),
        (PEAK_MEMORY, {"paths": {"standalone": replace(PEAKS, running_b=(82 * MB,))}}, {}),
    ],
)
def test_a_change_is_told(before: Any, altered: dict[str, Any], told: dict[str, Change]) -> None:
    assert changes(before, **altered) == told

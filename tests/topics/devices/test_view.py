"""A GPU in words and tables."""

from __future__ import annotations

from dataclasses import replace

from compat.document.parts import Code
from compat.runs.answers import Ending
from compat.runs.ids import AnswerId, BuildId
from compat.runs.model import Outcome
from compat.topics.devices.finding import Difference, Differences, Twins
from compat.topics.devices.topic import TOPIC
from compat.topics.devices.view import say_differences, show_differences
from tests.topics.cells import make_cell, make_matrix
from tests.topics.devices.test_answers import (
    FAKES,
    GRAPHS,
    HIGHEST,
    KERNELS,
    MB,
    PEAK_MEMORY,
    PEAKS,
    SCALED,
    STREAM,
    TRITON,
    TUNING,
    USER_KERNEL,
)

TWINS = Twins(cpu=BuildId("2.13.0-cpu"), gpu=BuildId("local-mine-cuda"), same_python=False)


def test_every_record_is_shown() -> None:
    build = "2.13.0-cuda"
    records = [
        TRITON,
        replace(USER_KERNEL, bitwise=False),
        GRAPHS,
        TUNING,
        replace(SCALED, max_abs=None, max_rel=None),
        HIGHEST,
        replace(STREAM, asleep=False),
        FAKES,
        KERNELS,
        replace(PEAK_MEMORY, paths={"standalone": replace(PEAKS, first_b=(80 * MB, 124 * MB))}),
    ]
    cells = [make_cell(build, record) for record in records]
    silent = make_cell("2.14.1-cuda", None, Outcome.SKIP, probe="cuda.stream")
    matrix = make_matrix(*cells, silent, make_cell("2.13.0-cpu", None, probe="gates.capability"))
    (section,) = TOPIC.show(matrix, TOPIC.find(matrix))
    (table,) = section.tables
    assert table.headers == ["check", "2.13.0-cuda", "2.14.1-cuda"]
    assert table.rows == [
        [Code("cuda.triton"), "✅ 4 of 4 are Triton's, off by 1e-07", ""],
        [Code("cuda.user_kernel"), "✅ ≈ 2 saved, off by 0", ""],
        [Code("cuda.graphs"), "✅ 4 replayed, 0 skipped, off by 1e-07", ""],
        [Code("cuda.max_autotune"), "✅ 1 compared, 1 templates, off by 0", ""],
        [Code("cuda.scaled_matmul"), "✅ not finite", ""],
        [
            Code("cuda.matmul_precision"),
            "✅ no TF32 (9.0e-07), eager no TF32 (9.0e-07); allowed in cuDNN",
            "",
        ],
        [Code("cuda.stream"), "✅ = off by 0; another stream would not be told apart", "⏭️"],
        [
            Code("cuda.fakes"),
            "✅ compiling 0 MB (reserved 0 MB), running 114 MB, inputs 16 MB",
            "",
        ],
        [
            Code("cuda.peak_memory"),
            "✅ standalone: compiling 124 MB, first call 80 MB to 124 MB, running 80 MB; inputs "
            "16 MB",
            "",
        ],
        [
            Code("kernels.launched"),
            "✅ paths: same kernels in other blocks, other bits; compile_fx runs 18, generates 4, "
            "in two processes same kernels in other blocks; standalone runs 18, generates 8, in "
            "two processes same launches",
            "",
        ],
    ]


def test_paths_that_allocate_are_named_with_their_builds() -> None:
    allocating = replace(FAKES, compiling_b=114 * MB)
    cells = [
        make_cell(build, allocating, Outcome.FAIL, params={"sizes": "single", "path": path})
        for build in ("2.12.1-cuda", "2.13.0-cuda")
        for path in ("aot", "donated")
    ]
    matrix = make_matrix(*cells)
    (sentence,) = TOPIC.say(matrix, TOPIC.find(matrix))
    assert sentence.text.endswith(": single-aot, single-donated on 2.12.1 cuda, 2.13.0 cuda.")
    assert sentence.cells == tuple(cell.id for cell in cells)


def test_differences_between_devices() -> None:
    found = Differences(
        differences=(
            Difference(
                subject="builtin",
                answer=AnswerId("a.one[x].needed"),
                cpu=False,
                gpu=True,
                twins=(TWINS, replace(TWINS, gpu=BuildId("2.13.0-cuda"), same_python=True)),
                cells=(),
            ),
            Difference(
                subject="vllm-0.33.0",
                answer=AnswerId("a.one[x].outcome"),
                cpu=Ending(outcome=Outcome.PASS),
                gpu=Ending(outcome=Outcome.FAIL, signature="AssertionError: <b>"),
                twins=(TWINS,),
                cells=(),
            ),
        ),
        twins=(TWINS,),
        alone=(BuildId("2.99-cuda"),),
    )
    (section,) = show_differences(found)
    mine = "local-mine cuda (under another Python)"
    assert section.tables[0].rows == [
        [Code("a.one[x].needed"), "no", "yes", f"2.13.0 cuda, {mine}"],
        [
            Code("vllm-0.33.0:a.one[x].outcome"),
            "pass",
            "fail: AssertionError: <b>",
            mine,
        ],
    ]
    told, alone = say_differences(found)
    assert told.text == (
        "2 answers of 1 checks differ. Compared: local-mine cuda with 2.13.0. "
        "Python is another one there than on local-mine cuda."
    )
    assert alone.text == "This run has no build on a CPU with the torch of 2.99 cuda."


def test_no_difference_is_said_and_nothing_compared_is_silent() -> None:
    (told,) = say_differences(Differences(differences=(), twins=(TWINS,), alone=()))
    assert told.text.startswith("No answer differs. Compared: local-mine cuda with 2.13.0.")
    assert list(say_differences(Differences(differences=(), twins=(), alone=()))) == []

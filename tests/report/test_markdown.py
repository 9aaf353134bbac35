from __future__ import annotations

import pytest

from compat.document.escape import code, inert, plain
from compat.findings.derive import derive
from compat.report.markdown import render
from compat.runs.model import Device, Outcome, Run, Status
from tests.conftest import make_build, make_cell, make_run

HOSTILE = "<script>alert(1)</script> | **x** `y` [z](http://e) \u202e\x1b[31m\n# head"


def small_run() -> Run:
    missing = make_build("nightly", status=Status.UNAVAILABLE, reason=HOSTILE, version="")
    cells = [
        make_cell(
            "2.13.0",
            "parity.outputs",
            outcome,
            params={"model": "mlp", "dtype": "float32", "batch": "static", "path": path},
            reason=HOSTILE if outcome is Outcome.FAIL else "",
            signature=HOSTILE if outcome is Outcome.FAIL else "",
            metrics={"digest": "1", "max_abs": 0.5, "max_rel": 0.5},
        )
        for path, outcome in (("eager", Outcome.PASS), ("aot", Outcome.FAIL))
    ]
    return make_run([make_build("2.13.0"), missing], cells)


def test_the_same_run_gives_the_same_bytes() -> None:
    assert render(small_run(), derive(small_run())) == render(small_run(), derive(small_run()))


def test_what_went_wrong_stands_with_the_command_that_repeats_it() -> None:
    text = render(small_run(), derive(small_run()))
    assert "**Unexpected: 1.**" in text
    repeat = "--builds ==2.13.0 --device cpu --depth full --fresh --probes"
    assert f"{repeat} 'parity.outputs[mlp-float32-static-aot]'" in text


def test_unknown_is_neither_pass_nor_unsupported() -> None:
    run = make_run(
        [make_build("2.13.0"), make_build("nightly")],
        [
            make_cell("2.13.0", "artifacts.reload", params={"kind": "aot"}),
            make_cell("nightly", "artifacts.reload", Outcome.NOT_RUN, params={"kind": "aot"}),
        ],
    )
    (row,) = [line for line in render(run, derive(run)).splitlines() if line.startswith("| aot")]
    assert [each.strip() for each in row.strip("|").split("|")] == ["aot", "✅", "❔"]


def test_text_from_a_run_stays_text() -> None:
    text = render(small_run(), derive(small_run()))
    assert "<script>" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n# head" not in text
    assert "](http://e)" not in text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a | b", "a \\| b"),
        ("two\nlines", "two lines"),
        ("<b>", "\\<b\\>"),
        ("@bob #1 GH-2 a @ b", "@\u200bbob \\#\u200b1 GH\\-\u200b2 a @ b"),
        ("x" * 500, "x" * 399 + "…"),
    ],
)
def test_plain(given: str, shown: str) -> None:
    assert plain(given) == shown


def test_code_cannot_be_left() -> None:
    assert code("a`b|c\nd") == "`a'b¦c d`"
    assert code("a\u202eb\x1b") == "`ab`"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("@bob, owner/name#1", "@\u200bbob, owner/name#\u200b1"),
        ("`a@b` ``c`@d``", "`a@b` ``c`@d``"),
        ("[x](https://e/compare/a...b)", "[x](https://e/compare/a...b)"),
        ("<!-- x -->", "<\u200b!-- x -->"),
        # None of these is code, or none may be.
        ("\\`@bob\\`", "\\`@\u200bbob\\`"),
        ("` | @bob `", "` | @\u200bbob `"),
        ("`\n\n@bob `", "`\n\n@\u200bbob `"),
        ("`` @bob `", "`` @\u200bbob `"),
    ],
)
def test_markdown_that_notifies_nobody(given: str, shown: str) -> None:
    assert inert(given) == shown


def test_compile_times_of_a_gpu() -> None:
    build = make_build("2.13.0", device=Device(kind="cuda", name="a GPU"))
    spread = {"median_s": 1.5, "min_s": 1.25, "max_s": 2.0, "repeats": 5}
    cells = [
        make_cell(
            "2.13.0", "cuda.compile_time", device="cuda", metrics={"donated": spread, "hits": 0}
        ),
        make_cell("2.13.0", "cuda.donation_memory", Outcome.UNSUPPORTED, device="cuda"),
    ]
    text = render(make_run([build], cells), derive(make_run([build], cells)))
    (row,) = [line for line in text.splitlines() if "1.25 to 2.00" in line]
    words = [each.strip() for each in row.strip("|").split("|")]
    assert words == ["**2.13.0 cuda**", "`donated`", "1.50", "1.25 to 2.00", "5"]
    assert "2.13.0 cuda** | ➖" in text

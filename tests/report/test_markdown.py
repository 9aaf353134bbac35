from __future__ import annotations

import pytest

from compat.document.escape import code, inert, plain
from compat.document.parts import Code, Table
from compat.report.markdown import render
from compat.report.shown import markdown_table
from compat.runs.ids import BuildId
from compat.runs.model import Outcome, Run, Status
from compat.topics.gates.records import Capability
from tests.conftest import make_build, make_cell, make_run
from tests.report.made import results

COMMITS = f"[x](https://github.com/pytorch/pytorch/compare/{'a' * 40}...{'b' * 40})"
HOSTILE = "<script>alert(1)</script> | **x** `y` [z](http://e) \u202e\x1b[31m\n# head"


def row(line: str) -> list[str]:
    return [each.strip() for each in line.strip("|").split("|")]


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
        )
        for path, outcome in (("eager", Outcome.PASS), ("aot", Outcome.FAIL))
    ]
    return make_run([make_build("2.13.0"), missing], cells)


def test_the_same_run_gives_the_same_bytes() -> None:
    assert render(results(small_run())) == render(results(small_run()))


def test_what_went_wrong_stands_with_the_command_that_repeats_it() -> None:
    text = render(results(small_run()))
    assert "2 unexpected on 1 build" in text
    repeat = "--builds ==2.13.0 --device cpu --depth full --fresh --probes"
    assert f"{repeat} 'parity.outputs[mlp-float32-static-aot]'" in text


def test_unknown_is_neither_pass_nor_unsupported() -> None:
    params = {"feature": "fake_mode"}
    there = Capability(gate=True, capability=True, floor="2.13", source="here")
    run = make_run(
        [make_build("2.13.0"), make_build("2.14.1")],
        [
            make_cell("2.13.0", "gates.capability", params=params, record=there),
            make_cell("2.14.1", "gates.capability", Outcome.NOT_RUN, params=params),
        ],
    )
    text = render(results(run))
    upgrade, gates = [line for line in text.splitlines() if line.startswith("| `fake_mode` |")]
    assert row(upgrade)[2:4] == ["❔", "**there**"]
    assert row(gates)[2:] == ["✅ used"]
    assert "❔ not known: 2.14.1." in text


def test_what_was_not_tested_stands_in_the_first_line() -> None:
    text = render(results(small_run()))
    first = text.splitlines()[2]
    assert "Not tested: nightly." in first


def test_text_from_a_run_stays_text() -> None:
    text = render(results(small_run()))
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
        ("x" * 5000, "x" * 3999 + "…"),
        ("https://github.com/o/r/issues/1", "https://\u200bgithub.com/o/r/issues/1"),
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
        (COMMITS, COMMITS),
        ("[x](https://e/compare/a...b)", "[x](https://\u200be/compare/a...b)"),
        ("see https://github.com/o/r/issues/1", "see https://\u200bgithub.com/o/r/issues/1"),
        ("<!-- x -->", "‹!-- x -->"),
        # HTML and autolinks would end behind what looks like code.
        ('<a title="`">@bob`', '‹a title="`">@bob`'),
        # None of these is code, or none may be.
        ("\\`@bob\\`", "\\`@\u200bbob\\`"),
        ("` | @bob `", "` | @\u200bbob `"),
        ("`\n\n@bob `", "`\n\n@\u200bbob `"),
        ("`` @bob `", "`` @\u200bbob `"),
    ],
)
def test_markdown_that_notifies_nobody(given: str, shown: str) -> None:
    assert inert(given) == shown


def table_of(*values: str) -> Table:
    builds = [BuildId(f"2.1{n}.0-cpu") for n in range(len(values))]
    return Table(headers=["path", "wanted", *builds], rows=[[Code("aot"), "no", *values]])


def test_a_table_that_fits_is_a_table() -> None:
    assert markdown_table(table_of("a", "a", "b")) == (
        "| path | wanted | 2.10.0 | 2.11.0 | 2.12.0 |\n|---|---|---|---|---|\n"
        "| `aot` | no | a | a | b |"
    )


def test_a_table_that_does_not_fit_is_a_list_by_what_builds_say() -> None:
    assert markdown_table(table_of("a" * 60, "a" * 60, "", "b")) == (
        f"- `aot`; wanted: no\n  - 2.10.0, 2.11.0: {'a' * 60}\n  - 2.13.0: b"
    )

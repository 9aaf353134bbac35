from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from compat.errors import UsageError
from compat.findings.answers import all_answers
from compat.findings.derive import derive
from compat.findings.expectations import (
    Expectation,
    Expectations,
    Scope,
    lies_in,
    load_expectations,
)
from compat.findings.model import ExpectationFinding, Findings, Use
from compat.runs.answers import Change
from compat.runs.model import Cell, Outcome, Run
from compat.topics.matrix import Matrix
from compat.topics.tracing_context.records import Needed
from tests.conftest import SOURCE, make_build, make_cell, make_run
from tests.findings.making import run_of, since
from tests.topics.parity.parity_cells import make_parity

ENTRY = """
[[expectation]]
probe = "a.outputs"
params = { model = "silent", path = ["standalone", "aot"] }
builds = ">=2.12,<2.13"
outcome = "error"
signature = "AssertionError: [sN] * @ torch.x"
reason = "It has no outputs."
link = "https://example.org/1"
review_by = 2026-12-31
"""
CONTROL = """
[[control]]
probe = "tracing_context.needed"
builds = "==2.10.*"
answers = { needed = true }
reason = "It crashes there."
"""


def cell(build: str = "2.12.1", model: str = "silent", path: str = "aot", **changes: Any) -> Cell:
    values: dict[str, Any] = {"signature": "AssertionError: [sN] no hint @ torch.x", **changes}
    params = {"model": model, "path": path}
    return make_cell(build, "a.outputs", Outcome.ERROR, params=params, **values)


def findings_of(folder: Path, text: str, *cells: Cell, day: str = "22") -> Findings:
    path = folder / "expectations.toml"
    path.write_text(text)
    builds = [
        make_build(name, device=device)
        for name, device in dict.fromkeys((each.build.name, each.build.device) for each in cells)
    ]
    source = replace(SOURCE, id=f"2026-12-{day}T050000.000Z")
    run: Run = replace(make_run(builds, list(cells)), sources=(source,))
    matrix = Matrix(run)
    return derive(matrix, all_answers(matrix), load_expectations(path))


def test_what_is_expected_turns_nothing_red(tmp_path: Path) -> None:
    good = make_cell("2.12.1", "a.b")
    findings = findings_of(tmp_path, ENTRY, cell(), good)
    assert findings.expected == (cell().id,)
    assert findings.unexpected == ()
    assert findings.expectations == (
        ExpectationFinding(
            probe="a.outputs",
            answer="",
            builds="<2.13,>=2.12",
            reason="It has no outputs.",
            link="https://example.org/1",
            review_by="2026-12-31",
            overdue=False,
            use=Use.USED,
            cells=(cell().id,),
        ),
    )


@pytest.mark.parametrize(
    "other",
    [
        cell(build="2.13.0"),
        cell(build="2.11.0"),
        cell(model="mlp"),
        cell(path="donated"),
        cell(signature="AssertionError: sN no hint @ torch.x"),
        replace(cell(), outcome=Outcome.FAIL),
    ],
)
def test_what_differs_in_anything_is_unexpected(other: Cell, tmp_path: Path) -> None:
    assert findings_of(tmp_path, ENTRY, other, make_cell("2.13.0", "a.b")).unexpected == (other.id,)


def test_nightlies_and_local_parts_lie_in_the_range_of_their_version(tmp_path: Path) -> None:
    nightly = cell(build="2.12.1.dev20260401")
    findings = findings_of(tmp_path, ENTRY, nightly, make_cell("2.12.1", "a.b"))
    assert findings.expected == (nightly.id,)


@pytest.mark.parametrize(
    ("builds", "version", "among"),
    [
        (">=2.12", "2.12.1", True),
        (">=2.12", "2.12.1.dev20260401", True),
        # Where nobody knows which version it is, only what is said of all is said of it.
        ("", "", True),
        (">=2.12", "", False),
        ("", "2.12.1", True),
    ],
)
def test_which_builds_lie_in_a_range(builds: str, version: str, among: bool) -> None:
    build = make_build("local-mine", channel="local", version=version)
    assert lies_in(build, SpecifierSet(builds)) is among


def test_an_entry_is_about_the_builtin_subject_unless_it_names_another(tmp_path: Path) -> None:
    mine, theirs = cell(), cell(subject="vllm-0.33.0")
    for text, expected, other in (
        (ENTRY, mine, theirs),
        (ENTRY + 'subject = "vllm-*"', theirs, mine),
    ):
        findings = findings_of(tmp_path, text, mine, theirs)
        assert (findings.expected, findings.unexpected) == ((expected.id,), (other.id,))
        assert findings.expectations[0].cells == (expected.id,)


def test_a_parameter_that_a_cell_does_not_have_is_empty(tmp_path: Path) -> None:
    without = replace(cell(), params={"model": "silent"})
    text = ENTRY.replace('["standalone", "aot"]', '""')
    assert findings_of(tmp_path, text, without, cell()).expected == (without.id,)


def test_an_entry_without_builds_params_or_signature_is_about_all(tmp_path: Path) -> None:
    text = "\n".join(
        each for each in ENTRY.splitlines() if each[:6] not in ("builds", "params", "signat")
    )
    cells = [cell(), cell(build="2.15.0", model="mlp", signature="ValueError: no")]
    findings = findings_of(tmp_path, text, *cells)
    assert findings.expected == tuple(each.id for each in cells)
    assert findings.expectations[0].builds == ""


def test_only_what_ends_badly_can_be_expected(tmp_path: Path) -> None:
    """Of one that passes the signature is empty, and ``*`` fits that as well."""
    text = ENTRY.replace("AssertionError: [sN] * @ torch.x", "*").replace('outcome = "error"', "")
    passing = replace(cell(), outcome=Outcome.PASS, signature="")
    (entry,) = findings_of(tmp_path, text, passing).expectations
    assert (entry.use, entry.cells) == (Use.UNUSED, ())
    assert findings_of(tmp_path, text, cell()).expected == (cell().id,)


def test_a_crash_and_a_hang_are_expected_by_how_they_ended(tmp_path: Path) -> None:
    text = ENTRY.replace('"error"', '"crash"').replace("AssertionError: [sN] * @ torch.x", "*SEGV")
    crash = replace(cell(), outcome=Outcome.CRASH, signature="", reason="killed by SIGSEGV")
    assert findings_of(tmp_path, text, crash).expected == (crash.id,)


def test_an_entry_that_nothing_needs_is_unused_and_one_that_was_not_asked_is_not(
    tmp_path: Path,
) -> None:
    passing = replace(cell(), outcome=Outcome.PASS, signature="")
    other, silent = make_cell("2.12.1", "a.b"), replace(cell(), outcome=Outcome.NOT_RUN)
    for cells, use in (
        ([passing], Use.UNUSED),
        ([other], Use.UNASKED),
        ([silent, other], Use.UNASKED),
    ):
        assert findings_of(tmp_path, ENTRY, *cells).expectations[0].use is use


def test_whether_an_entry_is_overdue_is_judged_by_the_day_of_the_run(tmp_path: Path) -> None:
    text = ENTRY.replace("2026-12-31", "2026-12-22")
    assert not findings_of(tmp_path, text, cell(), day="22").expectations[0].overdue
    assert findings_of(tmp_path, text, cell(), day="23").expectations[0].overdue


def needed(build: str, value: bool) -> Cell:
    record = Needed(needed=value, failure="")
    return make_cell(build, "tracing_context.needed", record=record)


def test_a_control_that_failed_makes_the_run_red_though_its_cell_passed(tmp_path: Path) -> None:
    findings = findings_of(tmp_path, CONTROL, needed("2.10.0", False), needed("2.11.0", False))
    (control,) = findings.failed_controls.items()
    assert control == ("tracing_context.needed@2.10.0-cpu", "It crashes there.")
    assert findings.unexpected == ("tracing_context.needed@2.10.0-cpu",)
    assert not findings_of(tmp_path, CONTROL, needed("2.10.0", True)).failed_controls


def test_a_control_may_have_to_end_otherwise_than_well(tmp_path: Path) -> None:
    text = CONTROL.replace("answers = { needed = true }", 'outcome = "crash"')
    crashed = make_cell("2.10.0", "tracing_context.needed", Outcome.CRASH)
    for seen, failed in ((crashed, False), (needed("2.10.0", True), True)):
        assert bool(findings_of(tmp_path, text, seen).failed_controls) is failed


def test_a_control_is_about_the_builtin_subject_unless_it_names_another(tmp_path: Path) -> None:
    theirs = replace(needed("2.10.0", False), subject="vllm-0.33.0")
    assert not findings_of(tmp_path, CONTROL, needed("2.10.0", True), theirs).failed_controls
    text = CONTROL + 'subject = "vllm-0.33.0"'
    findings = findings_of(tmp_path, text, needed("2.10.0", True), theirs)
    assert list(findings.failed_controls) == [theirs.id]
    well = replace(needed("2.10.0", True), subject="vllm-0.33.0")
    assert not findings_of(tmp_path, text, needed("2.10.0", False), well).failed_controls


def test_a_control_that_says_nothing_has_failed(tmp_path: Path) -> None:
    silent = make_cell("2.10.0", "tracing_context.needed")
    assert findings_of(tmp_path, CONTROL, silent).failed_controls
    assert findings_of(tmp_path, CONTROL.replace("needed = true", "typo = true"), silent)
    crashed = make_cell("2.10.0", "tracing_context.needed", Outcome.CRASH)
    assert findings_of(tmp_path, CONTROL, crashed).failed_controls


ANSWER = """
[[expectation]]
probe = "tracing_context.*"
answer = "need*"
builds = ">=2.16.0.dev"
reason = "It came back on purpose."
link = "https://example.org/1"
review_by = 2026-12-31
"""


def test_an_entry_about_an_answer_is_used_as_soon_as_somebody_gives_it(tmp_path: Path) -> None:
    def use(*cells: Cell) -> Use:
        (entry,) = findings_of(tmp_path, ANSWER, *cells).expectations
        assert entry.cells == ()
        assert entry.answer == "need*"
        return entry.use

    assert use(needed("2.16.0", False)) is Use.USED
    assert use(needed("2.15.0", True)) is Use.UNASKED
    crashed = make_cell("2.16.0", "tracing_context.needed", Outcome.CRASH)
    assert use(crashed) is Use.UNUSED
    # How a cell ends is not an answer that it is about.
    assert findings_of(tmp_path, ANSWER, crashed).unexpected == (crashed.id,)


def test_an_entry_may_be_about_one_device(tmp_path: Path) -> None:
    on_cpu, on_gpu = cell(), cell(device="cuda")
    text = ENTRY + 'device = "cuda"'
    assert findings_of(tmp_path, text, on_cpu, on_gpu).unexpected == (on_cpu.id,)
    assert findings_of(tmp_path, ENTRY, on_cpu, on_gpu).unexpected == ()


def test_an_entry_may_be_about_what_cells_say_together(tmp_path: Path) -> None:
    cells = [
        make_cell("2.16.0", "parity.outputs", params=params, record=make_parity())
        for params in (
            {"model": "mlp", "dtype": "float32", "batch": "static", "path": path}
            for path in ("compile_fx", "standalone")
        )
    ]
    text = ANSWER.replace("tracing_context.*", "parity.outputs").replace("need*", "same_bits")
    (entry,) = findings_of(tmp_path, text, *cells).expectations
    assert entry.use is Use.USED
    (entry,) = findings_of(tmp_path, text.replace("same_bits", "others"), *cells).expectations
    assert entry.use is Use.UNUSED


def together(digest: str, build: str = "2.16.0") -> list[Cell]:
    """Two paths, and what they computed to the last bit."""
    return [
        make_cell(
            build,
            "parity.outputs",
            params={"model": "mlp", "dtype": "float32", "batch": "static", "path": path},
            record=make_parity(digest=bits),
        )
        for path, bits in (("donated", "d"), ("standalone", digest))
    ]


@pytest.mark.parametrize(
    ("changed", "known"),
    [
        ({}, True),
        ({"probe": "parity.*"}, True),
        ({"answer": "same_*"}, True),
        ({"probe": "parity.other"}, False),
        ({"answer": "other"}, False),
        ({"builds": "<2.16"}, False),
        ({"subject": "vllm-*"}, False),
        ({"device": "cuda"}, False),
        # Of which of the cells it is said nobody knows.
        ({"params": {"path": "standalone"}}, False),
    ],
)
def test_a_loss_of_what_cells_say_together_is_known_where_it_is_said_of_all(
    changed: dict[str, Any], known: bool
) -> None:
    values = {"probe": "parity.outputs", "answer": "same_bits", "builds": ">=2.16.0.dev"} | changed
    scope = Scope(
        probe=values["probe"],
        params={name: (value,) for name, value in values.get("params", {}).items()},
        builds=SpecifierSet(values["builds"]),
        subject=values.get("subject", "builtin"),
        device=values.get("device", ""),
    )
    entry = Expectation(
        scope=scope,
        answer=values["answer"],
        outcome=None,
        signature="",
        reason="It came back on purpose.",
        link="https://example.org/1",
        review_by=date(2026, 12, 31),
    )
    expectations = Expectations(known=(entry,))
    before, now = run_of(20, *together("d")), run_of(21, *together("e"))
    (group,) = since(before, now, expectations=expectations).groups
    assert (group.about, group.change, group.expected) == (
        "parity.outputs.same_bits",
        Change.LOST,
        known,
    )
    # Of a build that a run does not have nothing is known.
    (difference,) = group.differences
    elsewhere = Matrix(run_of(21, *together("e", build="2.17.0")))
    assert not expectations.explain(elsewhere, difference)
    assert expectations.explain(Matrix(now), difference) is known


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (ENTRY + 'device = "tpu"', "expected one of cpu, cuda as 'device', not 'tpu'"),
        ("[[expectation", "cannot read"),
        ("[[expected]]", r"\[\[expectation\]\] and \[\[control\]\] only, not expected"),
        ("a = 1\nb = 2", "only, not a, b$"),
        ("expectation = 1", r"expected tables, \[\[expectation\]\]"),
        ("expectation = [1]", r"expected tables, \[\[expectation\]\]"),
        ("[control]", r"expected tables, \[\[control\]\]"),
        (ENTRY.replace("2026-12-31", '"soon"'), "expectation 1: .* 'review_by', not 'soon'"),
        (ENTRY.replace(">=2.12,<2.13", "2.12"), "'builds', not '2.12'"),
        (ENTRY.replace("2026-12-31", "2026-12-31T00:00:00"), "expected a day .* 'review_by'"),
        (ENTRY.replace("review_by", "review"), "expected a day .* 'review_by', not None"),
        (
            ENTRY.replace('"error"', '"pass"'),
            "one of fail, error, crash, timeout, not-run as 'outcome', not 'pass'",
        ),
        (
            CONTROL + 'outcome = "well"',
            "one of pass, fail, error, crash, timeout, unsupported, skip, not-run as 'outcome'",
        ),
        (ENTRY.replace("link", "url"), "expected a text as 'link', not None"),
        (ENTRY.replace('"https://example.org/1"', '""'), "expected a text as 'link', not ''"),
        (ENTRY + "subject = 1", "expected a text as 'subject', not 1"),
        (ENTRY.replace("probe", "probes"), "expected a text as 'probe'"),
        (ENTRY.replace("reason", "why"), "expected a text as 'reason'"),
        (ENTRY + "note = 1\nmore = 2", "expectation 1: unknown 'note', 'more'$"),
        (CONTROL + ENTRY + "note = 1", "expectation 1: unknown 'note'"),
        (ENTRY + ENTRY + "note = 1", "expectation 2: unknown 'note'"),
        (ENTRY.replace('"silent"', "1"), "'model' in 'params', not 1"),
        (
            "\n".join(
                each for each in ENTRY.splitlines() if each[:7] not in ("outcome", "signatu")
            ),
            "expectation 1: expected an 'outcome' or a 'signature', or else an 'answer'$",
        ),
        (ENTRY + 'answer = "copies"', "or else an 'answer'"),
        (CONTROL.replace("{ needed = true }", "1"), "control 1: expected a table as 'answers'"),
        (CONTROL.replace("answers", "metrics"), "control 1: unknown 'metrics'"),
        (CONTROL.replace("reason", "why"), "control 1: expected a text as 'reason'"),
        (CONTROL + "params = 1", "control 1: expected a table as 'params', not 1"),
    ],
)
def test_a_bad_entry_is_refused_in_one_line(text: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=named) as caught:
        load_expectations(path)
    assert "expectations.toml" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_the_projects_own_file_can_be_read() -> None:
    expectations = load_expectations()
    assert expectations.known
    assert expectations.controls

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compat.findings.derive import derive
from compat.findings.model import Agreement, Answer, Verdict
from compat.runs.model import Attempt, Cell, Outcome, Run, Status
from tests.conftest import make_build, make_cell, make_run

FLOOR = "2.13.0.dev"


def gate_cell(build: str, gate: bool, capability: bool) -> Cell:
    return make_cell(
        build,
        "gates.capability",
        Outcome.FAIL if gate and not capability else Outcome.PASS,
        params={"feature": "donate_graph_module"},
        metrics={"gate": gate, "capability": capability, "floor": FLOOR, "source": "vllm#39733"},
    )


def gates_run(answers: Mapping[str, tuple[bool, bool] | None]) -> Run:
    builds = [
        make_build(name, status=Status.UNAVAILABLE if answer is None else Status.OK)
        for name, answer in answers.items()
    ]
    feature = {"feature": "donate_graph_module"}
    cells = [
        make_cell(name, "gates.capability", Outcome.NOT_RUN, params=feature)
        if answer is None
        else gate_cell(name, *answer)
        for name, answer in answers.items()
    ]
    return make_run(builds, cells)


def test_every_way_in_which_gate_and_build_relate() -> None:
    findings = derive(
        gates_run(
            {
                "2.11.0": (False, False),
                "2.12.1": (False, True),
                "2.13.0": (True, True),
                "2.14.1": (True, False),
                "nightly": None,
            }
        )
    )
    (gate,) = findings.gates
    assert list(gate.verdicts.values()) == [
        Verdict.ABSENT,
        Verdict.MISSED,
        Verdict.USED,
        Verdict.BROKEN,
        Verdict.UNKNOWN,
    ]
    assert (gate.gate, gate.available_since, gate.absent_until) == (FLOOR, "2.12.1", "2.11.0")
    titles = {sentence.title: sentence for sentence in findings.sentences}
    late = titles["donate_graph_module: the gate opens late"]
    assert "2.12.1 had the feature" in late.text
    assert late.cells == ("gates.capability[donate_graph_module]@2.12.1-cpu",)
    early = titles["donate_graph_module: the gate opens too early"]
    assert "2.14.1 did not have" in early.text
    assert findings.unexpected == ("gates.capability[donate_graph_module]@2.14.1-cpu",)


def test_a_gate_that_is_right_is_not_talked_about() -> None:
    findings = derive(gates_run({"2.12.1": (False, False), "2.13.0": (True, True)}))
    assert findings.sentences == ()


def needed_cell(build: str, needed: bool | None) -> Cell:
    if needed is None:
        return make_cell(build, "tracing_context.needed", Outcome.CRASH, params={"batch": "static"})
    return make_cell(
        build,
        "tracing_context.needed",
        params={"batch": "static"},
        metrics={"needed": needed, "failure": "AssertionError: modes" if needed else ""},
    )


def context_run(answers: Mapping[str, bool | None], tls: Outcome = Outcome.PASS) -> Run:
    builds = [make_build(name) for name in answers]
    cells = [needed_cell(name, answer) for name, answer in answers.items()]
    cells += [
        make_cell(name, "tracing_context.strategy", tls, params={"strategy": "tls"})
        for name in answers
    ]
    return make_run(builds, cells)


def test_a_workaround_can_go_from_the_first_build_after_the_last_that_needs_it() -> None:
    findings = derive(
        context_run({"2.10.0": True, "2.11.0": False, "2.12.1": None, "2.13.0": False})
    )
    (workaround,) = findings.workarounds
    assert list(workaround.needed.values()) == [Answer.YES, Answer.NO, Answer.UNKNOWN, Answer.NO]
    assert workaround.control == "2.10.0"
    assert workaround.deletable_from == "2.11.0"
    assert workaround.failures == {"2.10.0": "AssertionError: modes"}
    assert set(workaround.works["tls"].values()) == {Answer.YES}


def test_a_workaround_that_comes_back_is_not_deletable() -> None:
    (workaround,) = derive(
        context_run({"2.10.0": True, "2.11.0": False, "2.13.0": True})
    ).workarounds
    assert workaround.deletable_from is None


def test_not_needed_without_a_control_promises_nothing() -> None:
    findings = derive(context_run({"2.11.0": False, "2.13.0": False}))
    (workaround,) = findings.workarounds
    assert workaround.deletable_from is None
    assert findings.sentences[0].title == "tracing context: no control in this run"


def test_a_strategy_that_fails_is_named() -> None:
    findings = derive(context_run({"2.10.0": True, "2.11.0": False}, tls=Outcome.ERROR))
    (workaround,) = findings.workarounds
    assert set(workaround.works["tls"].values()) == {Answer.NO}
    assert "tls on 2.10.0, tls on 2.11.0" in findings.sentences[0].text


def test_a_way_that_was_not_tried_is_not_said_to_work() -> None:
    builds = [make_build("2.10.0"), make_build("2.11.0")]
    cells = [needed_cell("2.10.0", True), needed_cell("2.11.0", False)]
    (sentence,) = derive(make_run(builds, cells)).sentences
    assert sentence.text.endswith("No way of doing it was tried in this run.")


def parity_cell(path: str, digest: str, outcome: Outcome = Outcome.PASS) -> Cell:
    return make_cell(
        "2.13.0",
        "parity.outputs",
        outcome,
        params={"model": "mlp", "dtype": "float32", "batch": "static", "path": path},
        metrics={"digest": digest, "max_abs": 1e-6, "max_rel": 1e-5},
    )


def agreement(*cells: Cell) -> Agreement:
    (finding,) = derive(make_run([make_build("2.13.0")], list(cells))).parity
    return finding.agreement


def test_how_paths_relate() -> None:
    eager = parity_cell("eager", "e")
    one, same, other = (parity_cell(p, d) for p, d in (("a", "1"), ("b", "1"), ("c", "2")))
    absent = parity_cell("donated", "", Outcome.UNSUPPORTED)
    assert agreement(eager, one, same, absent) is Agreement.BITWISE
    assert agreement(eager, one, other) is Agreement.CLOSE
    assert agreement(eager, one, parity_cell("c", "2", Outcome.FAIL)) is Agreement.DIFFER
    assert agreement(eager, one, parity_cell("c", "2", Outcome.CRASH)) is Agreement.UNKNOWN
    assert agreement(eager, absent) is Agreement.UNKNOWN


def test_noise_within_a_path_is_told_from_noise_between_paths() -> None:
    def cell(path: str, digest: str, repeats: bool | None) -> Cell:
        seen = {} if repeats is None else {"repeats_bitwise": repeats}
        plain = parity_cell(path, digest)
        return replace(plain, metrics={**plain.metrics, **seen})

    def text(*cells: Cell) -> tuple[Answer, str]:
        findings = derive(make_run([make_build("2.13.0")], [parity_cell("eager", "e"), *cells]))
        return findings.parity[0].repeats, findings.sentences[-1].text

    repeats, said = text(cell("a", "1", True), cell("b", "2", True))
    assert repeats is Answer.YES
    assert "each gives its own bits once more in 1 of 1." in said
    repeats, said = text(cell("a", "1", True), cell("b", "2", False))
    assert repeats is Answer.NO
    assert "each gives its own bits once more in 0 of 1." in said
    repeats, said = text(cell("a", "1", True), cell("b", "2", None))
    assert repeats is Answer.UNKNOWN
    assert "once more" not in said


def test_the_surface_changes_between_neighbours_that_were_asked() -> None:
    def cell(build: str, signature: str | None) -> Cell:
        return make_cell(
            build,
            "surface.name",
            Outcome.PASS if signature else Outcome.FAIL,
            params={"name": "torch._guards:tracing"},
            metrics={"signature": signature} if signature else {},
        )

    builds = [make_build(name) for name in ("2.10.0", "2.11.0", "2.12.1", "2.13.0")]
    cells = [
        cell("2.10.0", "function(context)"),
        make_cell(
            "2.11.0", "surface.name", Outcome.CRASH, params={"name": "torch._guards:tracing"}
        ),
        cell("2.12.1", "function(context, strict)"),
        cell("2.13.0", None),
    ]
    changes = derive(make_run(builds, cells)).surface
    assert [(each.before, each.after, each.became) for each in changes] == [
        ("2.10.0", "2.12.1", "function(context, strict)"),
        ("2.12.1", "2.13.0", "gone"),
    ]


def test_what_turns_a_run_red() -> None:
    broken = make_build("2.14.1", status=Status.BROKEN, reason="import failed")
    missing = make_build("nightly", status=Status.UNAVAILABLE, reason="no answer")
    cells = [
        make_cell("2.13.0", "a.good"),
        make_cell("2.13.0", "a.bad", Outcome.FAIL),
        make_cell("2.13.0", "a.gone", Outcome.CRASH),
        make_cell("2.13.0", "a.absent", Outcome.UNSUPPORTED),
        make_cell("nightly", "a.good", Outcome.NOT_RUN),
    ]
    findings = derive(make_run([make_build("2.13.0"), broken, missing], cells))
    assert findings.unexpected == ("build 2.14.1", "a.bad@2.13.0-cpu", "a.gone@2.13.0-cpu")


def test_a_run_that_saw_nothing_is_not_green() -> None:
    missing = make_build("nightly", status=Status.UNAVAILABLE, reason="no answer")
    assert derive(make_run([missing], [])).unexpected == ("the run: not one cell passed",)


def test_donation_says_how_many_copies_it_saves() -> None:
    cells = [
        make_cell("2.13.0", "donation.copies", params={"path": path}, metrics={"copies": copies})
        for path, copies in (("standalone", 1), ("donated", 0))
    ]
    (sentence,) = derive(make_run([make_build("2.13.0")], cells)).sentences
    assert sentence.title == "donation: 1 → 0 copies of the graph"
    assert "on 2.13.0" in sentence.text


def test_a_cell_that_could_not_be_run_in_a_build_that_was_is_unexpected() -> None:
    cells = [make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.c", Outcome.NOT_RUN)]
    assert derive(make_run([make_build("2.13.0")], cells)).unexpected == ("a.c@2.13.0-cpu",)


def time_cell(build: str, nodes: str, interval: list[float] | None, measurable: bool) -> Cell:
    metrics = {
        "copy_s": 0.035,
        "compile_s": 5.2,
        "interval_s": interval,
        "measurable": measurable,
    }
    return make_cell(build, "donation_cost.time", params={"nodes": nodes}, metrics=metrics)


def test_what_donation_saves_is_said_of_the_newest_build_that_has_it() -> None:
    cells = [
        time_cell("2.13.0", "100", [0.1, 0.2], True),
        time_cell("2.14.1", "100", [-0.1, 0.2], False),
        time_cell("2.14.1", "1000", [0.1, 0.2], True),
        time_cell("2.14.1", "5000", None, False),
        make_cell(
            "2.14.1",
            "donation_cost.memory",
            metrics={"kept_mb": 275, "donated_mb": 18, "buffer_mb": 256},
        ),
        make_cell("2.15.0", "donation_cost.memory", Outcome.FAIL),
    ]
    builds = [make_build(name) for name in ("2.13.0", "2.14.1", "2.15.0")]
    (said,) = (each for each in derive(make_run(builds, cells)).sentences if "saves" in each.title)
    assert said.title == "donation: what it saves on 2.14.1"
    assert said.cells == tuple(cell.id for cell in cells[1:5])
    assert "100 nodes takes 0.035 s; compiling it, 5.2 s, shows no measurable" in said.text
    assert "1000 nodes takes 0.035 s; compiling it, 5.2 s, gets shorter by 0.1 to" in said.text
    assert "5000 nodes takes 0.035 s, compiling it 5.2 s." in said.text
    assert "raises the peak memory by 275 MB, and by 18 MB when it is donated." in said.text


def test_a_cell_with_two_outcomes_is_flaky_and_the_second_one_counts() -> None:
    cells = [
        make_cell("2.13.0", "a.b", first=Attempt(outcome=Outcome.CRASH)),
        make_cell("2.13.0", "a.c", Outcome.CRASH, first=Attempt(outcome=Outcome.CRASH)),
    ]
    findings = derive(make_run([make_build("2.13.0")], cells))
    assert findings.flaky == ("a.b@2.13.0-cpu",)
    assert findings.unexpected == ("a.c@2.13.0-cpu",)


def afterwards(build: str, use: str, works: bool, works_before: bool = True) -> Cell:
    params = {"use": use, "output": "tuple", "flag": "donated"}
    metrics = {"works": works, "works_before": works_before, "failure": "" if works else "boom"}
    return make_cell(build, "donation.afterwards", params=params, metrics=metrics)


def test_what_may_be_done_with_a_donated_graph() -> None:
    cells = [
        afterwards("2.12.1", "call", True),
        afterwards("2.12.1", "pickle", False),
        afterwards("2.13.0", "call", True),
        afterwards("2.13.0", "pickle", False),
        afterwards("2.14.1", "call", True),
        afterwards("2.14.1", "deepcopy", False, works_before=False),
    ]
    builds = [make_build(name) for name in ("2.12.1", "2.13.0", "2.14.1")]
    older, newer = (
        each for each in derive(make_run(builds, cells)).sentences if "afterwards" in each.title
    )
    assert older.title == "donation: the graph afterwards on 2.12.1, 2.13.0"
    assert older.text.startswith("What still works with a graph that was donated: call. ")
    assert older.text.endswith("What no longer does: pickle.")
    assert older.cells == tuple(cell.id for cell in cells[:4])
    assert newer.text.endswith("What no longer does: nothing of what was tried.")


def test_what_is_skipped_is_said_with_its_reason() -> None:
    skipped = make_cell("2.13.0", "a.b", Outcome.SKIP, reason="torch sees no CUDA device")
    findings = derive(make_run([make_build("2.13.0")], [make_cell("2.13.0", "a.c"), skipped]))
    (said,) = findings.sentences
    assert (said.text, said.cells) == ("torch sees no CUDA device.", (skipped.id,))
    assert findings.unexpected == ()

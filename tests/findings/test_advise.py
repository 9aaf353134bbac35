"""What a range of versions allows, and what is not claimed where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from compat.findings.advise import advise
from compat.findings.expectations import NONE
from compat.findings.results import results_of
from compat.runs.history import EMPTY
from compat.runs.ids import BuildId
from compat.runs.model import Build, Cell, Outcome, Status
from compat.topics.gates.records import Capability
from compat.topics.stand_in.records import Needs
from compat.topics.topic import Advice, AdviceKind
from compat.topics.tracing_context.records import Needed
from tests.conftest import make_build, make_cell, make_run


def advised(cells: Sequence[Cell], among: Sequence[str], *more: Build) -> list[Advice]:
    """On a CPU, for a downstream that supports these versions."""
    names = dict.fromkeys(cell.build.name for cell in cells)
    run = make_run([*map(make_build, names), *more], list(cells))
    results = results_of(run, EMPTY, NONE)
    return advise(results, [build for build in run.builds if build.id.name in among])


def gates(answers: Mapping[str, tuple[bool, bool] | None]) -> list[Cell]:
    """By build: whether the gate is open, and whether the build has the feature."""
    return [
        make_cell(
            build,
            "gates.capability",
            Outcome.PASS if answer else Outcome.CRASH,
            params={"feature": "aot"},
            record=Capability(gate=answer[0], capability=answer[1], floor="2.13.0", source="")
            if answer
            else None,
        )
        for build, answer in answers.items()
    ]


@pytest.mark.parametrize(
    ("answers", "kind", "text"),
    [
        (
            {"2.12.1": (False, True), "2.13.0": (True, True)},
            AdviceKind.GATE_CAN_GO,
            "pass it always",
        ),
        (
            {"2.11.0": (False, False), "2.12.1": (False, True), "2.13.0": (True, True)},
            AdviceKind.GATE_CAN_MOVE,
            "The gate can open at 2.12.1",
        ),
        (
            {"2.11.0": (False, True), "2.12.1": (False, False), "2.13.0": (True, True)},
            AdviceKind.GATE_CAN_MOVE,
            "the feature is on 2.11.0, 2.13.0, and not on 2.12.1",
        ),
        (
            {"2.12.1": (False, False), "2.13.0": (True, True)},
            AdviceKind.STILL_NEEDED,
            "which is right",
        ),
        (
            {"2.12.1": (False, True), "2.13.0": (True, False)},
            AdviceKind.BREAKS,
            "the feature is not there on 2.13.0",
        ),
        (
            {"2.12.1": (False, True), "2.13.0": None},
            AdviceKind.UNKNOWN,
            "Nothing is known of 2.13.0",
        ),
    ],
)
def test_gates(
    answers: Mapping[str, tuple[bool, bool] | None], kind: AdviceKind, text: str
) -> None:
    cells = gates(answers)
    (advice,) = [each for each in advised(cells, list(answers)) if "gate of" in each.about]
    assert advice.kind is kind
    assert text in advice.text
    assert advice.cells == tuple(cell.id for cell in cells)


def needed(build: str, answer: bool | None) -> Cell:
    record = None if answer is None else Needed(needed=answer, failure="")
    outcome = Outcome.CRASH if answer is None else Outcome.PASS
    return make_cell(build, "tracing_context.needed", outcome, record=record)


@pytest.mark.parametrize(
    ("answers", "among", "kind"),
    [
        ({"2.10.0": True, "2.11.0": False}, ["2.11.0"], AdviceKind.CAN_GO),
        ({"2.10.0": True, "2.11.0": False}, ["2.10.0", "2.11.0"], AdviceKind.STILL_NEEDED),
        ({"2.11.0": False, "2.12.1": False}, ["2.11.0"], AdviceKind.UNKNOWN),
        (
            {"2.10.0": True, "2.11.0": False, "2.12.1": None},
            ["2.11.0", "2.12.1"],
            AdviceKind.UNKNOWN,
        ),
        # A candidate that needs it again takes back what the releases before it allowed.
        ({"2.10.0": True, "2.15.0": False, "2.16.0": True}, ["2.15.0"], AdviceKind.STILL_NEEDED),
    ],
)
def test_the_tracing_context(
    answers: Mapping[str, bool | None], among: Sequence[str], kind: AdviceKind
) -> None:
    cells = [needed(build, answer) for build, answer in answers.items()]
    (advice,) = [each for each in advised(cells, among) if "context" in each.about]
    assert advice.kind is kind


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (True, AdviceKind.STILL_NEEDED),
        (False, AdviceKind.CAN_GO),
        (None, AdviceKind.UNKNOWN),
    ],
)
def test_members_of_the_stand_in(answer: bool | None, kind: AdviceKind) -> None:
    record = None if answer is None else Needs(needed=answer, read=answer, failure="")
    outcome = Outcome.TIMEOUT if answer is None else Outcome.PASS
    cell = make_cell(
        "2.13.0", "shape_env.needs", outcome, params={"member": "guards"}, record=record
    )
    (advice,) = [each for each in advised([cell], ["2.13.0"]) if "guards" in each.about]
    assert advice.kind is kind


def test_what_breaks_is_grouped_by_signature() -> None:
    broken = make_build("2.14.1", status=Status.BROKEN, reason="could not be imported")
    cells = [
        make_cell(build, check, Outcome.FAIL, signature="AssertionError: no")
        for build in ("2.12.1", "2.13.0")
        for check in ("a.b", "a.c")
    ]
    advice = advised(cells, ["2.13.0", "2.14.1"], broken)
    found = {each.about: len(each.cells) for each in advice if each.kind is AdviceKind.BREAKS}
    assert found == {"build 2.14.1": 0, "AssertionError: no": 2}


def test_what_a_build_of_another_device_says_is_told_as_such() -> None:
    """The feature is there on 2.12.1's CPU and not on its GPU: no build opens the gate for both."""
    cpu = gates({"2.11.0": (False, False), "2.12.1": (False, True), "2.13.0": (True, True)})
    gpu = [
        replace(cell, build=BuildId.of(cell.build.name, "cuda"))
        for cell in gates({"2.12.1": (False, False), "2.13.0": (True, True)})
    ]
    cells = [*cpu, *gpu]
    builds = [make_build(cell.build.name, device=cell.build.device) for cell in cells]
    results = results_of(make_run(builds, cells), EMPTY, NONE)
    (advice,) = [each for each in advise(results, builds) if "gate of" in each.about]
    assert advice.kind is AdviceKind.GATE_CAN_MOVE
    assert "and not on 2.11.0, 2.12.1 cuda" in advice.text


def test_what_is_not_known_on_a_gpu_blocks_no_answer_on_a_cpu() -> None:
    """Nothing on a GPU is known to need it, so nothing shows that the probe would see it there."""
    cpu = [needed("2.10.0", answer=True), needed("2.13.0", answer=False)]
    gpu = [replace(needed("2.13.0", answer=False), build=BuildId.of("2.13.0", "cuda"))]
    cells = [*cpu, *gpu]
    builds = [make_build(cell.build.name, device=cell.build.device) for cell in cells]
    results = results_of(make_run(builds, cells), EMPTY, NONE)
    among = [build for build in builds if build.id.name == "2.13.0"]
    (advice,) = [each for each in advise(results, among) if "context" in each.about]
    assert advice.kind is AdviceKind.CAN_GO
    assert advice.text.startswith("On a CPU: None of these builds needs it.")
    assert "On a GPU that is not known: 2.13.0 cuda work without it" in advice.text
    assert {cell.build for cell in advice.cells} == {build.id for build in builds}


def test_what_no_device_knows_stays_unknown() -> None:
    gpu = [replace(needed("2.13.0", answer=None), build=BuildId.of("2.13.0", "cuda"))]
    cells = [needed("2.10.0", answer=True), needed("2.13.0", answer=None), *gpu]
    builds = [make_build(cell.build.name, device=cell.build.device) for cell in cells]
    results = results_of(make_run(builds, cells), EMPTY, NONE)
    (advice,) = [each for each in advise(results, builds[1:]) if "context" in each.about]
    assert advice.kind is AdviceKind.UNKNOWN


def test_a_build_that_was_asked_much_less_blocks_no_answer() -> None:
    """2.13.1 was asked of its gates alone; 2.13.0 was asked all."""
    asked = [needed("2.10.0", answer=True), needed("2.13.0", answer=False)]
    more = gates({"2.13.0": (True, True), "2.13.1": (True, True)})
    more += [
        make_cell("2.13.0", "surface.name", params={"name": name}) for name in ("one", "another")
    ]
    (advice,) = [
        each for each in advised([*asked, *more], ["2.13.0", "2.13.1"]) if "context" in each.about
    ]
    assert advice.kind is AdviceKind.CAN_GO
    assert advice.text.endswith("Not known of 2.13.1: asked less.")


def test_a_build_of_a_subject_alone_is_not_asked_what_the_builtin_interface_answers() -> None:
    other = replace(
        make_cell("2.14.0", "subject.compiled", params={"place": "inside"}), subject="vllm-0.33.0"
    )
    cells = [needed("2.10.0", answer=True), needed("2.13.0", answer=False), other]
    (advice,) = [each for each in advised(cells, ["2.13.0", "2.14.0"]) if "context" in each.about]
    assert advice.kind is AdviceKind.CAN_GO

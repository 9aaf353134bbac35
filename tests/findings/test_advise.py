"""What a range of versions allows, and what is not claimed where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from compat.findings.advise import Advice, Kind, advise
from compat.findings.derive import derive
from compat.runs.model import Build, Cell, Outcome, Status
from tests.conftest import make_build, make_cell, make_run


def advised(cells: Sequence[Cell], among: Sequence[str], *more: Build) -> list[Advice]:
    names = dict.fromkeys(cell.build for cell in cells)
    run = make_run([*map(make_build, names), *more], list(cells))
    builds = [build for build in run.builds if build.id in among]
    return advise(run, derive(run), builds)


def gates(answers: Mapping[str, tuple[bool, bool] | None]) -> list[Cell]:
    """By build: whether the gate is open, and whether the build has the feature."""
    return [
        make_cell(
            build,
            "gates.capability",
            Outcome.PASS if answer else Outcome.CRASH,
            params={"feature": "aot"},
            metrics={"gate": answer[0], "capability": answer[1], "floor": "2.13.0", "source": ""}
            if answer
            else {},
        )
        for build, answer in answers.items()
    ]


@pytest.mark.parametrize(
    ("answers", "kind", "text"),
    [
        ({"2.12.1": (False, True), "2.13.0": (True, True)}, Kind.GATE_CAN_GO, "pass it always"),
        (
            {"2.11.0": (False, False), "2.12.1": (False, True), "2.13.0": (True, True)},
            Kind.GATE_CAN_MOVE,
            "from 2.12.1 on, and is not there on 2.11.0",
        ),
        (
            {"2.11.0": (False, True), "2.12.1": (False, False), "2.13.0": (True, True)},
            Kind.GATE_CAN_MOVE,
            "It is there on 2.11.0, 2.13.0, and not on 2.12.1",
        ),
        ({"2.12.1": (False, False), "2.13.0": (True, True)}, Kind.STILL_NEEDED, "right"),
        ({"2.12.1": (False, True), "2.13.0": (True, False)}, Kind.BREAKS, "not there on 2.13.0"),
        ({"2.12.1": (False, True), "2.13.0": None}, Kind.UNKNOWN, "Nothing is known of 2.13.0"),
    ],
)
def test_gates(answers: Mapping[str, tuple[bool, bool] | None], kind: Kind, text: str) -> None:
    cells = gates(answers)
    (advice,) = [each for each in advised(cells, list(answers)) if "gate of" in each.about]
    assert advice.kind is kind
    assert text in advice.text
    assert advice.cells == tuple(cell.id for cell in cells)


def needed(build: str, answer: bool | None) -> Cell:
    metrics = {} if answer is None else {"needed": answer, "failure": ""}
    outcome = Outcome.CRASH if answer is None else Outcome.PASS
    return make_cell(build, "tracing_context.needed", outcome, metrics=metrics)


@pytest.mark.parametrize(
    ("answers", "among", "kind"),
    [
        ({"2.10.0": True, "2.11.0": False}, ["2.11.0"], Kind.CAN_GO),
        ({"2.10.0": True, "2.11.0": False}, ["2.10.0", "2.11.0"], Kind.STILL_NEEDED),
        ({"2.11.0": False, "2.12.1": False}, ["2.11.0"], Kind.UNKNOWN),
        ({"2.10.0": True, "2.11.0": False, "2.12.1": None}, ["2.11.0", "2.12.1"], Kind.UNKNOWN),
    ],
)
def test_the_tracing_context(
    answers: Mapping[str, bool | None], among: Sequence[str], kind: Kind
) -> None:
    cells = [needed(build, answer) for build, answer in answers.items()]
    (advice,) = [each for each in advised(cells, among) if "context" in each.about]
    assert advice.kind is kind
    # That a workaround can go is said by what does not need it, and by what does.
    assert (needed("2.10.0", True).id in advice.cells) == (
        "2.10.0" in answers and kind in {Kind.CAN_GO, Kind.STILL_NEEDED}
    )


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Outcome.PASS, Kind.CAN_GO),
        (Outcome.UNSUPPORTED, Kind.STILL_NEEDED),
        (Outcome.FAIL, Kind.UNKNOWN),
        (Outcome.NOT_RUN, Kind.UNKNOWN),
    ],
)
def test_the_patch_of_the_fake_mode(outcome: Outcome, kind: Kind) -> None:
    cells = [
        make_cell(build, "gates.shared_fake_mode", each, params={"way": "argument"})
        for build, each in (("2.12.1", outcome), ("2.13.0", Outcome.PASS))
    ]
    (advice,) = [each for each in advised(cells, ["2.12.1", "2.13.0"]) if "patch" in each.about]
    assert advice.kind is kind


@pytest.mark.parametrize(
    ("answer", "kind"), [(True, Kind.STILL_NEEDED), (False, Kind.CAN_GO), (None, Kind.UNKNOWN)]
)
def test_members_of_the_stand_in(answer: bool | None, kind: Kind) -> None:
    metrics = {} if answer is None else {"needed": answer, "read": answer}
    outcome = Outcome.TIMEOUT if answer is None else Outcome.PASS
    cell = make_cell(
        "2.13.0", "shape_env.needs", outcome, params={"member": "guards"}, metrics=metrics
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
    assert {each.about: (each.kind, len(each.cells)) for each in advice} == {
        "build 2.14.1": (Kind.BREAKS, 0),
        "AssertionError: no": (Kind.BREAKS, 2),
    }

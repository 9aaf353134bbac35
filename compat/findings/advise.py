"""What a downstream that supports a range of versions can change, as far as the cells say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from packaging.specifiers import SpecifierSet

from compat.findings.expectations import lies_in
from compat.findings.gates import PROBE as CAPABILITY
from compat.findings.lookup import cells_of, is_on, metric
from compat.findings.model import Answer, Findings, GateFinding, Verdict, WorkaroundFinding
from compat.findings.workarounds import FAKE_MODE, NEEDED
from compat.runs.failures import BAD, signature_of_cell
from compat.runs.model import Build, Cell, Outcome, Run, Status

STAND_IN = "shape_env.needs"


class Kind(str, Enum):
    """What can be done."""

    GATE_CAN_GO = "gates that can go"
    GATE_CAN_MOVE = "gates that can move"
    CAN_GO = "workarounds that can go"
    STILL_NEEDED = "still needed"
    BREAKS = "what breaks"
    UNKNOWN = "not known"


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What can be done about one thing, and the cells that say so."""

    kind: Kind
    about: str
    text: str
    cells: tuple[str, ...]


def builds_in(run: Run, versions: SpecifierSet) -> list[Build]:
    """The builds of a run within a range of versions, if they could be had."""
    return [
        build
        for build in run.builds
        if build.status is not Status.UNAVAILABLE and lies_in(build, versions)
    ]


def advise(run: Run, findings: Findings, builds: Sequence[Build]) -> list[Advice]:
    """For a downstream that supports all of ``builds``, in the order of :class:`Kind`."""
    advice = [
        *(_gate(run, gate, builds) for gate in findings.gates),
        *(_context(run, workaround, builds) for workaround in findings.workarounds),
        *_fake_mode(run, builds),
        *_stand_in(run, builds),
        *_broken(run, builds),
    ]
    return [each for kind in Kind for each in advice if each.kind is kind]


def _gate(run: Run, gate: GateFinding, builds: Sequence[Build]) -> Advice:
    def those(*verdicts: Verdict) -> list[str]:
        return [each.label for each in builds if gate.verdicts[each.label] in verdicts]

    has, lacks = those(Verdict.USED, Verdict.MISSED), those(Verdict.ABSENT, Verdict.BROKEN)
    rule = f"from {gate.gate} on" if gate.gate else "nowhere"
    if broken := those(Verdict.BROKEN):
        kind = Kind.BREAKS
        text = f"It is switched on {rule}, and it is not there on {', '.join(broken)}."
    elif unknown := those(Verdict.UNKNOWN):
        kind = Kind.UNKNOWN
        text = f"Nothing is known of {', '.join(unknown)}."
    elif not lacks:
        kind = Kind.GATE_CAN_GO
        text = f"It is switched on {rule}, and every build has it: pass it always."
    elif those(Verdict.MISSED):
        kind = Kind.GATE_CAN_MOVE
        labels = [each.label for each in builds]
        from_there_on = labels[labels.index(has[0]) :] == has
        text = f"It is switched on {rule}. " + (
            f"It can be from {has[0]} on, and is not there on {', '.join(lacks)}."
            if from_there_on
            else f"It is there on {', '.join(has)}, and not on {', '.join(lacks)}."
        )
    else:
        kind = Kind.STILL_NEEDED
        text = f"The gate is right: on {rule}, and not there on {', '.join(lacks)}."
    return _advice(
        kind, f"gate of {gate.feature}", text, _cells(run, builds, CAPABILITY, feature=gate.feature)
    )


def _context(run: Run, workaround: WorkaroundFinding, builds: Sequence[Build]) -> Advice:
    answers = {each.label: workaround.needed[each.label] for each in builds}
    needed, unknown = _with(answers, Answer.YES), _with(answers, Answer.UNKNOWN)
    cells = _cells(run, builds, NEEDED)
    if needed:
        kind = Kind.STILL_NEEDED
        text = f"Without it compile_fx fails inside Dynamo's context on {', '.join(needed)}."
    elif unknown:
        kind, text = Kind.UNKNOWN, f"Nothing is known of {', '.join(unknown)}."
    elif workaround.control is None:
        kind = Kind.UNKNOWN
        text = "No build of the run needs it, so nothing shows that the probe can see the crash."
    else:
        kind = Kind.CAN_GO
        text = f"No build needs it; {workaround.control} does, so the probe sees the crash."
        cells += [each for each in run.cells if each.probe == NEEDED and each.metrics.get("needed")]
    return _advice(kind, "hiding Dynamo's tracing context", text, cells)


def _fake_mode(run: Run, builds: Sequence[Build]) -> Iterable[Advice]:
    outcomes = {
        build.label: {each.outcome for each in cells_of(run, build, FAKE_MODE, way="argument")}
        for build in builds
    }
    cells = _cells(run, builds, FAKE_MODE, way="argument")
    if not cells:
        return
    lacks = [label for label, seen in outcomes.items() if seen == {Outcome.UNSUPPORTED}]
    has = [label for label, seen in outcomes.items() if seen == {Outcome.PASS}]
    about = "the patch of FakeTensorMode"
    if lacks:
        text = f"There is no fake_mode= on {', '.join(lacks)}."
        yield _advice(Kind.STILL_NEEDED, about, text, cells)
    elif len(has) == len(builds):
        yield _advice(Kind.CAN_GO, about, "Every build takes fake_mode= instead.", cells)
    else:
        rest = ", ".join(label for label in outcomes if label not in has)
        yield _advice(Kind.UNKNOWN, about, f"Nothing is known of {rest}.", cells)


def _stand_in(run: Run, builds: Sequence[Build]) -> Iterable[Advice]:
    members = dict.fromkeys(each.params["member"] for each in _cells(run, builds, STAND_IN))
    for member in members:
        about = f"{member} in the ShapeEnv stand-in"
        cells = _cells(run, builds, STAND_IN, member=member)
        said = {
            build.label: metric(cells_of(run, build, STAND_IN, member=member), "needed")
            for build in builds
        }
        needed = [label for label, answer in said.items() if answer]
        unknown = [label for label, answer in said.items() if answer is None]
        if needed:
            text = f"Saving or loading fails without it on {', '.join(needed)}."
            yield _advice(Kind.STILL_NEEDED, about, text, cells)
        elif unknown:
            text = f"Nothing is known of {', '.join(unknown)}."
            yield _advice(Kind.UNKNOWN, about, text, cells)
        else:
            yield _advice(Kind.CAN_GO, about, "No build needs it to save or to load.", cells)


def _broken(run: Run, builds: Sequence[Build]) -> Iterable[Advice]:
    for build in builds:
        if build.status is Status.BROKEN:
            yield _advice(Kind.BREAKS, f"build {build.label}", f"{build.reason}.", [])
    groups: dict[str, list[Cell]] = {}
    for build in builds:
        for cell in run.cells:
            if is_on(cell, build) and cell.outcome in BAD:
                groups.setdefault(signature_of_cell(cell), []).append(cell)
    for signature, cells in groups.items():
        where = ", ".join(dict.fromkeys(cell.build for cell in cells))
        text = f"{len(cells)} checks end so on {where}."
        yield _advice(Kind.BREAKS, signature, text, cells)


def _advice(kind: Kind, about: str, text: str, cells: Iterable[Cell]) -> Advice:
    return Advice(kind=kind, about=about, text=text, cells=tuple(cell.id for cell in cells))


def _cells(run: Run, builds: Sequence[Build], probe: str, **params: str) -> list[Cell]:
    return [cell for build in builds for cell in cells_of(run, build, probe, **params)]


def _with(answers: Mapping[str, Answer], answer: Answer) -> list[str]:
    return [label for label, each in answers.items() if each is answer]

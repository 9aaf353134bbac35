"""Which gates can go or move."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compat.runs.ids import BuildId
from compat.topics.gates.finding import Gate, Gates, Verdict
from compat.topics.matrix import Matrix
from compat.topics.topic import Advice, AdviceKind
from compat.topics.words import labels


def advise(_: Matrix, gates: Gates, builds: Sequence[BuildId]) -> Iterable[Advice]:
    """For a downstream that supports all of ``builds``, oldest first."""
    yield from (_gate(gate, builds) for gate in gates.gates)


def _gate(gate: Gate, builds: Sequence[BuildId]) -> Advice:
    def those(*verdicts: Verdict) -> list[BuildId]:
        return [build for build in builds if gate.verdicts[build] in verdicts]

    has, lacks = those(Verdict.USED, Verdict.MISSED), those(Verdict.ABSENT)
    ships = f"Downstream ships the gate {gate.floor}" if gate.floor else "Downstream ships no gate"
    if broken := those(Verdict.BROKEN):
        kind, text = AdviceKind.BREAKS, f"{ships}; the feature is not there on {labels(broken)}."
    elif unknown := those(Verdict.UNKNOWN):
        kind, text = AdviceKind.UNKNOWN, f"Nothing is known of {labels(unknown)}."
    elif not lacks:
        kind = AdviceKind.GATE_CAN_GO
        text = (
            f"{ships}, and every build has the feature: pass it always. That rests on {gate.rests}."
        )
    elif those(Verdict.MISSED):
        kind = AdviceKind.GATE_CAN_MOVE
        text = f"{ships}; the feature is on {labels(has)}, and not on {labels(lacks)}."
        if _from_there_on(builds, has):
            text += f" The gate can open at {has[0].label}."
    else:
        kind = AdviceKind.STILL_NEEDED
        text = f"{ships}, which is right: the feature is not there on {labels(lacks)}."
    cells = tuple(cell for build in builds for cell in gate.cells[build])
    return Advice(kind=kind, about=f"gate of {gate.feature}", text=text, cells=cells)


def _from_there_on(builds: Sequence[BuildId], has: Sequence[BuildId]) -> bool:
    """Whether those that have something are the last ones of each device and Python."""
    lines = {build.line for build in builds}
    return all(
        [b for b in builds if b.line == line][-len(own) :] == own
        for line in lines
        if (own := [build for build in has if build.line == line])
    )

"""Which members a ShapeEnv stand-in has to have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compat.runs.ids import BuildId
from compat.topics.matrix import Matrix
from compat.topics.rests import rests_on
from compat.topics.stand_in.finding import Need, StandIn
from compat.topics.stand_in.records import Needs
from compat.topics.topic import Advice, AdviceKind
from compat.topics.words import labels


def advise(matrix: Matrix, found: StandIn, builds: Sequence[BuildId]) -> Iterable[Advice]:
    """For a downstream that supports all of ``builds``."""
    for member, needs in found.members.items():
        needed = [build for build in builds if needs[build] is Need.NEEDED]
        unknown = [build for build in builds if needs[build] is Need.UNKNOWN]
        if needed:
            kind = AdviceKind.STILL_NEEDED
            text = f"Saving or loading fails without it on {labels(needed)}."
        elif unknown:
            kind, text = AdviceKind.UNKNOWN, f"Nothing is known of {labels(unknown)}."
        else:
            kind = AdviceKind.CAN_GO
            rests = rests_on(
                each.cell for build in builds for each in matrix.seen(Needs, build, member=member)
            )
            text = f"None of these builds needs it to save or to load. That rests on {rests}."
        yield Advice(
            kind=kind,
            about=f"{member} in the ShapeEnv stand-in",
            text=text,
            cells=tuple(
                each.cell.id
                for build in builds
                for each in matrix.seen(Needs, build, member=member)
            ),
        )

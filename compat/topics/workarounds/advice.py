"""Which workarounds can go, and which gates miss a build that needs theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compat.runs.ids import BuildId
from compat.topics.matrix import Matrix
from compat.topics.topic import Advice, AdviceKind
from compat.topics.words import labels, not_needed
from compat.topics.workarounds.finding import Row, State, Workarounds
from compat.topics.workarounds.table import Measured


def advise(_: Matrix, found: Workarounds, builds: Sequence[BuildId]) -> Iterable[Advice]:
    """For a downstream that supports all of ``builds``; what other topics measure they advise."""
    for row in found.rows:
        if row.workaround.measured is Measured.PROBE and row.on.keys() & set(builds):
            yield _advise(row, builds)


def _advise(row: Row, builds: Sequence[BuildId]) -> Advice:
    on = {build: row.on[build] for build in builds if build in row.on}
    unknown = [b for b in builds if b not in on or on[b].state is State.UNKNOWN]
    needed = [build for build, each in on.items() if each.state is State.NEEDED]
    controls = [build for build, each in row.on.items() if each.state is State.NEEDED]
    ships = " and ".join(each.label for each in row.workaround.shipped)
    guards = row.workaround.guards
    if missed := [build for build in needed if on[build].missed]:
        kind = AdviceKind.BREAKS
        text = f"{ships} does not apply it to {labels(missed)}, where {guards}."
    elif needed:
        kind, text = AdviceKind.STILL_NEEDED, f"Without it on {labels(needed)}: {guards}."
    elif unknown:
        kind, text = AdviceKind.UNKNOWN, f"Nothing is known of {labels(unknown)}."
    elif again := _again(row, builds):
        kind = AdviceKind.STILL_NEEDED
        text = f"No such build needs it, but {labels(again)} does again."
    elif blind := [build for build in on if build.device not in {b.device for b in controls}]:
        kind = AdviceKind.UNKNOWN
        text = (
            f"It is not needed on {labels(on)}, but no build is known to need it on the device of "
            f"{labels(blind)}, so nothing shows that its trouble would be seen there."
        )
    else:
        kind = AdviceKind.CAN_GO
        text = not_needed(controls, row.rests)
    return Advice(
        kind=kind,
        about=f"the workaround {row.workaround.name} of {ships}",
        text=text,
        cells=tuple(cell for each in on.values() for cell in each.cells),
    )


def _again(row: Row, builds: Sequence[BuildId]) -> list[BuildId]:
    """Builds that need it and are newer than one of these."""
    again = []
    for line in row.lines:
        order = list(line.on)
        own = [order.index(build) for build in builds if build in line.on]
        again += [b for b in line.those(State.NEEDED) if own and order.index(b) > min(own)]
    return again

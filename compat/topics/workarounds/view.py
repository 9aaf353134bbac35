"""Workarounds in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compat.document.parts import Code, Link, Part, Section, Sentence, Table, Text
from compat.topics.matrix import Matrix
from compat.topics.words import NOT_KNOWN, labels
from compat.topics.workarounds.finding import Misfit, OnBuild, OnLine, Row, State, Workarounds
from compat.topics.workarounds.table import Measured, Workaround

_STATES = {
    State.NEEDED: "needed",
    State.NOT_NEEDED: "no",
    State.ABSENT: "➖",
    State.UNKNOWN: NOT_KNOWN,
}
_MISFITS = {
    Misfit.OPENS_LATE: "opens late: it leaves out {}, where the workaround is needed",
    Misfit.CLOSES_EARLY: "closes early: it leaves out {}, where the workaround is needed",
    Misfit.MISSES: "lets in other builds than {}, where the workaround is needed",
    Misfit.OPENS_EARLY: "opens early: on {} the workaround is not needed yet",
    Misfit.CLOSES_LATE: "closes late: on {} the workaround is no longer needed",
}


def say(_: Matrix, found: Workarounds) -> Iterable[Sentence]:
    """Of each workaround: where it is needed, what is wrong with its gate, where it can go.

    What another topic measures it says itself.
    """
    own = [row for row in found.rows if row.workaround.measured is Measured.PROBE]
    for row in own:
        for line in row.lines:
            if line.those(State.NEEDED):
                yield Sentence(
                    title=f"workaround {row.workaround.name}: {_title(row.workaround, line)}",
                    text=" ".join(_say(row.workaround, line)),
                    cells=line.cells,
                )
    idle = [row for row in own if _never_needed(row)]
    if idle:
        yield Sentence(
            title=f"workarounds that no build in this run needs: {len(idle)}",
            text="Nothing here shows that the probes can see what they guard against: "
            + "; ".join(_ships(row.workaround) for row in idle)
            + ".",
            cells=tuple(cell for row in idle for line in row.lines for cell in line.cells),
        )


def _never_needed(row: Row) -> bool:
    states = {each.state for each in row.on.values()}
    return State.NEEDED not in states and State.NOT_NEEDED in states


def _title(workaround: Workaround, line: OnLine) -> str:
    gated = [misfit for misfit in line.misfits if workaround.gate]
    if gated:
        return ", ".join(misfit.value for misfit in gated)
    if line.free:
        return f"it can be deleted from {line.free[0].label} on"
    return "it is needed"


def _say(workaround: Workaround, line: OnLine) -> Iterable[str]:
    needed = line.those(State.NEEDED)
    yield f"{_ships(workaround)} {workaround.does}."
    yield f"Without it on {labels(needed)}: {workaround.guards}."
    if workaround.gate:
        for misfit, builds in line.misfits.items():
            yield f"Its gate, {workaround.gate}, {_MISFITS[misfit].format(labels(builds))}."
        if not line.misfits:
            yield f"Its gate, {workaround.gate}, is right."
    if broken := [build for build in needed if line.on[build].works is False]:
        yield f"It does not help on {labels(broken)}."
    if line.free:
        yield f"It can be deleted once the oldest build supported is {line.free[0].label}."
        yield f"It rests on {workaround.asked}."
    elif not line.untested:
        yield "The newest build still needs it."
    if line.untested:
        yield f"Not known: {labels(line.untested)}."


def _ships(workaround: Workaround) -> str:
    names = " and ".join(each.label for each in workaround.shipped)
    return f"{workaround.name} ({names})"


def show(matrix: Matrix, found: Workarounds) -> Iterable[Section]:
    """Workaround × build, and what is measured nowhere."""
    asked = {build for row in found.rows for build in row.on}
    builds = [build.id for build in matrix.builds if build.id in asked]
    rows: list[list[Text]] = [
        [
            Link(row.workaround.name, row.workaround.upstream),
            ", ".join(each.label for each in row.workaround.shipped),
            Code(row.workaround.gate.replace(",", ", ")) if row.workaround.gate else "always",
            *(_cell(row.on.get(build)) for build in builds),
            _delete(row),
        ]
        for row in found.rows
    ]
    if not rows:
        return
    headers = ["workaround", "ships it", "gate", *builds, "delete from"]
    yield Section(
        title="Workarounds that downstreams ship",
        intro="*Needed*: what it guards against goes wrong on that build without it. ⚠️: needed, "
        "and the gate leaves the build out. *Applied*: the gate lets a build in that does not need "
        "it. ❌: it does not help. ➖: the build has nothing that it guards. *Delete from*: the "
        "oldest build that you may still support once it is gone; *no control*: no build here "
        "needs it, so nothing here shows that the probe can see what it guards against.",
        tables=[Table(headers=headers, rows=rows)],
        notes=[_not_measured(found.unmeasured)] if found.unmeasured else [],
    )


def _cell(each: OnBuild | None) -> str:
    if each is None:
        return ""
    said = _STATES[each.state]
    if each.missed:
        said += " ⚠️"
    elif each.idle:
        said += ", applied"
    return f"{said} ❌" if each.state is State.NEEDED and each.works is False else said


def _delete(row: Row) -> str:
    """For each device and Python the first build; one alone where they agree."""
    if _never_needed(row):
        return "no control"
    firsts = [line.free[0].label if line.free else "–" for line in row.lines]
    return ", ".join(dict.fromkeys(firsts))


def _not_measured(workarounds: Sequence[Workaround]) -> Text:
    parts: list[Part] = ["Shipped and not measured: "]
    for index, each in enumerate(workarounds):
        ends = "." if index == len(workarounds) - 1 else "; "
        parts += [Link(each.name, each.upstream), f" ({each.unmeasured}){ends}"]
    return tuple(parts)

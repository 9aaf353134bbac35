"""The ShapeEnv stand-in in words and tables."""

from __future__ import annotations

from collections.abc import Iterable

from compat.document.parts import Code, Section, Sentence, Strong, Table, Text
from compat.topics.matrix import Matrix
from compat.topics.stand_in.finding import Need, StandIn
from compat.topics.stand_in.records import Needs
from compat.topics.words import NOT_KNOWN, untold

_WORDS = {Need.NEEDED: "needed", Need.READ: "read", Need.UNREAD: "no"}


def say(_: Matrix, found: StandIn) -> Iterable[Sentence]:
    """What a stand-in that was written for one build lacks on the next."""
    for build, names in found.unknown.items():
        if names:
            yield Sentence(
                title=f"ShapeEnv stand-in: {build.label} reads more than it has",
                text=f"While saving or loading, torch reads {', '.join(names)}: an AttributeError "
                "in every downstream that passes a stand-in without.",
                cells=found.cells[build],
            )
    for step in found.steps:
        said = [
            f"{verb} without {', '.join(members)}."
            for verb, members in (
                ("Saving or loading begins to fail", step.begins),
                ("It no longer fails", step.ceases),
            )
            if members
        ]
        yield Sentence(
            title=f"ShapeEnv stand-in: what torch needs of it changes from {step.before.label} to "
            f"{step.after.label}",
            text=" ".join(said),
            cells=step.cells,
        )


def show(matrix: Matrix, found: StandIn) -> Iterable[Section]:
    """Member × build."""
    rows: list[list[Text]] = [
        [
            Code(member),
            *(
                _WORDS.get(needs[build.id]) or untold(matrix.seen(Needs, build.id, member=member))
                for build in matrix.builds
            ),
        ]
        for member, needs in found.members.items()
    ]
    if any(found.unknown.values()):
        names = (found.unknown[build.id] for build in matrix.builds)
        shown = (NOT_KNOWN if each is None else ", ".join(each) for each in names)
        rows.append([Strong("not in the stand-in"), *shown])
    yield Section(
        title="The ShapeEnv stand-in",
        intro="Which members torch reads of the stand-in that downstreams pass to Inductor's "
        "cache, and without which of them saving or loading fails.",
        tables=[Table(headers=["member", *(build.id for build in matrix.builds)], rows=rows)],
    )

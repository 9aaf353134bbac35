"""Odd machines in words and a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compat.document.parts import Code, Section, Sentence, Table
from compat.runs.ids import BuildId
from compat.topics.machines.finding import Oddities, OnBuild
from compat.topics.matrix import Matrix
from compat.topics.words import labels


def say(matrix: Matrix, found: Oddities) -> Iterable[Sentence]:
    """For each device and Python: what is wrong, and what the builds do differently."""
    for line in dict.fromkeys(build.id.line for build in matrix.builds):
        named = ", Python ".join(filter(None, line))
        for oddity in found.found:
            by_build = {id_: each for id_, each in oddity.builds.items() if id_.line == line}
            about = f"machines on {named}: {oddity.check}, {oddity.name}"
            if wrong := {build: each for build, each in by_build.items() if is_wrong(each)}:
                yield Sentence(
                    title=f"{about}: something else is computed",
                    text=f"So it is on {labels(wrong)}.",
                    cells=tuple(each.cell for each in wrong.values()),
                )
            if len(groups := by_how(by_build)) > 1:
                yield Sentence(
                    title=f"{about}: builds differ",
                    text="; ".join(f"{how} on {labels(on)}" for how, on in groups.items()) + ".",
                    cells=tuple(each.cell for each in by_build.values()),
                )


def is_wrong(each: OnBuild) -> bool:
    return each.went.right is False


def by_how(by_build: Mapping[BuildId, OnBuild]) -> Mapping[str, list[BuildId]]:
    """The builds by how the call went."""
    groups: dict[str, list[BuildId]] = {}
    for build, each in by_build.items():
        groups.setdefault(each.went.how, []).append(build)
    return groups


def show(matrix: Matrix, found: Oddities) -> Iterable[Section]:
    """What was odd × build, of what does not simply work everywhere."""
    shown = [
        each
        for each in found.found
        if len(by_how(each.builds)) > 1
        or any(on.went.right is not True for on in each.builds.values())
    ]
    builds = [
        build for build in matrix.builds if any(build.id in each.builds for each in found.found)
    ]
    yield Section(
        title="Odd machines and switched-off compilers",
        intro="What becomes of a call where something is odd about the machine, the process or the "
        "switches of the compiler: *compiled*, *eager*, or what is raised. What is compiled and "
        f"right everywhere is left out: {len(found.found) - len(shown)} of {len(found.found)}.",
        tables=[
            Table(
                headers=["asked", "what is odd", *(build.id for build in builds)],
                rows=[
                    [
                        *(Code(each.check), each.name),
                        *(_said(each.builds.get(build.id)) for build in builds),
                    ]
                    for each in shown
                ],
            )
        ],
    )


def _said(each: OnBuild | None) -> str:
    if each is None:
        return ""
    glyph = {True: "✅", False: "❌ wrong,", None: "💥"}[each.went.right]
    return f"{glyph} {each.went.how}"

"""Caches in words and a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compat.document.parts import Code, Section, Sentence, Table
from compat.runs.ids import BuildId
from compat.topics.caches.finding import Caches, OnBuild, Question, Wanted
from compat.topics.caches.records import Again
from compat.topics.matrix import Matrix
from compat.topics.words import labels


def say(matrix: Matrix, found: Caches) -> Iterable[Sentence]:
    """For each device and Python: what is stale or not reused, and where the builds differ."""
    for line in dict.fromkeys(build.id.line for build in matrix.builds):
        named = ", Python ".join(filter(None, line))
        for question in found.questions:
            here = {build: each for build, each in question.builds.items() if build.line == line}
            about = f"caches on {named}: {question.check}, {question.name}"
            if wrong := {build: each for build, each in here.items() if not each.again.right}:
                yield Sentence(
                    title=f"{about}: not right",
                    text=_grouped(wrong),
                    cells=tuple(each.cell for each in wrong.values()),
                )
            elif any(_is_unwanted(question, each.again) for each in here.values()) or (
                len({each.again.how for each in here.values()}) > 1
            ):
                wanted = f" ({question.wanted.value})" if question.wanted.value else ""
                yield Sentence(
                    title=f"{about}{wanted}: how it is reused",
                    text=_grouped(here),
                    cells=tuple(each.cell for each in here.values()),
                )


def _is_unwanted(question: Question, again: Again) -> bool:
    """Whether it was used again, or not, against what is wanted."""
    if question.wanted is Wanted.EITHER:
        return False
    return again.reused is not (question.wanted is Wanted.REUSED)


def _grouped(by_build: Mapping[BuildId, OnBuild]) -> str:
    groups: dict[str, list[BuildId]] = {}
    for build, each in by_build.items():
        groups.setdefault(_words(each.again), []).append(build)
    return "; ".join(f"{words} on {labels(on)}" for words, on in groups.items()) + "."


def show(matrix: Matrix, found: Caches) -> Iterable[Section]:
    """Question × build."""
    builds = [
        build for build in matrix.builds if any(build.id in each.builds for each in found.questions)
    ]
    yield Section(
        title="Caches and what is loaded by a later process",
        intro="What was compiled before, met again: *reused* or *compiled* anew, with the caches "
        "that say so. Where a key has to differ, *reused* is a stale result.",
        tables=[
            Table(
                headers=["asked", "about", "wanted", *(build.id for build in builds)],
                rows=[
                    [
                        Code(each.check),
                        each.name,
                        each.wanted.value,
                        *(_cell(each, each.builds.get(build.id)) for build in builds),
                    ]
                    for each in found.questions
                ],
            )
        ],
    )


def _cell(question: Question, each: OnBuild | None) -> str:
    if each is None:
        return ""
    if each.again.right is None:
        return f"💥 {each.again.how}"
    if not each.again.right:
        return f"❌ wrong, {_words(each.again)}"
    glyph = "🟡" if _is_unwanted(question, each.again) else "✅"
    return f"{glyph} {_words(each.again)}"


def _words(again: Again) -> str:
    if again.reused is None:
        return again.how
    return f"{'reused' if again.reused else 'compiled'} ({again.how})"

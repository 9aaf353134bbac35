"""Private names in words and tables."""

from __future__ import annotations

from collections.abc import Iterable

from compat.document.parts import Code, Section, Sentence, Table, Text
from compat.runs.ids import BuildId
from compat.topics.matrix import Matrix
from compat.topics.surface.finding import Step, Surface
from compat.topics.surface.records import Name


def say(_: Matrix, surface: Surface) -> Iterable[Sentence]:
    """Once for each two builds: which names are gone or back, and which are called otherwise."""
    steps: dict[tuple[BuildId, BuildId], list[Step]] = {}
    for step in surface.steps:
        steps.setdefault((step.before, step.after), []).append(step)
    for (before, after), found in steps.items():
        number = "1 name changed" if len(found) == 1 else f"{len(found)} names changed"
        yield Sentence(
            title=f"private surface: {number} from {before.label} to {after.label}",
            text=" ".join(_say_steps(found)),
            cells=tuple(cell for step in found for cell in step.cells),
        )


def _say_steps(steps: list[Step]) -> Iterable[str]:
    words = {
        (True, False): "Gone",
        (False, True): "New, or back",
        (True, True): "With other parameters, or of another type",
    }
    for (was, became), word in words.items():
        names = [s.name for s in steps if (s.was.there, s.became.there) == (was, became)]
        if names:
            yield f"{word}: {', '.join(names)}."
    refusing = [
        f"{step.name} ({', '.join(step.became.refused)})" for step in steps if step.became.refused
    ]
    if refusing:
        yield f"No longer takes what the interface passes: {', '.join(refusing)}."


def show(_: Matrix, surface: Surface) -> Iterable[Section]:
    """One row a change."""
    rows: list[list[Text]] = [
        [
            Code(step.name),
            f"{step.before.label} → {step.after.label}",
            _what(step.was),
            _what(step.became),
        ]
        for step in surface.steps
    ]
    names = len({step.name for step in surface.steps})
    unknown = ", ".join(f"{build.label} ({n})" for build, n in surface.unknown.items())
    yield Section(
        title="Private surface: what changed",
        intro=f"Parameters without annotations and defaults, of the {names} private names that "
        "changed, between neighbouring builds of one device and Python.",
        tables=[Table(headers=["name", "between", "was", "became"], rows=rows)],
        notes=[f"Builds with the number of names of which nothing is known: {unknown}."]
        if unknown
        else [],
    )


def _what(name: Name) -> Text:
    if not name.there:
        return "gone"
    if name.refused:
        return (Code(name.signature), f" refuses {', '.join(name.refused)}")
    return Code(name.signature)

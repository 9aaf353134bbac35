"""What reaches a downstream's code, in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from compat.document.parts import Code, Section, Sentence, Table, Text
from compat.runs.answers import Change
from compat.runs.ids import BuildId
from compat.topics.matrix import Matrix
from compat.topics.reach.finding import Reach, Step, Told
from compat.topics.words import labels

# Of a long list; `compat compare` has the rest.
_MOST = 6
# A table shows the beginning of a longer answer.
_LONGEST = 120

_ABOUT = {
    "passes": "what a downstream's passes and splits see and do",
    "patches": "what a patch sees",
}


def say(_: Matrix, found: Reach) -> Iterable[Sentence]:
    """What is computed wrong; then, for each two builds and kind of code, what moved."""
    for name in dict.fromkeys(each.name for each in found.wrong):
        odd = [each for each in found.wrong if each.name == name]
        yield Sentence(
            title=f"wrong without a word: {name}",
            text=f"So it is on {labels(each.cell.build for each in odd)}: {odd[0].said}",
            cells=tuple(each.cell for each in odd),
        )
    for (kind, before, after), steps in _by_builds(found.steps).items():
        lost = [step.name for step in steps if step.change is Change.LOST]
        others = [step.name for step in steps if step.change is not Change.LOST]
        parts = [("Lost", lost), ("Otherwise", others)]
        yield Sentence(
            title=f"{_ABOUT[kind]}: {len(steps)} answers changed from {before.label} to "
            f"{after.label}",
            text=" ".join(f"{word}: {_some(names)}." for word, names in parts if names),
            cells=tuple(
                dict.fromkeys(cell for step in steps for cell in (step.was.cell, step.became.cell))
            ),
        )


def _by_builds(steps: Iterable[Step]) -> dict[tuple[str, BuildId, BuildId], list[Step]]:
    found: dict[tuple[str, BuildId, BuildId], list[Step]] = {}
    for step in steps:
        kind = step.probe.partition(".")[0]
        found.setdefault((kind, step.before, step.after), []).append(step)
    return found


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")


def show(matrix: Matrix, found: Reach) -> Iterable[Section]:
    """One table a kind of code: the answers that differ, by build."""
    for kind, about in _ABOUT.items():
        rows = [
            _row(matrix, f"{probe}.{name}", on)
            for probe, names in found.answers.items()
            if probe.startswith(f"{kind}.")
            for name, on in names.items()
        ]
        if rows:
            yield Section(
                title=f"{about[0].upper()}{about[1:]}",
                intro="The answers that are not the same on all builds; a longer one is cut.",
                tables=[
                    Table(headers=["answer", *(build.id for build in matrix.builds)], rows=rows)
                ],
            )


def _row(matrix: Matrix, name: str, on: Mapping[BuildId, Told]) -> list[Text]:
    return [Code(name), *(_told(on.get(build.id)) for build in matrix.builds)]


def _told(told: Told | None) -> str:
    return "" if told is None or told.said.value is None else _written(told.said.value)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    written = str(value) or "nothing"
    return written if len(written) <= _LONGEST else f"{written[: _LONGEST - 1]}…"

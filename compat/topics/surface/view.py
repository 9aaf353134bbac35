"""Private names, config keys and operators in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from compat.document.parts import Code, Part, Section, Sentence, Table, Text
from compat.runs.ids import BuildId, CellId
from compat.topics.matrix import Matrix
from compat.topics.surface.finding import Step, Surface, Watch
from compat.topics.surface.records import Key, Name
from compat.topics.words import labels

# Of a long list; the page and `compat explain` have the rest.
_MOST = 8


def say(_: Matrix, surface: Surface) -> Iterable[Sentence]:
    """Once for each two builds: what is gone or back, and what is called or set otherwise."""
    for (before, after), own in _by_builds(surface.steps).items():
        yield Sentence(
            title=f"private surface: {_number(own, 'name')} changed from {before.label} to "
            f"{after.label}",
            text=" ".join(_say_steps(own)),
            cells=_cells(own),
        )
    used = _by_builds(surface.used)
    keys = _by_builds(surface.keys)
    operators = _by_builds(surface.operators)
    for before, after in dict.fromkeys([*used, *keys, *operators]):
        names = used.get((before, after), [])
        config = keys.get((before, after), [])
        schemas = operators.get((before, after), [])
        kinds = [(names, "name"), (config, "config key"), (schemas, "operator")]
        yield Sentence(
            title="what subjects use: "
            + ", ".join(_number(steps, thing) for steps, thing in kinds if steps)
            + f" changed from {before.label} to {after.label}",
            text=" ".join([*_say_steps(names), *_say_keys(config), *_say_operators(schemas)]),
            cells=_cells([*names, *config, *schemas]),
        )


def _by_builds(steps: Iterable[Step[Any]]) -> dict[tuple[BuildId, BuildId], list[Step[Any]]]:
    found: dict[tuple[BuildId, BuildId], list[Step[Any]]] = {}
    for step in steps:
        found.setdefault((step.before, step.after), []).append(step)
    return found


def _number(steps: Sequence[Step[Any]], thing: str) -> str:
    return f"{len(steps)} {thing}{'' if len(steps) == 1 else 's'}"


def _cells(steps: Iterable[Step[Any]]) -> tuple[CellId, ...]:
    return tuple(dict.fromkeys(cell for step in steps for cell in step.cells))


def _say_steps(steps: Sequence[Step[Name]]) -> Iterable[str]:
    yield from _say_moves(steps, "Other parameters or another type")
    refusing = [
        f"{step.name} ({', '.join(step.became.refused)})" for step in steps if step.became.refused
    ]
    if refusing:
        yield f"Refuses arguments that downstream always passes: {_some(refusing)}."


def _say_keys(steps: Sequence[Step[Key]]) -> Iterable[str]:
    yield from _say_moves([step for step in steps if step.was.there is not step.became.there], "")
    moved = [
        f"{step.name} ({step.was.default} → {step.became.default})"
        for step in steps
        if step.was.there and step.became.there
    ]
    if moved:
        yield f"Another default: {_some(moved)}."


def _say_operators(steps: Sequence[Step[Any]]) -> Iterable[str]:
    yield from _say_moves(steps, "Another schema")


def _say_moves(steps: Sequence[Step[Any]], otherwise: str) -> Iterable[str]:
    words = {(True, False): "Removed", (False, True): "Added", (True, True): otherwise}
    for (was, became), word in words.items():
        names = [s.name for s in steps if (s.was.there, s.became.there) == (was, became)]
        if names:
            yield f"{word}: {_some(names)}."


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST
    return ", ".join(texts[:_MOST]) + (f" and {more} more" if more > 0 else "")


def show(_: Matrix, surface: Surface) -> Iterable[Section]:
    """One row a change of what the interface leans on; one row a subject for what it uses."""
    rows: list[list[Text]] = [
        [
            Code(step.name),
            f"{step.before.label} → {step.after.label}",
            (*_what(step.was), " → ", *_what(step.became)),
        ]
        for step in surface.steps
    ]
    names = len({step.name for step in surface.steps})
    unknown = ", ".join(f"{build.label} ({n})" for build, n in surface.unknown.items())
    yield Section(
        title="Private surface: what changed",
        intro=f"Parameters without annotations and defaults, of the {names} private names that "
        "changed, between neighbouring builds of one device and Python.",
        tables=[Table(headers=["name", "between", "what it was → what it is"], rows=rows)],
        notes=[f"Builds with the number of names of which nothing is known: {unknown}."]
        if unknown
        else [],
    )
    yield Section(
        title="What subjects use of torch's private surface",
        intro="Private names, config keys and operators that the source of each subject has, on "
        "all builds of this run. What a build lacks may stand below a version check there: "
        "`compat audit SUBJECT` says whether it breaks.",
        tables=[
            Table(
                headers=["subject", "uses", "not on every build", "not the same on every build"],
                rows=[
                    [subject, str(len(watch.asked)), _lacking(watch), str(len(watch.differing))]
                    for subject, watch in surface.subjects.items()
                ],
            )
        ],
    )


def _lacking(watch: Watch) -> Text:
    if not watch.lacking:
        return "0"
    some = _some([f"{path} ({labels(builds)})" for path, builds in watch.lacking.items()])
    return f"{len(watch.lacking)}: {some}"


def _what(name: Name) -> tuple[Part, ...]:
    if not name.there:
        return ("not there",)
    if name.refused:
        return (Code(name.signature), f" refuses {', '.join(name.refused)}")
    return (Code(name.signature),)

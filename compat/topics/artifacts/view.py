"""What becomes of saved artifacts, in words and tables."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from compat.document.parts import Code, Section, Sentence, Table, Text
from compat.runs.ids import BuildId
from compat.runs.model import Outcome
from compat.topics.artifacts.finding import Artifacts, Fate, Foreign, Treatment
from compat.topics.artifacts.records import Load, Loaded, Reloaded
from compat.topics.matrix import Matrix
from compat.topics.words import GLYPHS, labels

_WORDS = {
    Load.RIGHT: "right",
    Load.UNNOTICED: "🟡 unnoticed",
    Load.REFUSED: "refused",
    Load.REFUSED_UNCLEARLY: "refused?",
    Load.WRONG: "❌ wrong",
    Load.CRASHED: "☠️ crashed",
}
_COUNTED = {
    Load.RIGHT: "load and are right",
    Load.UNNOTICED: "load, damaged as they are, and happen to be right",
    Load.REFUSED: "are refused with a reason",
    Load.REFUSED_UNCLEARLY: "are refused without one that helps",
    Load.WRONG: "load and are wrong",
    Load.CRASHED: "crash the process",
}
T = TypeVar("T", Treatment, Foreign)

_REFUSED = {Load.REFUSED, Load.REFUSED_UNCLEARLY}


def say(_: Matrix, artifacts: Artifacts) -> Iterable[Sentence]:
    """What does not load where it should, and what loads where it should not."""
    for treatment in (*artifacts.reloaded, *artifacts.placed):
        yield from _say_not_right(treatment)
    yield from _say_damaged(artifacts.damaged)
    yield from _say_foreign(artifacts.foreign)


def _say_not_right(treatment: Treatment) -> Iterable[Sentence]:
    reasons: dict[str, list[BuildId]] = {}
    cells = []
    for build, fate in treatment.fates.items():
        if fate.loaded is not None and fate.load is not Load.RIGHT:
            reasons.setdefault(_reason(fate.loaded), []).append(build)
            cells.append(fate.cell)
    if reasons:
        what = f"{treatment.kind}, {treatment.done or 'loaded again'}"
        said = "; ".join(f"{reason} on {labels(builds)}" for reason, builds in reasons.items())
        yield Sentence(title=f"artifacts: {what}", text=f"{said}.", cells=tuple(cells))


def _reason(loaded: Loaded) -> str:
    """Why an artifact is of no use, in a few words."""
    if loaded.raised:
        said = f" ({loaded.said})" if loaded.said else ""
        return f"Refused with {loaded.raised}{said}"
    return _loaded(loaded)


def _say_damaged(damaged: Sequence[Treatment]) -> Iterable[Sentence]:
    for (kind, line), found in _by_kind(damaged).items():
        unnoticed: dict[str, list[BuildId]] = {}
        for treatment, build, fate in found:
            if fate.load is Load.UNNOTICED:
                unnoticed.setdefault(treatment.done, []).append(build)
        where = "; ".join(f"{done} on {labels(builds)}" for done, builds in unnoticed.items())
        yield Sentence(
            title=f"damaged artifacts: {kind}{_line(line)}",
            text=f"Of {len(found)} loads of a damaged file, {_counts(found)}."
            + (f" Nothing notices the damage: {where}." if where else ""),
            cells=tuple(fate.cell for _, _, fate in found),
        )


def _say_foreign(foreign: Sequence[Foreign]) -> Iterable[Sentence]:
    for (kind, line), found in _by_kind(foreign).items():
        pairs = ", ".join(
            f"{each.saved_by} in {build.label}: {_loaded(fate.loaded)}"
            for each, build, fate in found
            if fate.loaded is not None and fate.load not in _REFUSED
        )
        yield Sentence(
            title=f"artifacts of other builds: {kind}{_line(line)}",
            text=f"Of {len(found)} loads in another build than the one that saved, "
            f"{_counts(found)}." + (f" Not refused: {pairs}." if pairs else ""),
            cells=tuple(fate.cell for _, _, fate in found),
        )


def _by_kind(
    treatments: Sequence[T],
) -> dict[tuple[str, tuple[str, str]], list[tuple[T, BuildId, Fate]]]:
    """All loads by the kind of the artifact, and by device and Python."""
    found: dict[tuple[str, tuple[str, str]], list[tuple[T, BuildId, Fate]]] = {}
    for each in treatments:
        for build, fate in each.fates.items():
            found.setdefault((each.kind, build.line), []).append((each, build, fate))
    return found


def _line(line: tuple[str, str]) -> str:
    """Device and Python of builds, where they are not the usual ones."""
    device, python = line
    said = [*([device] if device != "cpu" else []), *([f"Python {python}"] if python else [])]
    return f" ({', '.join(said)})" if said else ""


def _counts(found: Sequence[tuple[Treatment | Foreign, BuildId, Fate]]) -> str:
    """How loads ended, each with its number: they add up to all."""
    loads = Counter(fate.load for _, _, fate in found)
    absent = sum(fate.load is None and fate.outcome is Outcome.UNSUPPORTED for _, _, fate in found)
    said = [f"{loads[load]} {words}" for load, words in _COUNTED.items() if loads[load]]
    if absent:
        said.append(f"{absent} are not supported by their build")
    if unknown := loads[None] - absent:
        said.append(f"{unknown} are not known")
    return ", ".join(said)


def show(matrix: Matrix, artifacts: Artifacts) -> Iterable[Section]:
    """Each kind and what was done to it × build."""
    columns = [build.id for build in matrix.builds]
    yield Section(
        title="Artifacts",
        intro="Saved, then loaded inside a new Dynamo capture, in a process that compiled nothing: "
        "`=` the very same bits, `≈` within tolerance.",
        tables=[
            Table(
                headers=["kind", *columns],
                rows=[
                    [Code(each.kind), *(_reloaded(each.fates.get(build)) for build in columns)]
                    for each in artifacts.reloaded
                ],
            )
        ],
    )
    yield Section(
        title="Artifacts that are damaged, moved, read-only, or saved by two processes",
        intro="What becomes of them in a process that has nothing else. *right*: it loads and "
        "computes the same. *unnoticed*: likewise, although it is damaged. *refused*: loading "
        "raises, on purpose and with words. *refused?*: it raises without a word, or since "
        "something tripped over what it found. *wrong* and *crashed* make the cell red, but for a "
        "flipped bit, which nobody promised to notice.",
        tables=[
            Table(
                headers=["kind", "what was done", *columns],
                rows=[
                    [
                        Code(each.kind),
                        each.done,
                        *(_cell(each.fates.get(build)) for build in columns),
                    ]
                    for each in (*artifacts.damaged, *artifacts.placed)
                ],
            )
        ],
    )
    yield Section(
        title="Another build's artifacts",
        intro="What a build makes of an artifact that another build saved, in the same words. A "
        "downstream's cache folder outlives an upgrade of torch. A column is the build that "
        "loads. `aot-raw` is the aot artifact's own bytes, without the file format that carries "
        "torch's key.",
        tables=[_foreign_table(matrix, line, rows) for line, rows in _by_line(artifacts).items()],
    )
    yield Section(
        title="How artifacts are refused",
        intro="The exception that a user sees, in its own words.",
        tables=[
            Table(
                headers=["kind", "what was done", "says", "in"], rows=_refusals(matrix, artifacts)
            )
        ],
    )


def _by_line(artifacts: Artifacts) -> Mapping[tuple[str, str], list[Foreign]]:
    lines: dict[tuple[str, str], list[Foreign]] = {}
    for each in artifacts.foreign:
        lines.setdefault(each.line, []).append(each)
    return lines


def _foreign_table(matrix: Matrix, line: tuple[str, str], rows: Sequence[Foreign]) -> Table:
    """One device and Python: a column for each build that was asked."""
    builds = [
        build.id
        for build in matrix.builds
        if build.id.line == line and any(build.id in each.fates for each in rows)
    ]
    return Table(
        headers=["kind", "saved by", *builds],
        rows=[
            [
                Code(each.kind),
                each.saved_by,
                *(_cell(each.fates.get(build)) for build in builds),
            ]
            for each in rows
        ],
    )


def _refusals(matrix: Matrix, artifacts: Artifacts) -> list[list[Text]]:
    """What is said, and by which builds, for each kind and what was done to it."""
    treated = (*artifacts.reloaded, *artifacts.damaged, *artifacts.placed)
    everything = [
        *((each.kind, each.done or "loaded again", each.fates) for each in treated),
        *((each.kind, "saved by another build", each.fates) for each in artifacts.foreign),
    ]
    said: dict[tuple[str, str, str, tuple[str, str]], set[BuildId]] = {}
    for kind, done, fates in everything:
        for build, fate in fates.items():
            if fate.loaded is not None and fate.loaded.raised:
                exception = f"{fate.loaded.raised}: {fate.loaded.said}".removesuffix(": ")
                said.setdefault((kind, done, exception, build.line), set()).add(build)
    order = [build.id for build in matrix.builds]
    return [
        [Code(kind), done, Code(exception), labels(filter(builds.__contains__, order))]
        for (kind, done, exception, _), builds in said.items()
    ]


def _cell(fate: Fate | None) -> str:
    """What became of an artifact, in a word; how the probe ended where that is not known."""
    if fate is None:
        return ""
    return GLYPHS[fate.outcome] if fate.loaded is None else _loaded(fate.loaded)


def _reloaded(fate: Fate | None) -> str:
    """Likewise; where it is right, whether the bits are the same."""
    if fate is None or not isinstance(fate.loaded, Reloaded) or fate.load is not Load.RIGHT:
        return _cell(fate)
    bits = " =" if fate.loaded.bitwise else " ≈"
    return GLYPHS[fate.outcome] + bits + _compiled(fate.loaded)


def _compiled(loaded: Loaded) -> str:
    return f", compiled {loaded.compilations}×" if loaded.compilations else ""


def _loaded(loaded: Loaded) -> str:
    """How a load ended, in a few words."""
    words = _WORDS[loaded.load]
    if loaded.load is Load.WRONG:
        words += " and not finite" if loaded.max_abs is None else f" by {loaded.max_abs:.1e}"
        words += "".join(f", other {trait}" for trait in loaded.contract)
    if loaded.exit_code is not None:
        words += f" with {_exit(loaded.exit_code)}"
    return words + _compiled(loaded)


def _exit(code: int) -> str:
    """How a process died: the signal, by name where it has one, or its exit status."""
    if code >= 0:
        return f"status {code}"
    named = {each.value: each.name for each in signal.Signals}
    return named.get(-code, f"signal {-code}")

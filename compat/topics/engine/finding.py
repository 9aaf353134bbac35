"""What follows of the engines that were booted, over builds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compat.runs.ids import BuildId, CellId
from compat.runs.model import Outcome
from compat.topics.engine.records import Agreed, Restarted, Spoken, Started
from compat.topics.matrix import Matrix, Seen

# The setting of the legacy path, and the one that all others are compared with.
LEGACY = "legacy"
REFERENCE = "standalone"
# The model and dtype that builds are compared by.
WATCHED = "llama-float32"


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What an engine says in one setting on one build, beside what it says in the reference.

    Attributes:
        tokens: Whether all tokens are the same; None where no cell says so,
        bitwise: likewise all log-probabilities, to the last bit.
        off: How far they are from one another at most.
        models: Those that were asked, with their dtypes.
        outcome: That of one that did not pass, if there is any,
        ended: and why that is.
    """

    tokens: bool | None
    bitwise: bool | None
    off: float
    models: tuple[str, ...]
    outcome: Outcome
    ended: str
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What an engine says in the reference on one build, beside the build before.

    Attributes:
        before: That build.
        tokens: Whether it says the same tokens.
        off: How far the log-probabilities of what it says are apart at most; None for other tokens.
    """

    before: BuildId
    build: BuildId
    tokens: bool
    off: float | None
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Booted:
    """A release of an engine on all builds.

    Attributes:
        started: By build.
        spoken: By model, dtype and setting, joined as in the check's id, by build.
        beside: By setting, by build.
        restarted: By setting and start, joined likewise, by build.
        drifts: In the order of the builds.
    """

    subject: str
    started: Mapping[BuildId, Seen[Started]]
    spoken: Mapping[str, Mapping[BuildId, Seen[Spoken]]]
    beside: Mapping[str, Mapping[BuildId, Beside]]
    restarted: Mapping[str, Mapping[BuildId, Seen[Restarted]]]
    drifts: tuple[Drift, ...]


@dataclass(frozen=True, kw_only=True)
class Engines:
    """All engines."""

    booted: tuple[Booted, ...]


def find(matrix: Matrix) -> Engines:
    found = (_booted(matrix, subject.id) for subject in matrix.run.subjects)
    return Engines(booted=tuple(each for each in found if each.started or each.spoken))


def _booted(matrix: Matrix, subject: str) -> Booted:
    spoken: dict[str, dict[BuildId, Seen[Spoken]]] = {}
    for each in matrix.everywhere(Spoken, subject=subject):
        spoken.setdefault("-".join(each.cell.params.values()), {})[each.cell.build] = each
    agreed: dict[str, dict[BuildId, list[Seen[Agreed]]]] = {}
    for beside in matrix.everywhere(Agreed, subject=subject):
        setting = agreed.setdefault(beside.cell.params.get("setting", ""), {})
        setting.setdefault(beside.cell.build, []).append(beside)
    restarted: dict[str, dict[BuildId, Seen[Restarted]]] = {}
    for again in matrix.everywhere(Restarted, subject=subject):
        restarted.setdefault("-".join(again.cell.params.values()), {})[again.cell.build] = again
    return Booted(
        subject=subject,
        started={s.cell.build: s for s in matrix.everywhere(Started, subject=subject)},
        spoken=spoken,
        beside={
            setting: {build: _beside(seen) for build, seen in builds.items()}
            for setting, builds in agreed.items()
        },
        restarted=restarted,
        drifts=tuple(_drifts(matrix, spoken.get(f"{WATCHED}-{REFERENCE}", {}))),
    )


def _beside(seen: list[Seen[Agreed]]) -> Beside:
    records = [each.record for each in seen if each.record is not None]
    missed = [each.cell for each in seen if each.cell.outcome is not Outcome.PASS]
    # What failed says more than what nobody knows of.
    missed.sort(key=lambda cell: (not cell.outcome.bad, cell.outcome is not Outcome.UNSUPPORTED))
    return Beside(
        tokens=all(each.tokens for each in records) if records else None,
        bitwise=all(each.bitwise for each in records) if records else None,
        off=max((each.off for each in records), default=0.0),
        models=tuple(
            f"{each.cell.params.get('model')} in {each.cell.params.get('dtype')}" for each in seen
        ),
        outcome=missed[0].outcome if missed else Outcome.PASS,
        ended=(missed[0].reason or missed[0].outcome.value) if missed else "",
        cells=tuple(each.cell.id for each in seen),
    )


def _drifts(matrix: Matrix, spoken: Mapping[BuildId, Seen[Spoken]]) -> Iterable[Drift]:
    """From build to build, of one device and Python each."""
    before: dict[tuple[str, str], Seen[Spoken]] = {}
    for build in matrix.builds:
        seen = spoken.get(build.id)
        if seen is None or seen.record is None:
            continue
        last = before.get(build.id.line)
        if last is not None and last.record is not None:
            yield Drift(
                before=last.cell.build,
                build=build.id,
                tokens=last.record.tokens == seen.record.tokens,
                off=_apart(last.record, seen.record),
                cells=(last.cell.id, seen.cell.id),
            )
        before[build.id.line] = seen


def _apart(one: Spoken, other: Spoken) -> float | None:
    """How far the log-probabilities of what was said are apart; None for other tokens."""
    if one.tokens != other.tokens:
        return None
    pairs = (
        (mine, theirs)
        for name, said in one.chosen.items()
        for tokens, beside in zip(said, other.chosen[name], strict=True)
        for mine, theirs in zip(tokens, beside, strict=True)
    )
    return max((abs(mine - theirs) for mine, theirs in pairs), default=0.0)

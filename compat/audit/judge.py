"""What each thing in a tree comes to on the builds of a range; unknown is never taken for good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

from compat.audit.known import Known
from compat.audit.model import (
    Call,
    ConfigKey,
    NameUse,
    StandIn,
    Switch,
    Tree,
    Use,
    VersionCheck,
)
from compat.audit.signatures import not_taken, signature_of
from compat.findings.support import Statement
from compat.runs.ids import BuildId

T = TypeVar("T", VersionCheck, NameUse, ConfigKey, Switch, StandIn)


class Verdict(str, Enum):
    """What a thing comes to."""

    DEAD = "dead"  # a check that is answered in one way on all of the range
    LATE = "late"  # a gate that keeps off what is there
    EARLY = "early"  # a gate that lets through what is not there
    RIGHT = "right"
    THERE = "there"
    ABSENT = "absent"
    UNREACHED = "unreached"  # version checks around it let no build of the range get there
    REFUSED = "refused"  # a name that does not take what it is called with
    LACKS = "lacks"  # a stand-in without what torch needs of it
    WHOLE = "whole"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Judged(Generic[T]):
    """A thing and what it comes to.

    Attributes:
        builds: Those that the verdict is about; of an unknown one none.
        missing: Parameters that are refused or members that are lacking.
        why: Why nothing is known, or not all of a call; empty otherwise.
        since: Since when a name is there.
    """

    found: T
    verdict: Verdict
    builds: tuple[BuildId, ...] = ()
    missing: tuple[str, ...] = ()
    why: str = ""
    since: tuple[Statement, ...] = ()


AnyJudged: TypeAlias = (
    Judged[VersionCheck] | Judged[NameUse] | Judged[ConfigKey] | Judged[Switch] | Judged[StandIn]
)


@dataclass(frozen=True, kw_only=True)
class Audit:
    """A tree with what the matrix knows of it.

    Attributes:
        subject: As it was asked for.
        builds: That it was judged on.
    """

    subject: str
    tree: Tree
    builds: tuple[BuildId, ...]
    checks: tuple[Judged[VersionCheck], ...]
    names: tuple[Judged[NameUse], ...]
    keys: tuple[Judged[ConfigKey], ...]
    switches: tuple[Judged[Switch], ...]
    stand_ins: tuple[Judged[StandIn], ...]

    def everything(self) -> Iterator[AnyJudged]:
        yield from self.checks
        yield from self.names
        yield from self.keys
        yield from self.switches
        yield from self.stand_ins

    @property
    def breaks(self) -> bool:
        """Whether anything fails on a build of the range."""
        return any(breaks(each) for each in self.everything())


def breaks(judged: AnyJudged) -> bool:
    """Whether a thing fails where it is met: not where its place expects a name not to be there."""
    if judged.verdict is Verdict.ABSENT:
        expected = isinstance(judged.found, NameUse | ConfigKey) and judged.found.guarded
        typing = isinstance(judged.found, NameUse) and judged.found.use is Use.TYPING
        return not expected and not typing
    return judged.verdict in {Verdict.EARLY, Verdict.REFUSED, Verdict.LACKS}


def judge(subject: str, tree: Tree, known: Known) -> Audit:
    """Judge all that was found in a tree."""
    return Audit(
        subject=subject,
        tree=tree,
        builds=tuple(build.id for build in known.builds),
        checks=tuple(_check(check, known) for check in tree.checks),
        names=tuple(_name(name, known) for name in tree.names),
        keys=tuple(_key(key, known) for key in tree.keys),
        switches=tuple(
            Judged(found=each, verdict=Verdict.UNKNOWN, why="the matrix watches no variables")
            for each in tree.switches
        ),
        stand_ins=tuple(_stand_in(each, known) for each in tree.stand_ins),
    )


def _check(check: VersionCheck, known: Known) -> Judged[VersionCheck]:
    if check.rule is None:
        why = "no version that can be compared is written there"
        return Judged(found=check, verdict=Verdict.UNKNOWN, why=why)
    early: list[BuildId] = []
    late: list[BuildId] = []
    right: list[BuildId] = []
    for feature in set(check.guards) & set(known.features()):
        has = known.feature(feature)
        for build in known.builds:
            if build.release is not None and build.id in has:
                lets_through = check.rule.holds(build.release)
                same = lets_through is has[build.id]
                (right if same else early if lets_through else late).append(build.id)
    builds = tuple(build.id for build in known.builds)
    if early:
        return Judged(found=check, verdict=Verdict.EARLY, builds=tuple(early))
    if builds and check.rule.settled_from(known.oldest):
        return Judged(found=check, verdict=Verdict.DEAD, builds=builds)
    if late:
        return Judged(found=check, verdict=Verdict.LATE, builds=tuple(late))
    if right:
        return Judged(found=check, verdict=Verdict.RIGHT, builds=tuple(right))
    why = "the matrix asks about nothing that it guards"
    return Judged(found=check, verdict=Verdict.UNKNOWN, why=why)


def _name(name: NameUse, known: Known) -> Judged[NameUse]:
    reached = _reached_on(name, known)
    if not reached:
        return Judged(found=name, verdict=Verdict.UNREACHED)
    answers = known.answers(name.path, reached)
    absent = tuple(build for build, there in answers.items() if there is False)
    since = tuple(known.statements(name.path))
    if absent:
        return Judged(found=name, verdict=Verdict.ABSENT, builds=absent, since=since)
    there = tuple(build for build, found in answers.items() if found)
    if not there:
        return Judged(found=name, verdict=Verdict.UNKNOWN, why=_why_unknown(name.path, known))
    if name.call is not None:
        return _called(name, name.call, there, known)
    return Judged(found=name, verdict=Verdict.THERE, builds=there, since=since)


def _key(key: ConfigKey, known: Known) -> Judged[ConfigKey]:
    if not key.key:
        why = "which keys it sets is only known when it runs"
        return Judged(found=key, verdict=Verdict.UNKNOWN, why=why)
    reached = _reached_on(key, known)
    if not reached:
        return Judged(found=key, verdict=Verdict.UNREACHED)
    answers = known.answers(key.path, reached)
    since = tuple(known.statements(key.path))
    absent = tuple(build for build, there in answers.items() if there is False)
    there = tuple(build for build, found in answers.items() if found)
    if absent:
        return Judged(found=key, verdict=Verdict.ABSENT, builds=absent, since=since)
    if there:
        return Judged(found=key, verdict=Verdict.THERE, builds=there, since=since)
    return Judged(found=key, verdict=Verdict.UNKNOWN, why="the matrix does not watch it")


def _reached_on(found: NameUse | ConfigKey, known: Known) -> list[BuildId]:
    """The builds that the version checks around a place let through."""
    return [
        build.id
        for build in known.builds
        if build.release is not None
        and all(each.lets_through(build.release) for each in found.conditions)
    ]


def _why_unknown(path: str, known: Known) -> str:
    records = filter(None, (known.name(path, build.id) for build in known.builds))
    if why := next((record.unknown for record in records if record.unknown), ""):
        return why
    owner = path.rpartition(".")[0]
    if any(known.is_thread_local(owner, build.id) for build in known.builds):
        return f"{owner} is a threading.local: what it holds is known only once it was set"
    return "the matrix does not watch it"


def _called(name: NameUse, call: Call, builds: Sequence[BuildId], known: Known) -> Judged[NameUse]:
    """A call of what is there on ``builds``: whether they take it, as far as that is certain."""
    refused: dict[BuildId, tuple[str, ...]] = {}
    certain = call.whole
    for build in builds:
        record = known.name(name.path, build)
        signature = signature_of(record.signature) if record is not None else None
        if signature is None:
            certain = False
        elif found := not_taken(signature, call):
            refused[build] = found
    since = tuple(known.statements(name.path))
    if refused:
        missing = tuple(dict.fromkeys(each for found in refused.values() for each in found))
        return Judged(
            found=name,
            verdict=Verdict.REFUSED,
            builds=tuple(refused),
            missing=missing,
            since=since,
        )
    why = "" if certain else "whether it takes the whole call cannot be told"
    return Judged(found=name, verdict=Verdict.THERE, builds=tuple(builds), since=since, why=why)


def _stand_in(stand_in: StandIn, known: Known) -> Judged[StandIn]:
    lacking: dict[BuildId, list[str]] = {}
    asked = []
    for build in known.builds:
        needed = known.members_needed(build.id)
        if needed is not None:
            asked.append(build.id)
            if missing := sorted(needed - stand_in.members):
                lacking[build.id] = missing
    if not asked:
        why = "what torch reads of it is not known on any of these builds"
        return Judged(found=stand_in, verdict=Verdict.UNKNOWN, why=why)
    if not lacking:
        return Judged(found=stand_in, verdict=Verdict.WHOLE, builds=tuple(asked))
    if not stand_in.whole:
        why = "what it inherits, or makes up, cannot be read from its class"
        return Judged(found=stand_in, verdict=Verdict.UNKNOWN, why=why)
    members = tuple(dict.fromkeys(each for found in lacking.values() for each in found))
    return Judged(found=stand_in, verdict=Verdict.LACKS, builds=tuple(lacking), missing=members)

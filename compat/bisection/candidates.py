"""What a bisection asks one after the other: builds for one subject, or releases on one build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from packaging.version import InvalidVersion, Version

from compat.builds.index import IndexedWheel
from compat.errors import UsageError
from compat.probes.sources import subject_source
from compat.subjects.files import releases
from compat.subjects.spec import (
    BUILTIN_ALONE,
    PROJECTS,
    Kind,
    SubjectSpec,
    digest_of_python_files,
)


class Over(str, Enum):
    """What changes from one candidate to the next."""

    BUILDS = "builds"
    SUBJECT = "subject"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A subject on a build."""

    wheel: IndexedWheel
    subject: SubjectSpec = BUILTIN_ALONE
    over: Over = Over.BUILDS

    @property
    def name(self) -> str:
        """What tells it from the others: the build's version, or the subject's id."""
        return str(self.wheel.version) if self.over is Over.BUILDS else self.subject.id()

    @property
    def note(self) -> str:
        """What its answer goes by; a release candidate has the name of the one before it."""
        parts = [self.wheel.filename, self.wheel.sha256]
        if self.subject != BUILTIN_ALONE:
            files = digest_of_python_files(self.subject.path) if self.subject.path else ""
            parts += [str(self.subject), subject_source(self.subject.name, files)]
        return " ".join(parts).strip()


def between_releases(
    subject: SubjectSpec, good: str, bad: str, wheel: IndexedWheel
) -> list[Candidate]:
    """The releases of a subject from ``good`` to ``bad``, oldest first, on one build.

    Raises:
        UsageError: The subject has no releases, or one of the ends is none of them.
        InstallError: The index did not answer.
    """
    if subject.name not in PROJECTS or subject.path is not None:
        raise UsageError(f"--over subject: expected one of {', '.join(PROJECTS)}, not {subject}")
    found = releases(subject.name)
    ends = [_release(name, text, found) for name, text in (("--good", good), ("--bad", bad))]
    if not ends[0] < ends[1]:
        raise UsageError(f"--good {good}: expected an older release than --bad {bad}")
    return [
        Candidate(
            wheel=wheel,
            subject=SubjectSpec(name=subject.name, kind=Kind.EXACT, version=str(version)),
            over=Over.SUBJECT,
        )
        for version in found
        if ends[0] <= version <= ends[1] and (version in ends or not version.is_prerelease)
    ]


def _release(option: str, text: str, found: Sequence[Version]) -> Version:
    try:
        version = Version(text.removeprefix("=="))
    except InvalidVersion:
        version = None
    if version is None or version not in found:
        newest = ", ".join(map(str, found[-3:]))
        raise UsageError(f"{option} {text}: expected a release, such as one of {newest}")
    return version

"""What the matrix knows of names, features and of what torch reads, on the builds of a range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from compat.findings.support import Answered, Statement, infer
from compat.runs.ids import BuildId
from compat.runs.model import Build
from compat.topics.gates.records import Capability
from compat.topics.matrix import Matrix
from compat.topics.stand_in.records import Needs, Reads
from compat.topics.surface.finding import keys_on, own_names_on, used_names_on
from compat.topics.surface.records import Name

# Of these no attribute is known before it is set: torch._guards._TLS was one up to 2.13.
_THREAD_LOCAL = "value of type _thread._local"
_FLOORS = frozenset({">=", ">", "~=", "=="})


@dataclass(frozen=True)
class _Watched:
    """What a build was asked about.

    Attributes:
        names: By dotted path; config keys are among them.
        there: The names around one that is there.
        absent: The names that are not.
    """

    names: Mapping[str, Name]
    there: frozenset[str]
    absent: frozenset[str]

    @classmethod
    def on(cls, matrix: Matrix, build: BuildId) -> _Watched:
        told = (*used_names_on(matrix, build), *own_names_on(matrix, build))
        names = {path: each.found for path, each in told}
        for path, key in keys_on(matrix, build):
            names[path] = Name(there=key.found.there, signature="", refused=())
        around = (_around(path) for path, name in names.items() if name.there)
        return cls(
            names=names,
            there=frozenset(chain.from_iterable(around)),
            absent=frozenset(path for path, name in names.items() if name.there is False),
        )

    def implies(self, path: str) -> bool | None:
        """Whether a name that nobody asked about is there: it is if one below it is."""
        if path in self.there:
            return True
        return None if self.absent.isdisjoint(_around(path)) else False


def _around(path: str) -> Iterator[str]:
    """``a.b`` and ``a`` of ``a.b.c``."""
    while "." in path:
        path = path.rpartition(".")[0]
        yield path


class Known:
    """The latest run, asked about a range of versions.

    Attributes:
        builds: Those of the range with a version that is known, oldest first.
        oldest: The oldest version that the range allows; of a range without a floor, the oldest
            that was run.
    """

    def __init__(self, matrix: Matrix, versions: SpecifierSet) -> None:
        self._matrix = matrix
        self.builds: Sequence[Build] = [
            build
            for build in matrix.ran()
            if build.release is not None and versions.contains(build.release, prereleases=True)
        ]
        self.oldest: Version = _oldest(versions, self.builds)
        self._watched = {build.id: _Watched.on(matrix, build.id) for build in matrix.builds}

    def answers(self, path: str, builds: Sequence[BuildId]) -> Mapping[BuildId, bool | None]:
        """By build: whether a name, or a module, is there; None where nobody can tell."""
        return {build: self._there(path, build) for build in builds}

    def _there(self, path: str, build: BuildId) -> bool | None:
        record = self.name(path, build)
        return self._watched[build].implies(path) if record is None else record.there

    def name(self, path: str, build: BuildId) -> Name | None:
        """What was recorded of a watched name, or config key, on a build."""
        return self._watched[build].names.get(path)

    def is_thread_local(self, path: str, build: BuildId) -> bool:
        """Whether a build has a ``threading.local`` there."""
        record = self.name(path, build)
        return record is not None and record.signature == _THREAD_LOCAL

    def statements(self, path: str) -> list[Statement]:
        """Since when a name is there, from all builds of one device and Python."""
        lines: dict[tuple[str, str], list[Answered]] = {}
        for build in self._matrix.ran():
            record = self.name(path, build.id)
            if record is not None and record.there is not None and build.release is not None:
                said = Answered(
                    version=build.release, there=record.there, signature=record.signature
                )
                lines.setdefault(build.id.line, []).append(said)
        # The line of which most is known.
        return infer(max(lines.values(), key=len)) if lines else []

    def feature(self, name: str) -> Mapping[BuildId, bool]:
        """By build of which it is known: whether it has a feature."""
        return {
            build.id: record.capability
            for build in self.builds
            for record in self._matrix.records(Capability, build.id, feature=name)[:1]
        }

    def features(self) -> list[str]:
        """The features that were asked about, by their keyword."""
        return self._matrix.values(Capability, "feature")

    def members_read(self) -> set[str]:
        """The members of a stand-in that torch reads on any build of the run."""
        return {
            member
            for build in self._matrix.builds
            for record in self._matrix.records(Reads, build.id)
            for member in record.reads
        }

    def members_needed(self, build: BuildId) -> set[str] | None:
        """Without which saving or loading fails on a build; None where that is not known.

        What torch reads and the stand-in of the probe does not have is among them.
        """
        reads = self._matrix.records(Reads, build)
        needs = {
            seen.cell.params["member"]: seen.record
            for seen in self._matrix.seen(Needs, build)
            if seen.record is not None
        }
        if not reads or not needs:
            return None
        return {
            *(member for member, record in needs.items() if record.needed),
            *reads[0].unknown,
        }


def _oldest(versions: SpecifierSet, builds: Sequence[Build]) -> Version:
    floors = [
        Version(each.version.removesuffix(".*")) for each in versions if each.operator in _FLOORS
    ]
    run = [build.release for build in builds if build.release is not None]
    return max(floors, default=min(run, default=Version("0")))

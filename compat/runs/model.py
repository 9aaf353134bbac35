"""What one matrix execution saw, as plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from compat.runs.ids import BUILTIN, BuildId, CellId, CheckId

if TYPE_CHECKING:
    from packaging.version import Version

SCHEMA_VERSION = 5

JSON = Any

# A probe or a parameter that is marked ``full`` is left out of the default matrix.
DEFAULT = "default"
FULL = "full"
DEPTHS = (DEFAULT, FULL)

# The parameter of a check that builds upon what another build left: that build's id.
SAVED_BY = "saved_by"


# As compat.runs.store.execution_id() makes it.
_EXECUTION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}\.[0-9]{3}Z")


class Outcome(str, Enum):
    """How a cell ended. Unknown is never shown as pass or as unsupported."""

    # Equal to its text, it has the hash of that; that of an Enum is a function in Python.
    __hash__ = str.__hash__

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    CRASH = "crash"
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"
    SKIP = "skip"
    NOT_RUN = "not-run"

    @property
    def bad(self) -> bool:
        """Whether a cell that ended so says that the build, or the interface on it, is broken."""
        return self in {Outcome.FAIL, Outcome.ERROR, Outcome.CRASH, Outcome.TIMEOUT}

    @property
    def known(self) -> bool:
        """Whether a cell that ended so was asked: a skipped one and one not run say nothing."""
        return self not in {Outcome.SKIP, Outcome.NOT_RUN}


class Status(str, Enum):
    """What became of a build as a whole.

    ``UNAVAILABLE`` builds could not be had from any index, or no machine took them: nothing is
    known about them.
    ``BROKEN`` builds were there and could not be installed, imported or run to the end.
    """

    OK = "ok"
    UNAVAILABLE = "unavailable"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """What was installed; the hash is empty where the environment was there already."""

    filename: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where a build ran.

    Attributes:
        kind: ``cpu`` or ``cuda``.
        name: The CPU's vector instructions, or the GPU; empty where torch cannot use it.
        driver: The GPU's; None on a CPU.
        capability: The GPU's compute capability, ``9.0``.
        runtime: The CUDA that torch was built with, ``13.0``.
        count: How many GPUs torch sees.
    """

    kind: str
    name: str = ""
    driver: str | None = None
    capability: str = ""
    runtime: str = ""
    count: int = 0


@dataclass(frozen=True, kw_only=True)
class Build:
    """One PyTorch on one device.

    Attributes:
        id: Names the build and its device, in cells and on the command line.
        aliases: Every spec that resolved to this build.
        requested: The first of them.
        version: ``torch.__version__``, with its local part, once the build was imported.
        channel: ``stable``, ``test``, ``nightly`` or ``local``.
        variant: ``cpu``, ``cu130``, …
        note: Why a spec resolved to this build, where that needs saying.
        reason: Why the status is not ok.
        compiler: First line of the C++ compiler's ``--version``.
    """

    id: BuildId
    aliases: tuple[str, ...]
    requested: str
    channel: str
    device: Device
    version: str = ""
    variant: str = ""
    git_version: str = ""
    triton: str = ""
    python: str = ""
    compiler: str = ""
    wheel: Wheel | None = None
    note: str = ""
    status: Status = Status.OK
    reason: str = ""

    @property
    def label(self) -> str:
        """As people read its id."""
        return self.id.label

    @property
    def version_text(self) -> str:
        """Its version; what it goes by where it never got one."""
        return self.version or self.id.name

    @property
    def release(self) -> Version | None:
        """Its version without the local part; None where it has none."""
        # A worker imports this module before it has what its environment lacks.
        from compat.runs.versions import public_version

        return public_version(self.version_text)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose compiler interface was run.

    Attributes:
        id: ``vllm-0.33.0``, ``mine-backend``; see :meth:`compat.subjects.spec.SubjectSpec.id`.
        requested: The spec that people type for just this subject.
        requires: The versions of torch that its own metadata allow, such as ``==2.14.0``; empty
            where they say nothing.
    """

    id: str
    requested: str
    requires: str = ""

    def supports(self, build: Build) -> bool:
        """Whether it is meant to work on a build, as far as it says."""
        from packaging.specifiers import SpecifierSet

        return build.release is None or SpecifierSet(self.requires).contains(
            build.release, prereleases=True
        )


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A subject on a build; the builtin subject is part of this project and has no pairs.

    Attributes:
        supported: Whether the subject is meant to work on that build. What breaks in a pair that is
            not says nothing against either: it is ``unsupported``.
        status: What became of it as a whole.
        reason: Why that is not ok.
    """

    subject: str
    build: BuildId
    supported: bool
    status: Status = Status.OK
    reason: str = ""

    @property
    def label(self) -> str:
        """As people read it."""
        return f"{self.subject} on {self.build.label}"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """How a cell ended when it was first tried; see :class:`Cell` for the attributes."""

    outcome: Outcome
    reason: str = ""
    signature: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One check on one build, and how it ended.

    Attributes:
        reason: For outcomes other than pass: why, in one line.
        signature: See :mod:`compat.runs.signature`; only of failures.
        message: The failure as the probe's author would read it; several lines.
        duration_s: Seconds the probe took.
        compile_s: Seconds of these that went into capturing and compiling.
        record: What the probe found out: by the name of the record's type, its fields. None where
            nothing was recorded. :class:`compat.topics.matrix.Matrix` gives it its type.
        first: How it ended at first, if it was tried twice.
        seen_in: The :class:`Source` that saw it; empty if nothing was seen.
    """

    build: BuildId
    probe: str
    params: Mapping[str, str]
    outcome: Outcome
    subject: str = BUILTIN
    reason: str = ""
    signature: str = ""
    message: str = ""
    duration_s: float = 0.0
    compile_s: float = 0.0
    record: Mapping[str, Mapping[str, JSON]] | None = None
    first: Attempt | None = None
    seen_in: str = ""

    @property
    def flaky(self) -> bool:
        """Whether two attempts ended differently."""
        return self.first is not None and self.first.outcome is not self.outcome

    @cached_property
    def check(self) -> CheckId:
        return CheckId.of(self.probe, self.params)

    @cached_property
    def id(self) -> CellId:
        return CellId.of(self.check, self.build, self.subject)


@dataclass(frozen=True, kw_only=True)
class Harness:
    """The project that ran: its version, and its git commit with ``+`` if the tree was dirty."""

    version: str
    commit: str


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine that ran."""

    system: str
    machine: str
    cpu: str
    cores: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """One execution that saw cells: ``id`` names its folder, ``started`` is UTC, ISO 8601.

    Raises:
        ValueError: One of these two is none.
    """

    id: str
    started: str
    harness: Harness
    host: Host

    def __post_init__(self) -> None:
        if not _EXECUTION.fullmatch(self.id):
            raise ValueError(f"expected an id such as 2026-11-22T050000.000Z, not {self.id[:40]!r}")
        date.fromisoformat(self.id[: len("YYYY-MM-DD")])
        if datetime.fromisoformat(self.started).tzinfo is None:
            raise ValueError(f"expected a time in UTC, not {self.started[:40]!r}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything one report is made of.

    Attributes:
        sources: Every execution that saw one of the cells: several, where cells were reused or
            where several machines took part.
        subjects: Whose interfaces were run besides the builtin one,
        pairs: and on which builds.
        descriptions: What each probe asks, by its name.
    """

    schema_version: int
    sources: tuple[Source, ...]
    builds: tuple[Build, ...]
    subjects: tuple[Subject, ...] = ()
    pairs: tuple[Pair, ...] = ()
    descriptions: Mapping[str, str]
    cells: tuple[Cell, ...]

    @property
    def newest(self) -> Source:
        """The newest of its executions."""
        return max(self.sources, key=lambda source: source.id)


def hashes_of(run: Run) -> dict[str, str]:
    """By file name: the hash of each wheel that was installed."""
    wheels = [build.wheel for build in run.builds if build.wheel is not None]
    return {wheel.filename: wheel.sha256 for wheel in wheels if wheel.sha256}


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a dataclass by their names, as they are: nothing is copied."""
    return {each.name: getattr(record, each.name) for each in fields(record)}


def to_json(record: Any) -> JSON:
    """A dataclass of plain data as JSON values."""
    return asdict(record)

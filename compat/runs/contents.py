"""What a stream holds, line by line as typed data; what is damaged is passed over and named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from compat.runs.decode import DamagedError, decode, decode_text
from compat.runs.ids import CheckId, InvalidIdError
from compat.runs.model import (
    JSON,
    SAVED_BY,
    Attempt,
    Build,
    Device,
    Outcome,
    Source,
    Status,
    Subject,
)
from compat.runs.stream import Stream


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A cell that is to be run; ``node`` is what pytest calls it."""

    probe: str
    params: Mapping[str, str]
    description: str
    node: str = ""

    @property
    def check(self) -> CheckId:
        return CheckId.of(self.probe, self.params)


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Where the seconds of a cell went, by the names of torch's parts; the rest has no name.

    Attributes:
        dynamo: Capturing, without the backend.
        aot_autograd: Without Inductor.
        inductor: Its Python: lowering, scheduling, code generation.
        compiler: g++, which links as well.
        loading: What it made, and the Python that calls it.
        garbage: Collections of garbage, which interrupt all the others and are counted there, too.
    """

    dynamo: float = 0.0
    aot_autograd: float = 0.0
    inductor: float = 0.0
    compiler: float = 0.0
    loading: float = 0.0
    garbage: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Reported:
    """How a cell ended; see :class:`compat.runs.model.Cell` for the attributes.

    Attributes:
        spent: Where its seconds went, if that was seen; a run does not keep it.
        seen_in: Empty where the execution that wrote the stream saw it.
    """

    probe: str
    params: Mapping[str, str]
    outcome: Outcome
    reason: str = ""
    signature: str = ""
    message: str = ""
    duration_s: float = 0.0
    compile_s: float = 0.0
    spent: Spent | None = None
    record: Mapping[str, Mapping[str, JSON]] | None = None
    first: Attempt | None = None
    seen_in: str = ""

    @property
    def check(self) -> CheckId:
        return CheckId.of(self.probe, self.params)

    @property
    def flaky(self) -> bool:
        """Whether two attempts ended differently."""
        return self.first is not None and self.first.outcome is not self.outcome


@dataclass(frozen=True, kw_only=True)
class Described:
    """What a build's environment says of itself; see :class:`compat.runs.model.Build`."""

    version: str
    git_version: str
    triton: str
    python: str
    compiler: str
    device: Device


@dataclass(frozen=True, kw_only=True)
class Begin:
    """A phase of the worker has begun."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Phase:
    """How long something took that came before the cells."""

    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class End:
    """What became of the build as a whole, and seconds by phase."""

    status: Status
    reason: str
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Key:
    """Everything that can change how the cells of a build end, as digests.

    Attributes:
        environment: Of the wheel and all that is installed with it, Python, device, driver and
            C++ compiler. Empty where it may change unnoticed: then nothing is reused.
        plan: Of all source that decides which cells there are.
        probes: By probe: of its source and of what it imports.
        depth: How many of the probes were asked for,
        select: and the texts that chose among these; all of them if there are none.
        others: By name: the environments of the builds whose leavings this one is asked about.
            Empty where a build is asked about itself.
        subject: Of the subject's files and of what drives it; empty for the builtin one.
    """

    environment: str
    plan: str
    probes: Mapping[str, str]
    depth: str
    select: Sequence[str]
    others: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""

    def concerns(self, planned: Planned | Reported) -> bool:
        """Whether a check is among those that are asked for."""
        about = planned.params.get(SAVED_BY)
        asked = about in self.others if self.others else about is None
        return asked and (not self.select or any(text in planned.check for text in self.select))

    def same_inputs(self, written: Key, reported: Reported) -> bool:
        """Whether a check had the same inputs under another key."""
        about, probe = reported.params.get(SAVED_BY, ""), reported.probe
        theirs = self.others.get(about)
        return (
            "" not in (self.environment, theirs)
            and (written.environment, written.subject) == (self.environment, self.subject)
            and written.probes.get(probe) == self.probes.get(probe)
            and written.others.get(about) == theirs
        )

    def selects_no_more_than(self, select: Sequence[str]) -> bool:
        """Whether ``select`` lets every check pass that this key does."""
        narrower = (any(wide in text for wide in select) for text in self.select)
        return not select or (bool(self.select) and all(narrower))


@dataclass(kw_only=True)
class Contents:
    """What a stream holds.

    Attributes:
        build: None where not even its first line can be read.
        subject: Whose interface was run in it; None for the builtin one.
        key: The last one: it knows of the other builds, if it came to that.
        environment: What the build said of itself.
        plans: By check.
        cells: By check: the last report, with the ``first`` of a cell that was tried twice.
        end: None where the stream was cut short.
        damaged: The lines that could not be read: the number of each, and what is wrong with it.
    """

    build: Build | None = None
    subject: Subject | None = None
    key: Key | None = None
    environment: Described | None = None
    sources: list[Source] = field(default_factory=list)
    plans: dict[CheckId, Planned] = field(default_factory=dict)
    cells: dict[CheckId, Reported] = field(default_factory=dict)
    phases: list[Phase] = field(default_factory=list)
    end: End | None = None
    damaged: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether the build was probed to its end: one that the machine cut short has a reason."""
        return self.end is not None and self.end.status is Status.OK and not self.end.reason


# What a line is, by its kind.
KINDS: Mapping[str, type] = {
    "build": Build,
    "subject": Subject,
    "key": Key,
    "environment": Described,
    "source": Source,
    "plan": Planned,
    "cell": Reported,
    "begin": Begin,
    "phase": Phase,
    "end": End,
}


def read_contents(stream: Stream) -> Contents:
    """Everything in ``stream``; a line that cannot be read costs nothing but itself."""
    contents = Contents()
    for number, line in enumerate(stream.lines(), start=1):
        problem = _problem(contents, line)
        if problem:
            contents.damaged.append(f"line {number}: {problem}")
    return contents


def _problem(contents: Contents, line: bytes) -> str:
    """What is wrong with a line; empty where nothing is, and it was added."""
    try:
        _, said = read_line(line)
        _add(contents, said)
    except (DamagedError, InvalidIdError) as error:
        return str(error)
    return ""


def read_line(line: bytes) -> tuple[str, object]:
    """A line's kind, and what it says.

    Raises:
        DamagedError: It is no line of a stream.
    """
    data = decode_text(line, dict[str, Any])
    kind = data.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise DamagedError(f"expected a kind among {', '.join(KINDS)}, not {str(kind)[:40]!r}")
    return kind, decode(data, KINDS[kind])


def _add(contents: Contents, said: object) -> None:
    match said:
        case Build():
            contents.build = said
        case Subject():
            contents.subject = said
        case Key():
            contents.key = said
        case Described():
            contents.environment = said
        case Source():
            contents.sources.append(said)
        case Planned():
            contents.plans[said.check] = said
        case Reported():
            _report(contents, said)
        case Phase():
            contents.phases.append(said)
        case End():
            contents.end = said


def _report(contents: Contents, reported: Reported) -> None:
    earlier = contents.cells.get(reported.check)
    if earlier is not None and earlier.outcome is not Outcome.NOT_RUN:
        first = Attempt(
            outcome=earlier.outcome,
            reason=earlier.reason,
            signature=earlier.signature,
            message=earlier.message,
        )
        reported = replace(reported, first=first)
    contents.cells[reported.check] = reported

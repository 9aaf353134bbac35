"""What a run means, as plain data. Builds are named by their label, cells by their id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """What a gate does on a build."""

    USED = "used"
    MISSED = "missed"  # there, but gated off
    BROKEN = "broken"  # gated on, but not there
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Answer(str, Enum):
    """True, false and unknown, kept apart to the end."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool | None) -> Answer:
        if value is None:
            return cls.UNKNOWN
        return cls.YES if value else cls.NO


@dataclass(frozen=True, kw_only=True)
class GateFinding:
    """One feature: what its gate says and where builds have it.

    Attributes:
        gate: The floor that downstream ships; None where it ships none.
        available_since: The first build seen with the feature; None if none was.
        absent_until: The last build before that one seen without it; None if none was.
        verdicts: By build.
    """

    feature: str
    gate: str | None
    source: str
    available_since: str | None
    absent_until: str | None
    verdicts: Mapping[str, Verdict]


@dataclass(frozen=True, kw_only=True)
class WorkaroundFinding:
    """One workaround: where it is needed and which ways of doing it work.

    Attributes:
        needed: By build.
        failures: By build: the signature of what happens without it.
        works: By strategy, then by build.
        deletable_from: The first build from which on no build needs it; None if unknown, or if
            no build in the run showed that the probe can see the crash.
        control: A build that needs it, which shows that the probe can see the crash.
    """

    name: str
    needed: Mapping[str, Answer]
    failures: Mapping[str, str]
    works: Mapping[str, Mapping[str, Answer]]
    deletable_from: str | None
    control: str | None


class Agreement(str, Enum):
    """How the paths' outputs relate."""

    BITWISE = "bitwise"
    CLOSE = "close"
    DIFFER = "differ"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class ParityFinding:
    """One model, dtype and batch on one build, over all paths.

    Attributes:
        agreement: ``bitwise`` when all compiled paths that ran gave the same bits; ``close`` when
            all are within tolerance of eager.
        paths: The compiled paths that were compared.
        max_abs: The largest absolute difference from eager over all paths.
        max_rel: Likewise, relative.
        kernels: Whether all these paths generate the very same kernels.
        repeats: Whether each of these paths gives the very same bits when it is run again.
    """

    build: str
    model: str
    dtype: str
    batch: str
    agreement: Agreement
    paths: tuple[str, ...]
    max_abs: float
    max_rel: float
    kernels: Answer
    repeats: Answer


@dataclass(frozen=True, kw_only=True)
class DriftFinding:
    """How far a model's outputs moved from one build to the next, on one device.

    Attributes:
        before: The older of two neighbouring builds.
        after: The newer one.
        compiled: The largest change of a sampled value over all compiled paths and batches, in
            units of the output's root mean square; None where that cannot be told.
        eager: Likewise without any compiler: what is no doing of the compiler's.
        jump: Whether the compiled paths moved by more than the dtype's usual noise.
        cells: The newer build's cells.
    """

    model: str
    dtype: str
    device: str
    before: str
    after: str
    compiled: float | None
    eager: float | None
    jump: bool
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SurfaceChange:
    """A private name that differs between two neighbouring builds."""

    name: str
    before: str
    after: str
    was: str
    became: str


class Load(str, Enum):
    """What became of the load of a saved artifact."""

    RIGHT = "right"
    REFUSED = "refused"
    REFUSED_UNCLEARLY = "refused unclearly"  # without a word on what is wrong
    WRONG = "wrong"
    CRASHED = "crashed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class DeviceDifference:
    """A check that ends or answers otherwise on a GPU than on a CPU with the same torch.

    Attributes:
        cpu: What it says on the CPU,
        cuda: and on the GPU.
        builds: The builds on the GPU of which this is true.
    """

    check: str
    cpu: str
    cuda: str
    builds: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A finding in words, and the cells that say so."""

    title: str
    text: str
    cells: tuple[str, ...]


class Met(str, Enum):
    """What a run says of an expectation."""

    USED = "used"
    UNUSED = "unused"  # its cells were run, and none ended as expected
    UNASKED = "unasked"  # none of its cells was run


@dataclass(frozen=True, kw_only=True)
class ExpectationFinding:
    """One entry of ``expectations.toml``, and what became of it in this run.

    Attributes:
        overdue: Whether the run is from after ``review_by``.
        cells: Those that ended as expected.
    """

    probe: str
    builds: str
    reason: str
    link: str
    review_by: str
    overdue: bool
    met: Met
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything derived from one run and from what was expected of it.

    Attributes:
        paths: By build, then by path: the counts of outcomes of its parity cells.
        flaky: Ids of cells that ended differently when they were tried again.
        expected: Ids of cells that ended badly, as expected.
        failed_controls: By cell that shows that the run is unhealthy: why it does.
        unexpected: Ids of cells, and labels of builds, that turn the run red.
    """

    gates: tuple[GateFinding, ...]
    workarounds: tuple[WorkaroundFinding, ...]
    parity: tuple[ParityFinding, ...]
    drift: tuple[DriftFinding, ...]
    surface: tuple[SurfaceChange, ...]
    devices: tuple[DeviceDifference, ...]
    paths: Mapping[str, Mapping[str, Mapping[str, int]]]
    sentences: tuple[Sentence, ...]
    flaky: tuple[str, ...]
    expectations: tuple[ExpectationFinding, ...]
    expected: tuple[str, ...]
    failed_controls: Mapping[str, str]
    unexpected: tuple[str, ...]

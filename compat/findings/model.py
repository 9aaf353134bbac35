"""What a run means, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from compat.document.parts import Sentence
from compat.runs.ids import CellId
from compat.topics.devices.finding import Differences


class Use(str, Enum):
    """What a run says of an expectation."""

    USED = "used"
    UNUSED = "unused"  # its cells were run, and none ended as expected
    UNASKED = "unasked"  # none of its cells was run


@dataclass(frozen=True, kw_only=True)
class ExpectationFinding:
    """One entry of ``expectations.toml``, and what became of it in this run.

    Attributes:
        answer: The answer that it is about; empty where it is about how cells end.
        overdue: Whether the run is from after ``review_by``.
        cells: Those that ended, or say, what was expected.
    """

    probe: str
    answer: str
    builds: str
    reason: str
    link: str
    review_by: str
    overdue: bool
    use: Use
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything derived from one run and from what was expected of it.

    Attributes:
        topics: By the topic's name: what it found.
        devices: Where a GPU answers otherwise than a CPU with the same torch.
        sentences: The findings in words.
        flaky: Cells that ended differently when they were tried again.
        expected: Cells that ended badly, as expected.
        failed_controls: By cell that shows that the run is unhealthy: why it does.
        unfit: By cell: why its record could not be read.
        unexpected: Cells that ended badly or say nothing although their build was run.
    """

    topics: Mapping[str, Any]
    devices: Differences
    sentences: tuple[Sentence, ...]
    flaky: tuple[CellId, ...]
    expectations: tuple[ExpectationFinding, ...]
    expected: tuple[CellId, ...]
    failed_controls: Mapping[CellId, str]
    unfit: Mapping[CellId, str]
    unexpected: tuple[CellId, ...]

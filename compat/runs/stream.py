"""One JSON-lines stream per build and device, flushed outcome by outcome.

The runner writes the first line, ``{"kind": "build"}``, and the last, ``{"kind": "end"}``; the
worker inside the build's environment appends what it sees. Several processes may append to one
stream: what is appended together is a single write.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

# No text of a cell is longer: what a build says may be.
LONGEST_TEXT = 20_000


class Stream:
    """An append-only file of JSON lines; what was appended survives the process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, kind: str, *records: Mapping[str, Any]) -> None:
        """Write a line for each record, all of them at once.

        Raises:
            OSError: They could not all be written.
        """
        lines = [
            json.dumps({"kind": kind, **_bounded(data)}, allow_nan=False, ensure_ascii=False) + "\n"
            for data in records
        ]
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            # A line that a full disk or a kill cut short must not take the next one with it.
            cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            # Half a surrogate pair, which a message may hold, is no text that can be written.
            data = ("\n" * cut + "".join(lines)).encode(errors="replace")
            if os.write(descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def begin(self, phase: str) -> None:
        """Say what is done from now on, so that others can tell where it stopped."""
        self.append("begin", {"name": phase})

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Begin a phase, and append how many seconds it took if it came to its end."""
        self.begin(phase)
        started = perf_counter()
        yield
        self.append("phase", {"name": phase, "seconds": round(perf_counter() - started, 2)})

    def lines(self, start_b: int = 0) -> Iterator[bytes]:
        """Every line that was written to its end, from a byte on.

        See :mod:`compat.runs.contents` for what they say.
        """
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(start_b)
                yield from (line for line in file if line.endswith(b"\n"))


def _bounded(value: Any) -> Any:
    """JSON values without very long texts."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    if isinstance(value, Mapping):
        return {_bounded(key): _bounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_bounded(each) for each in value]
    return value

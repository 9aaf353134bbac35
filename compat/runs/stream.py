"""One JSON-lines stream per build and device, flushed outcome by outcome.

The runner writes the first line, ``{"kind": "build"}``, and the last, ``{"kind": "end"}``; the
worker inside the build's environment appends everything between. Several processes may append to
one stream: what is appended together is a single write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Stream:
    """An append-only file of JSON lines; what was appended survives the process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, kind: str, *records: Mapping[str, Any]) -> None:
        """Write a line for each record, all of them at once."""
        lines = [json.dumps({"kind": kind, **data}, allow_nan=False) + "\n" for data in records]
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, "".join(lines).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every whole line as its kind and its data; a line that was cut short is passed over."""
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                data = json.loads(line)
            except json.JSONDecodeError:
                continue
            yield data.pop("kind"), data

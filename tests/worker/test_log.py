"""What is kept of a log that its process is still writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.running import overseer
from compat.worker import jobs


def test_the_end_of_a_log_that_grows_while_it_is_read_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"before ")
    size_before = log.stat()
    with log.open("ab") as file:
        file.write(b"x" * (overseer._TAIL_B + jobs.LOG_TAIL))
    monkeypatch.setattr(Path, "stat", lambda *_, **__: size_before)
    monkeypatch.setattr(Path, "exists", lambda _: True)
    assert len(jobs.tail(log)) == jobs.LOG_TAIL
    assert len(overseer._tail(log)) == overseer._TAIL_B

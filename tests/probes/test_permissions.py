from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from compat.probes.permissions import obey_permissions


def write(file: Path) -> None:
    obey_permissions()
    file.write_text("")


@pytest.mark.slow
def test_nobody_writes_where_nobody_may(tmp_path: Path) -> None:
    read_only = tmp_path / "read-only"
    read_only.mkdir(mode=0o555)
    statuses = []
    for folder in (tmp_path, read_only):
        writer = multiprocessing.get_context("fork").Process(target=write, args=(folder / "file",))
        writer.start()
        writer.join()
        statuses.append(writer.exitcode)
    assert statuses == [0, 1]

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from compat.runs.stream import Stream


def test_a_line_cut_short_takes_no_other_with_it(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "stream.jsonl")
    stream.append("cell", {"n": 1})
    with stream.path.open("a") as file:
        file.write('{"kind": "cell", "n"')
    stream.append("cell", {"n": 3})
    assert list(stream.lines()) == [
        b'{"kind": "cell", "n": 1}\n',
        b'{"kind": "cell", "n"\n',
        b'{"kind": "cell", "n": 3}\n',
    ]


def test_what_does_not_fit_on_the_disk_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(tmp_path / "stream.jsonl")
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:10]))
    with pytest.raises(OSError, match="No space left") as raised:
        stream.append("cell", {"n": 1})
    assert raised.value.errno == errno.ENOSPC
    assert raised.value.filename == str(stream.path)

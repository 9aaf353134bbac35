"""A clock that is wrong for once costs no memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Self

import pytest

from compat.runs import retention
from compat.runs.model import to_json
from compat.runs.retention import is_remembered, keep_newest, prune
from compat.runs.store import RunFolder, write_json
from tests.conftest import SOURCE, make_build

NOW = datetime(2026, 11, 22, 5, tzinfo=timezone.utc)


def leave_run(runs: Path, began: datetime, reason: str = "") -> RunFolder:
    """A run of 2.13.0 that began then and came to its end, unless there is a reason."""
    name = f"{began:%Y-%m-%dT%H%M%S.000Z}"
    source = replace(SOURCE, id=name, started=began.isoformat())
    write_json(runs / name / "header.json", to_json(source))
    folder = RunFolder(runs / name)
    build = make_build("2.13.0")
    stream = folder.stream(build.id)
    stream.append("build", to_json(build))
    stream.append("end", {"status": "ok", "reason": reason, "seconds": {}})
    return folder


def set_clock(monkeypatch: pytest.MonkeyPatch, time: datetime) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(time.timestamp(), tz)

    monkeypatch.setattr(retention, "datetime", Clock)


@pytest.mark.parametrize("days_ahead", [0, 40, -40])
def test_a_clock_that_is_wrong_now_makes_nothing_old(
    days_ahead: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recent = [leave_run(tmp_path, NOW - timedelta(days=days)) for days in (29, 1)]
    set_clock(monkeypatch, NOW + timedelta(days=days_ahead))
    prune(tmp_path)
    assert RunFolder.all(tmp_path) == recent
    keep_newest(recent, tmp_path / "published")
    assert [each.path.name for each in RunFolder.all(tmp_path / "published")] == [
        recent[-1].path.name
    ]


def test_one_run_that_was_made_ahead_of_time_makes_no_other_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, NOW)
    recent = leave_run(tmp_path, NOW - timedelta(days=1))
    ahead = leave_run(tmp_path, NOW + timedelta(days=40))
    prune(tmp_path)
    assert RunFolder.all(tmp_path) == [recent, ahead]
    # It holds nothing that counts for longer than the clock was wrong.
    keep_newest([recent, ahead], tmp_path / "published")
    assert [each.path.name for each in RunFolder.all(tmp_path / "published")] == [recent.path.name]
    assert not is_remembered(ahead.path.name)
    assert is_remembered(recent.path.name)


def test_what_is_a_month_older_than_the_newest_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, NOW)
    leave_run(tmp_path, NOW - timedelta(days=31))
    recent = leave_run(tmp_path, NOW)
    prune(tmp_path)
    assert RunFolder.all(tmp_path) == [recent]
    prune(tmp_path / "nothing")


def test_what_the_machine_cut_short_does_not_take_the_place_of_what_is_whole(
    tmp_path: Path,
) -> None:
    whole = leave_run(tmp_path, NOW - timedelta(days=1))
    cut = leave_run(tmp_path, NOW, reason="probe: killed from outside by SIGKILL")
    keep_newest([whole, cut], tmp_path / "published")
    assert [each.path.name for each in RunFolder.all(tmp_path / "published")] == [whole.path.name]


def test_what_never_became_a_run_goes(tmp_path: Path) -> None:
    """Seen in the soak: SIGKILL while a run's header was written."""
    run = leave_run(tmp_path, NOW)
    unborn = tmp_path / "2026-11-22T060000.000Z"
    unborn.mkdir()
    (unborn / "header.json.0123456789abcdef.partial").write_text("{")
    unread = tmp_path / "2026-11-22T070000.000Z"
    unread.mkdir()
    (unread / "header.json").write_text("{")
    prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [run.path.name, unread.name]

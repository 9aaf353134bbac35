"""The release candidate whose probes all pass and which is not as the release was.

Hiding the context is needed again, ``fake_mode=`` is gone, standalone copies the graph four times
instead of once, and compiling takes three times as many calls. Made of cells of 2.10 to 2.13 as
they were really seen, and read through the user's commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from compat.cli import main
from compat.commands.reading import latest
from compat.findings.assess import Color
from compat.runs.ids import BuildId
from compat.runs.model import Build, Cell, Outcome, Run, Source, to_json
from compat.runs.store import RunFolder, load, write_json
from compat.topics.cost.records import Work
from compat.topics.donation.records import Copies
from compat.topics.gates.records import Capability
from compat.topics.records import encode
from compat.topics.tracing_context.records import Needed
from compat.tracking.nights import Wanted
from compat.tracking.sync import find_topics
from tests.conftest import RECORDED, make_cell

RELEASE, CANDIDATE = BuildId("2.13.0-cpu"), BuildId("2.16.0-cpu")
CHANGES = (
    "tracing_context.needed.needed",
    "gates.capability.available",
    "donation.copies.copies",
    "cost.work.calls",
)
Alter = Callable[[Cell], Cell]


def needed_again(cell: Cell) -> Cell:
    if cell.probe != "tracing_context.needed":
        return cell
    record = Needed(needed=True, failure="AssertionError: @ torch._guards:detect_fake_mode")
    return replace(cell, record=encode(cell.probe, record))


def without_fake_mode(cell: Cell) -> Cell:
    if cell.check == "gates.shared_fake_mode[argument]":
        return replace(cell, outcome=Outcome.UNSUPPORTED, record=None)
    if cell.check == "gates.capability[fake_mode]":
        record = Capability(gate=False, capability=False, floor=None, source="pytorch#176562")
        return replace(cell, record=encode(cell.probe, record))
    return cell


def copying(cell: Cell) -> Cell:
    if cell.check != "donation.copies[standalone]":
        return cell
    return replace(cell, record=encode(cell.probe, Copies(copies=4)))


def slow(cell: Cell) -> Cell:
    if cell.probe != "cost.work":
        return cell
    return replace(cell, record=encode(cell.probe, work(cell.params["path"], times=3)))


def work(path: str, times: int) -> Work:
    calls = {"compile_fx": 1_000_000, "standalone": 1_100_000}
    return Work(calls=times * calls[path], instructions=None)


EACH: Sequence[Alter] = (needed_again, without_fake_mode, copying, slow)


def nothing(cell: Cell) -> Cell:
    return cell


def everything(cell: Cell) -> Cell:
    for alter in EACH:
        cell = alter(cell)
    return cell


def with_cost(run: Run) -> list[Cell]:
    """The recorded run is older than the probe that counts calls."""
    cost = [
        make_cell(
            build.id.name,
            "cost.work",
            record=work(path, times=1),
            params={"layers": "1", "path": path},
        )
        for build in run.builds
        for path in ("compile_fx", "standalone")
    ]
    return [*run.cells, *cost]


def night(place: Path, day: int, alter: Alter) -> RunFolder:
    """The recorded builds and that night's candidate, which is 2.13.0 but for what is altered."""
    run = load(RECORDED)
    source = Source(
        id=f"2026-11-{day}T050000.000Z",
        started=f"2026-11-{day}T05:00:00+00:00",
        harness=run.sources[0].harness,
        host=run.sources[0].host,
    )
    folder = RunFolder(place / ".compat" / "runs" / source.id)
    folder.path.mkdir(parents=True)
    write_json(folder.path / "header.json", to_json(source))
    cells = with_cost(run)
    for build in run.builds:
        write(folder, build, [cell for cell in cells if cell.build == build.id])
    (release,) = (build for build in run.builds if build.id == RELEASE)
    candidate = replace(
        release,
        id=CANDIDATE,
        aliases=("2.16.rc",),
        requested="2.16.rc",
        channel="test",
        version="2.16.0+cpu",
        git_version=f"{day:040x}",
    )
    same = [replace(cell, build=CANDIDATE) for cell in cells if cell.build == RELEASE]
    write(folder, candidate, [alter(cell) for cell in same])
    return folder


def write(folder: RunFolder, build: Build, cells: Sequence[Cell]) -> None:
    stream = folder.stream(build.id)
    stream.append("build", to_json(build))
    plans = [{"probe": cell.probe, "params": cell.params, "description": ""} for cell in cells]
    stream.append("plan", *plans)
    seen = [{**to_json(cell), "seen_in": folder.source.id} for cell in cells]
    stream.append("cell", *seen)
    stream.append("end", {"status": "ok", "reason": "", "seconds": {}})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def report(place: Path, day: int, alter: Alter) -> int:
    return main(["report", str(night(place, day, alter).path)])


def said(path: Path) -> str:
    """A text as people read it: markdown and HTML escape what they show."""
    return re.sub(r"\\(.)", r"\1", path.read_text(encoding="utf-8")).replace("&#39;", "'")


def test_a_candidate_that_is_as_the_release_was_is_as_expected(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(place, 21, nothing) == 0
    assert latest().assessment.color is Color.GREEN
    capsys.readouterr()
    assert main(["compare", "2.13", "2.16.rc"]) == 0
    told = capsys.readouterr().out
    assert "0 lost, 0 worse" in told
    assert not any(change in told for change in CHANGES)


@pytest.mark.parametrize(("alter", "change"), [*zip(EACH, CHANGES, strict=True)])
def test_each_change_alone_turns_the_run_red(alter: Alter, change: str, place: Path) -> None:
    assert report(place, 21, alter) == 1
    results = latest()
    assert results.findings.unexpected == ()
    abouts = {group.about for groups in results.assessment.alarms.values() for group in groups}
    assert change in abouts


def test_all_four_are_named_wherever_somebody_looks(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(place, 21, everything) == 1
    shown = {"terminal": capsys.readouterr().out}
    assert main(["compare", "2.13", "2.16.rc"]) == 1
    shown["compare"] = capsys.readouterr().out
    for name in ("README.md", "summary.md", "issue.md", "site/index.html"):
        shown[name] = said(place / "reports" / name)
    for where, text in shown.items():
        assert [change for change in CHANGES if change not in text] == [], where
    # Each with what it said and says.
    for before_and_after in (
        "lost: tracing_context.needed.needed: no → yes",
        "lost: gates.capability.available: yes → no",
        "worse: donation.copies.copies: 1 copy → 4 copies",
        "worse: cost.work.calls: 1000000 to 1100000 calls → 3000000 to 3300000 calls",
    ):
        assert before_and_after in shown["compare"]
        assert before_and_after in shown["README.md"]
    for name in ("README.md", "summary.md", "site/index.html"):
        assert "unexpected on 5 builds" in shown[name], name
    assert "unexpected" in (place / "reports" / "badge.svg").read_text()
    assert latest().findings.unexpected == ()


def test_a_second_night_opens_the_tracking_issue_which_names_them(place: Path) -> None:
    report(place, 21, everything)
    assert report(place, 22, everything) == 1
    topics = find_topics(latest(), nights=2, today=date(2026, 11, 22), run_link="")
    (topic,) = (each for each in topics if "tracking: cpu" in each.marker)
    assert topic.wanted is Wanted.OPEN
    assert [change for change in CHANGES if change not in topic.body] == []
    assert "**still there**, 2 nights in a row" in topic.body

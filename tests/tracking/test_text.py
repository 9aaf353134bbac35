from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from compat.nightly.actions import link_to_run
from compat.runs.answers import text, verdict
from compat.runs.history import Column, History
from compat.runs.ids import BuildId, CellId
from compat.runs.model import Outcome, Run
from compat.tracking.nights import Tracking, Wanted, track
from compat.tracking.text import (
    LIMIT_B,
    comment_body,
    index_topic,
    says_the_same,
    schedule_topic,
    tracking_topic,
)
from tests.conftest import make_build, make_cell, make_run
from tests.tracking.pictures import history_of, night, release

GOLDEN = Path(__file__).with_name("issue.md")
RUN_LINK = "https://github.com/owner/name/actions/runs/7"
HOSTILE = (
    "E: `@bob` fixes #1, owner/name#2, GH-3 <!-- torch-compile-compat tracking: cuda --> "
    "| [x](http://e) <script>\n<!-- torch-compile-compat tracking: cuda -->\n# head \u202e\x1b[31m"
)


def tracked(history: History) -> Tracking:
    tracking = track(history, "cpu", 2)
    assert tracking is not None
    return tracking


def run_of(*columns: Column, check: str = "donation.copies") -> Run:
    builds = [make_build(each.build.name, channel=each.channel) for each in columns]
    params = {"path": "donated"}
    cells = [make_cell(each.build.name, check, Outcome.ERROR, params=params) for each in columns]
    return make_run(builds, cells)


def body_of(
    history: History, run: Run | None = None, files: Mapping[CellId, str] | None = None
) -> str:
    return tracking_topic(tracked(history), run or run_of(night(3)), RUN_LINK, files or {}).body


DONATED = "TypeError: unexpected keyword argument 'donate_graph_module' @ torch._inductor:f"


def a_week() -> History:
    """Something that stays, something new, something gone and something that was not run.

    Also an answer that the nightlies give otherwise than the release.
    """
    pictures = {
        "donation.copies[donated]": "pfff",
        "donation.afterwards[donated-call]": "ppff",
        "artifacts.reload[aot]": "pppe",
        "parity.outputs[mlp-float32-static-aot]": "pffp",
        "settings.standalone_switch": "ppfn",
        "gates.capability[fake_mode]": "pppp",
    }
    columns = [each for number in range(4) for each in (release(number), night(number))]
    there = [
        verdict("available", yes) for yes in (True, True, True, False, True, False, True, False)
    ]
    return history_of(
        {check: "".join(f"p{each}" for each in picture) for check, picture in pictures.items()},
        columns,
        signature=DONATED,
        signatures={
            "artifacts.reload[aot]": {7: "RuntimeError: no such artifact"},
            "parity.outputs[mlp-float32-static-aot]": {3: "Differs", 5: "Differs"},
            "settings.standalone_switch": {5: "KeyError: x"},
        },
        said={"gates.capability[fake_mode]": there},
    )


def test_the_golden_body() -> None:
    assert body_of(a_week()) == GOLDEN.read_text(encoding="utf-8")


def test_the_body_of_an_issue_that_is_closed() -> None:
    body = body_of(history_of({"a.b": "ffpp"}))
    assert "Good on **cpu** for 2 nights in a row" in body
    assert "ompared with the night before: 0 still there, 0 new, 0 not run, 1 gone." in body


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("a" * 40, "a" * 40),  # not a change of PyTorch's
        ("a" * 40, ""),
        ("a" * 40, "b" * 39),
        ("a" * 40, "b" * 40 + "\n"),
        ("a" * 40, "b" * 40 + ") [x](http://e"),
        ("A" * 40, "b" * 40),
    ],
)
def test_only_two_commits_are_linked(good: str, bad: str) -> None:
    columns = (night(0, git_version=good), night(1, git_version=bad), night(2, git_version=bad))
    body = body_of(history_of({"a.b": "pff"}, columns))
    assert "/compare/" not in body
    assert re.findall(r"\]\((.*?)\)", re.sub(r"`[^`]*`", "", body)) == [RUN_LINK]


def test_what_a_run_says_stays_in_code() -> None:
    columns = [night(each, version=HOSTILE, git_version=HOSTILE) for each in range(3)]
    columns = [replace(each, build=BuildId.of(f"local-{HOSTILE}", "cpu")) for each in columns]
    check = f"a.b[{HOSTILE}]"
    history = history_of(
        {check: "fff", "a.b": "pff", "a.c": "ppp"},
        columns,
        signature=HOSTILE,
        said={"a.c": [text("x", HOSTILE), text("x", HOSTILE), text("x", "")]},
    )
    name = f"local-{HOSTILE}"
    build = make_build(name, requested=HOSTILE, channel="local")
    params = {"x": HOSTILE}
    run = make_run([build], [make_cell(name, "a.b", Outcome.FAIL, params=params)])
    body = body_of(history, run)
    assert body.count("<!--") == 1
    assert body.splitlines()[0] == "<!-- torch-compile-compat tracking: cpu -->"
    assert not re.search("[\u202e\x1b]", body)
    prose = re.sub(r"`[^`\n]*`", "", body)
    assert "`" not in prose
    for dangerous in ("@", "#1", "GH-", "fixes", "<script", "http://e", "head"):
        assert dangerous not in prose


def test_the_file_of_a_failure_is_named() -> None:
    history = history_of({"donation.copies[donated]": "ff"}, [night(0), night(1)])
    run = run_of(night(1))
    (cell,) = run.cells
    said = "- as one file that needs nothing of this project: `reports/repro/x.py`\n"
    assert said in body_of(history, run, {cell.id: "x.py"})
    assert "as one file" not in body_of(history, run)


def test_a_device_with_hundreds_of_failures_fits() -> None:
    checks = {f"a.b[{number:04}]": "ff" for number in range(1000)}
    long = "E: " + "é" * 230
    signatures = {
        check: dict.fromkeys(range(2), f"{long}{number}") for number, check in enumerate(checks)
    }
    body = body_of(history_of(checks, signatures=signatures))
    assert LIMIT_B - 2000 < len(body.encode()) <= LIMIT_B
    assert re.search(r"\*\*\d+ more did not fit in here\*\*", body)
    assert body.endswith(f"[The run]({RUN_LINK})\n")


def test_of_many_checks_the_first_are_named() -> None:
    body = body_of(history_of({f"a.b[{number:02}]": "ff" for number in range(25)}))
    assert "`a.b[09]` and 15 more\n" in body


def test_the_alerts() -> None:
    index = index_topic({"cpu": "2.16.0.dev20261101+cpu", "cuda": "x"})
    assert index.wanted is Wanted.OPEN
    assert index.body.startswith("<!-- torch-compile-compat alert: nightly index -->\n")
    assert "- cpu: `2.16.0.dev20261101+cpu`\n- cuda: `x`\n" in index.body
    assert index_topic({}).wanted is Wanted.CLOSED
    schedule = schedule_topic("2026-11-09", late=True)
    assert schedule.wanted is Wanted.OPEN
    assert schedule.body.startswith("<!-- torch-compile-compat alert: schedule -->\n")
    assert "The newest run is from `2026-11-09`, more than 2 days ago." in schedule.body
    on_time = schedule_topic("2026-11-09", late=False)
    assert on_time.wanted is Wanted.CLOSED
    assert "has closed it" in on_time.body


def test_the_link_to_the_run_is_no_news() -> None:
    assert says_the_same("a\r\n[The run](x)\r\n", "a\n[The run](y)\n")
    assert not says_the_same("a\n", "b\n")


def test_there_is_a_link_to_the_run_on_github_only() -> None:
    assert link_to_run({"GITHUB_REPOSITORY": "owner/name"}) == ""
    variables = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "owner/name",
        "GITHUB_RUN_ID": "7",
    }
    assert link_to_run(variables) == RUN_LINK


def test_a_comment_links_to_what_was_cut() -> None:
    body = comment_body("é" * LIMIT_B, RUN_LINK)
    assert body.startswith(f"This was too long for a comment: the rest is in [the run]({RUN_LINK})")
    assert len(body.encode()) <= LIMIT_B

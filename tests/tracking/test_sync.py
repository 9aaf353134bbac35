"""The issues on a simulated GitHub, over HTTP, from the command line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from compat.cli import main
from compat.findings.answers import all_answers, entries_of
from compat.findings.expectations import Expectation, Expectations, Scope
from compat.runs.answers import count
from compat.runs.history import EMPTY, History, append, save_history
from compat.runs.ids import BUILTIN
from compat.runs.model import Outcome
from compat.runs.store import save
from compat.topics.matrix import Matrix
from compat.tracking import github
from compat.tracking.sync import LABEL
from compat.tracking.text import LIMIT_B, tracking_marker
from tests.conftest import SOURCE, make_build, make_cell, make_run
from tests.findings.making import copies
from tests.tracking.github_server import REPOSITORY, GitHubServer, Refusal, serve
from tests.tracking.pictures import NO, history_of, night, release

TITLE = "Unexpected on cpu, night after night"
MARKER = tracking_marker("cpu")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GitHubServer]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    with serve(GitHubServer()) as running:
        monkeypatch.setenv("GITHUB_API_URL", running.address)
        yield running


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What would have been waited."""
    waited: list[float] = []
    monkeypatch.setattr(github, "sleep", waited.append)
    return waited


def reported(picture: str) -> History:
    """What compat report leaves behind after these nights of one check."""
    history = history_of({"a.b": picture})
    newest = history.columns[-1]
    outcome = Outcome.FAIL if picture[-1] == "f" else Outcome.PASS
    name = newest.build.name
    build = make_build(name, channel="nightly", version=newest.version)
    run = make_run([build], [make_cell(name, "a.b", outcome, signature=NO if outcome.bad else "")])
    run = replace(run, sources=(replace(SOURCE, id=newest.run),))
    save_history(history, Path("reports/data/history.json"))
    save(run, Path("reports/latest/run.json"))
    return history


def sync(*arguments: str, today: int = 0) -> int:
    """Sync on the day of a night."""
    day = ["--today", night(today).date]
    return main(["issue", "sync", "--repository", REPOSITORY, *day, *arguments])


def test_opened_after_two_nights_rewritten_and_closed_after_two_good_ones(
    server: GitHubServer,
) -> None:
    states = []
    for length in range(1, 7):
        reported("ffnfpp"[:length])
        assert sync() == 0
        states.append([issue["state"] for issue in server.issues])
    assert states == [[], ["open"], ["open"], ["open"], ["open"], ["closed"]]
    (issue,) = server.issues
    assert issue["title"] == TITLE
    assert issue["body"].splitlines()[0] == MARKER
    assert issue["labels"] == [{"name": LABEL}]
    assert "Good on **cpu** for 2 nights in a row" in issue["body"]
    assert server.authorizations == {"Bearer secret"}
    assert not server.comments


def test_the_second_time_nothing_is_changed(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported("ff")
    sync()
    server.asked.clear()
    assert sync() == 0
    # Nor does another workflow, whose run is another one, replace the link.
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    assert sync() == 0
    assert server.changes == []


@pytest.mark.parametrize(("workflow", "linked"), [("matrix", True), ("watch", False)])
def test_only_the_run_that_saw_the_night_is_linked(
    workflow: str, linked: bool, server: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    monkeypatch.setenv("GITHUB_WORKFLOW", workflow)
    reported("ff")
    assert sync() == 0
    link = f"[The run](https://github.com/{REPOSITORY}/actions/runs/7)"
    assert (link in server.issues[0]["body"]) is linked


def test_a_dry_run_says_what_it_would_do(
    server: GitHubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    reported("ff")
    assert sync("--dry-run") == 0
    assert server.changes == []
    out = capsys.readouterr().out
    assert out.startswith(f"would open a new issue: {TITLE}\n{MARKER}\n")


def test_the_number_of_nights_is_a_choice(server: GitHubServer) -> None:
    reported("ff")
    assert sync("--nights", "3") == 0
    assert server.issues == []


def test_what_is_expected_opens_nothing(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Expectation(
        scope=Scope(probe="a.*", params={}, builds=SpecifierSet(""), subject=BUILTIN),
        answer="",
        outcome=Outcome.FAIL,
        signature="",
        reason="known",
        link="https://example.org",
        review_by=date(2027, 1, 1),
    )
    monkeypatch.setattr(
        "compat.commands.issue.load_expectations", lambda: Expectations(known=(known,))
    )
    reported("ff")
    assert sync() == 0
    assert server.issues == []


def test_a_run_without_a_night_of_the_device_leaves_its_issue_alone(server: GitHubServer) -> None:
    reported("ff")
    run = make_run([make_build("2.13.0")], [make_cell("2.13.0", "a.b")])
    later = replace(SOURCE, id=night(2).run)
    save(replace(run, sources=(later,)), Path("reports/latest/run.json"))
    assert sync() == 0
    assert server.issues == []


def test_it_is_found_by_its_marker_and_by_nothing_like_it(server: GitHubServer) -> None:
    server.add(TITLE, f"I have seen this:\n{MARKER}", LABEL)
    server.add(TITLE, MARKER.replace("cpu", "cpu "), LABEL)
    server.add(TITLE, tracking_marker("cuda"), LABEL)
    server.add(TITLE, MARKER)
    server.add(TITLE, f"{MARKER}\n", LABEL)["pull_request"] = {}
    own = server.add("renamed by somebody", f"{MARKER}\r\nold", LABEL)
    reported("ff")
    assert sync() == 0
    assert server.changes == [f"PATCH /issues/{own['number']}"]
    assert own["title"] == TITLE


def test_it_is_found_on_a_later_page(server: GitHubServer) -> None:
    own = server.add(TITLE, MARKER, LABEL)
    for number in range(5):
        server.add(f"another {number}", "", LABEL)
    server.page = 2
    reported("ff")
    assert sync() == 0
    assert server.asked == ["GET /issues"] * 3 + [f"PATCH /issues/{own['number']}"]


def test_a_closed_issue_is_opened_again(server: GitHubServer) -> None:
    own = server.add(TITLE, f"{MARKER}\nold", LABEL, state="closed")
    reported("pf")
    sync()
    assert own["state"] == "closed"
    reported("ff")
    sync()
    assert (own["state"], len(server.issues)) == ("open", 1)
    assert own["body"] != f"{MARKER}\nold"


def test_a_duplicate_from_a_race_is_closed_and_points_to_the_first(
    server: GitHubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.meanwhile = lambda: server.add(TITLE, MARKER, LABEL)
    reported("ff")
    assert sync() == 0
    assert [issue["state"] for issue in server.issues] == ["open", "closed"]
    assert server.comments == {2: ["This is a duplicate of #1, opened at the same time."]}
    assert "close issue 2, a duplicate of 1" in capsys.readouterr().out
    server.asked.clear()
    assert sync() == 0
    assert server.changes == ["PATCH /issues/1"]  # the other machine's text, by ours


def test_an_issue_made_although_the_server_failed_is_made_once(
    server: GitHubServer, pauses: list[float]
) -> None:
    server.refusals = [Refusal(502, done=True)]
    reported("ff")
    assert sync() == 0
    assert server.open_titles() == [TITLE]


@pytest.mark.parametrize(
    ("refusal", "pause"),
    [
        (Refusal(500), 2),
        (Refusal(503, {"Retry-After": "7"}), 7),
        (Refusal(429, {"Retry-After": "7"}), 7),
        (Refusal(403, {"Retry-After": "7"}), 7),
        (Refusal(429), 60),
        (Refusal(403, message="You have exceeded a secondary rate limit"), 60),
    ],
)
@pytest.mark.parametrize("reads", [False, True])
def test_what_may_pass_is_tried_again(
    refusal: Refusal, pause: float, reads: bool, server: GitHubServer, pauses: list[float]
) -> None:
    server.refusals, server.refuse_reads = [refusal], reads
    reported("ff")
    assert sync() == 0
    assert server.open_titles() == [TITLE]
    assert pauses == [pause]


def test_a_rate_limit_is_waited_for_until_its_reset(
    server: GitHubServer, pauses: list[float]
) -> None:
    reset = str(int(time.time()) + 100)
    server.refusals = [
        Refusal(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}),
    ]
    reported("ff")
    assert sync() == 0
    (pause,) = pauses
    assert 90 < pause <= 101


@pytest.mark.parametrize(
    ("refusals", "said", "tries"),
    [
        ([Refusal(500)] * 5, "answered 500: out of order", 5),
        ([Refusal(403, message="Resource not\naccessible")], "answered 403: Resource not acc", 1),
        ([Refusal(404, message="Not Found")], "answered 404: Not Found", 1),
        ([Refusal(429, {"Retry-After": "3600"})], "answered 429", 1),
        ([Refusal(307, {"Location": "/elsewhere"})], "answered 307", 1),
    ],
)
def test_what_does_not_pass_is_one_clear_line(
    refusals: list[Refusal],
    said: str,
    tries: int,
    server: GitHubServer,
    pauses: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.refusals, server.refuse_reads = list(refusals), True
    reported("ff")
    assert sync() == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("compat: GET http://127.0.0.1:")
    assert said in line
    assert "secret" not in line
    assert len(server.asked) == tries


def test_no_answer_at_all(
    server: GitHubServer,
    pauses: list[float],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    reported("ff")
    assert sync() == 3
    assert "no answer (ConnectionError)" in capsys.readouterr().err
    assert pauses == [2, 4, 8, 16]


def test_an_issue_without_its_label_would_never_be_found_again(
    server: GitHubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.labels = False
    reported("ff")
    assert sync() == 3
    assert "issue 1 did not get the label" in capsys.readouterr().err


def test_a_schedule_and_an_index_that_stand_still_are_issues_of_their_own(
    server: GitHubServer,
) -> None:
    reported("pp")
    sync(today=4)
    assert server.open_titles() == ["The nightly matrix has not run"]
    sync(today=5)
    assert server.changes == ["POST /issues"]
    run = make_run([make_build("2.13.0")], [make_cell("2.13.0", "a.b")])
    late = replace(SOURCE, id=night(12).run)
    save(replace(run, sources=(late,)), Path("reports/latest/run.json"))
    sync(today=12)
    assert server.open_titles() == ["The nightly index stands still"]
    assert f"cpu: `{night(1).version}`" in server.issues[1]["body"]


BROKEN = {
    "reports/data/history.json": "{",
    "reports/latest/run.json": "[]",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("gone", [False, True])
def test_what_is_not_there_or_not_what_it_should_be(
    name: str, gone: bool, server: GitHubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    reported("ff")
    Path(name).unlink()
    if not gone:
        Path(name).write_text(BROKEN[name])
    assert sync() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("compat: ")
    assert name in line
    assert "expected" in line.lower() or "run nox -s matrix first" in line
    assert server.asked == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["sync", "--repository", "name"], "expected OWNER/NAME, not 'name'"),
        (["sync", "--repository", "a/b/../c"], "expected OWNER/NAME"),
        (["sync", "--repository", REPOSITORY, "--today", "monday"], "not 'monday'"),
        (["sync", "--repository", REPOSITORY, "--nights", "0"], "from 1 on, not '0'"),
        (["comment", "--repository", REPOSITORY, "--device", "tpu", "--file", "x"], "tpu"),
    ],
)
def test_bad_usage(arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["issue", *arguments])
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line


def test_without_a_token(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "")
    reported("ff")
    assert sync() == 2
    assert capsys.readouterr().err.startswith("compat: GITHUB_TOKEN: expected a token")


def comment(text: str) -> int:
    Path("bisect.md").write_text(text)
    where = ["--repository", REPOSITORY, "--device", "cpu", "--file", "bisect.md"]
    return main(["issue", "comment", *where])


def test_a_comment_goes_to_the_open_issue_once(
    server: GitHubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(TITLE, MARKER, LABEL, state="closed")
    server.add(TITLE, MARKER, LABEL)
    assert comment("First bad: `x@y`, thanks @everyone, fixes #1\n") == 0
    assert comment("First bad: `x@y`, thanks @everyone, fixes #1\n") == 0
    first_bad = "First bad: `x@y`, thanks @\u200beveryone, fixes #\u200b1"
    assert server.comments == {2: [first_bad]}
    assert capsys.readouterr().out == (
        "commented on issue 2\nissue 2 has this comment already: nothing to do\n"
    )


def test_a_comment_has_nowhere_to_go_where_no_issue_is_open(
    server: GitHubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(TITLE, MARKER, LABEL, state="closed")
    assert comment("text") == 0
    assert server.changes == []
    assert capsys.readouterr().out == "no tracking issue of cpu is open: nothing to do\n"


@pytest.mark.parametrize("file", ["link.md", "large.md"])
def test_a_comment_is_a_plain_file_of_bounded_size(
    file: str, server: GitHubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the job beside PyTorch left could be a link to the environment with the token."""
    server.add(TITLE, MARKER, LABEL)
    Path("link.md").symlink_to("/proc/self/environ")
    Path("large.md").write_bytes(bytes(1 << 21))
    where = ["--repository", REPOSITORY, "--device", "cpu", "--file", file]
    assert main(["issue", "comment", *where]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"compat: cannot read {file}: {file}: expected ")
    assert not server.comments


def test_a_long_comment_is_cut(server: GitHubServer) -> None:
    server.add(TITLE, MARKER, LABEL)
    assert comment("a line of text\n" * 10_000) == 0
    (text,) = server.comments[1]
    assert LIMIT_B - 100 < len(text) <= LIMIT_B
    assert text.startswith("This was too long for a comment")
    assert text.endswith("a line of text")


def test_a_comment_that_cannot_be_read(
    server: GitHubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert comment("  \n") == 2
    where = ["--repository", REPOSITORY, "--device", "cpu", "--file", "none.md"]
    assert main(["issue", "comment", *where]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert server.asked == []


def test_a_history_made_by_a_report_is_read(server: GitHubServer) -> None:
    build = make_build("2.16.0.dev20261122", channel="nightly")
    run = make_run([build], [make_cell(build.id.name, "a.b", Outcome.FAIL, signature="E: x")])
    matrix = Matrix(run)
    entries = entries_of(matrix, all_answers(matrix))
    save_history(append(EMPTY, entries), Path("reports/data/history.json"))
    save(run, Path("reports/latest/run.json"))
    Path("reports/latest/findings.json").write_text("{}")
    assert sync("--nights", "1", today=21) == 0
    assert server.open_titles() == [TITLE]
    assert "nox -s matrix -- --builds ==2.16.0.dev20261122 " in server.issues[0]["body"]


def test_an_answer_that_is_lost_night_after_night_opens_the_issue_which_names_it(
    server: GitHubServer,
) -> None:
    """Every check passes in all nights."""
    newest = night(1).build.name
    builds = [make_build("2.15.0"), make_build(newest, channel="nightly")]
    run = make_run(builds, [copies("2.15.0", 1), copies(newest, 4)])
    save(replace(run, sources=(replace(SOURCE, id=night(1).run),)), Path("reports/latest/run.json"))
    columns = [release(0), night(0), release(1), night(1)]
    check = "donation.copies[standalone]"
    said = {check: [count("copies", number) for number in (1, 4, 1, 4)]}
    save_history(history_of({check: "pppp"}, columns, said=said), Path("reports/data/history.json"))
    assert sync(today=1) == 0
    assert server.open_titles() == [TITLE]
    body = server.issues[0]["body"]
    assert "### `worse: donation.copies.copies 1 → 4`" in body
    assert "**still there**, 2 nights in a row: `donation.copies[standalone].copies`" in body
    assert "--probes 'donation.copies[standalone]'" in body

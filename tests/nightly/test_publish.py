"""What the job that may push takes from the job that reports, and how it calls git."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from compat import cli
from compat.commands.places import HANDED_OVER, PLAN, REPORTS
from compat.errors import CommandError
from compat.nightly.handover import LARGEST_B, PLAN_DIGEST, REPORTS_DIGEST, RefusedError, digest_of
from compat.nightly.plan import make_plan
from compat.nightly.publish import PublishError, check_reports, publish
from compat.report.attached import LARGEST_B as LARGEST_REPRO_B
from compat.report.attached import MOST
from compat.report.places import REPROS
from compat.runs.model import Outcome
from compat.subjects.spec import BUILTIN_ALONE
from tests.nightly.test_hostile_night import FUTURE, git, here, nested_clone
from tests.nightly.test_plan import NEW, OLD, leave_run, left_by

pytestmark = pytest.mark.slow

__all__ = ["here"]
NOW = datetime.now(timezone.utc)


@pytest.fixture
def handed(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Reports as the job that reports hands them over; ``publish`` runs in ``here``."""
    make_plan({"cpu": [NEW, OLD]}, [BUILTIN_ALONE], "default", "", [], PLAN)
    leave_run(left_by(PLAN, OLD), OLD)
    assert cli.main(["report", "--planned"]) == 0
    assert cli.main(["remember"]) == 0
    shutil.move(REPORTS, HANDED_OVER)
    return here / HANDED_OVER


def published(handed: Path) -> str:
    return publish(handed, REPORTS, {REPORTS_DIGEST: digest_of(handed)}, NOW)


def a_link(handed: Path) -> None:
    (handed / "issue.md").unlink()
    (handed / "issue.md").symlink_to("/etc/passwd")


def a_linked_folder(handed: Path) -> None:
    shutil.move(handed / "site", handed.parent / "site")
    (handed / "site").symlink_to(handed.parent / "site")


def nested(handed: Path) -> None:
    nested_clone(handed / "site" / "clone")


def attributes(handed: Path) -> None:
    (handed / ".gitattributes").write_text("* filter=x\n")


def an_action(handed: Path) -> None:
    (handed / ".github").mkdir()
    (handed / ".github" / "x.yml").write_text("x")


def large(handed: Path) -> None:
    with (handed / "README.md").open("wb") as file:
        file.truncate(LARGEST_B + 1)


def many(handed: Path) -> None:
    for number in range(2001):
        (handed / "site" / "cells" / f"{number}.js").touch()


def damaged_run(handed: Path) -> None:
    (handed / "latest" / "run.json").write_text("{}")


def damaged_history(handed: Path) -> None:
    (handed / "data" / "history.json").write_text("[" * 100_000)


def damaged_support(handed: Path) -> None:
    (handed / "data" / "support.json").write_text('{"schema_version": "x"}')


def damaged_cells(handed: Path) -> None:
    (handed / "data" / "rerun.txt").write_text("$(curl example.org)")


def damaged_nightlies(handed: Path) -> None:
    (handed / "data" / "nightlies.json").write_text('[{"version": "2.16"}]')


def damaged_findings(handed: Path) -> None:
    (handed / "latest" / "findings.json").write_bytes(b'"\xff"')


def a_script(handed: Path) -> None:
    (handed / "site" / "matrix-data.js").write_text("compat('matrix-data', '{}'); alert(1);\n")


def a_foreign_file(handed: Path) -> None:
    (handed / "site" / "more.js").write_text("alert(1)")


def no_plan(handed: Path) -> None:
    (handed / "data" / "plan.txt").write_text("the newest")


def no_page(handed: Path) -> None:
    (handed / "site" / "index.html").unlink()


def a_future_plan(handed: Path) -> None:
    (handed / "data" / "plan.txt").write_text(FUTURE)


def a_foreign_header(handed: Path) -> None:
    (header,) = handed.glob("data/runs/*/header.json")
    header.write_text(header.read_text().replace('"id": "2', '"id": "3'))


def a_damaged_stream(handed: Path) -> None:
    (stream,) = handed.glob("data/runs/*/*.jsonl")
    with stream.open("a") as file:
        file.write("[]\n")


def a_program(handed: Path, name: str = "x.py") -> Path:
    """Beside the files that show failures."""
    path = handed / REPROS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("raise SystemExit")
    return path


def a_program_of_no_kind(handed: Path) -> None:
    a_program(handed, "x.sh")


def a_program_like_an_option(handed: Path) -> None:
    a_program(handed, "-x.py")


def a_program_of_two_lines(handed: Path) -> None:
    a_program(handed, "x.py\n")


def a_program_below(handed: Path) -> None:
    a_program(handed, "more/x.py")


def an_empty_folder(handed: Path) -> None:
    (handed / REPROS / "more").mkdir(parents=True)


def a_linked_program(handed: Path) -> None:
    path = a_program(handed)
    path.unlink()
    path.symlink_to("/etc/passwd")


def programs_of_elsewhere(handed: Path) -> None:
    shutil.copytree(handed / "site", handed.parent / "programs")
    (handed / REPROS).symlink_to(handed.parent / "programs")


def a_large_program(handed: Path) -> None:
    a_program(handed).write_text("#" * (LARGEST_REPRO_B + 1))


def many_programs(handed: Path) -> None:
    for number in range(MOST + 1):
        a_program(handed, f"x{number}.py")


ATTACKS: dict[Callable[[Path], object], str] = {
    a_link: "'issue.md': expected a plain file or a folder",
    a_linked_folder: "'site': expected a plain file or a folder",
    nested: "'site/clone/.git': expected no name that begins with a dot",
    attributes: "'.gitattributes': expected no name that begins with a dot",
    an_action: "'.github': expected no name that begins with a dot",
    large: f"'README.md': expected at most {LARGEST_B} B",
    many: "expected at most 2000 files and folders",
    damaged_run: "'latest/run.json': Object missing required field `schema_version`",
    damaged_history: "'data/history.json': Expected `object`, got `array`",
    damaged_support: "'data/support.json': ",
    damaged_cells: "'data/rerun.txt': ",
    damaged_nightlies: "'data/nightlies.json': Object missing required field",
    damaged_findings: "'latest/findings.json': ",
    a_script: "'site/matrix-data.js': expected a script that hands data over",
    a_foreign_file: "'site/more.js': expected no such file among reports",
    no_plan: "'data/plan.txt': expected an id such as",
    no_page: "expected site/index.html in it",
    a_future_plan: "9999-01-01T00:00:00+00:00: expected nothing that is yet to come",
    a_foreign_header: "header.json': expected the id 2",
    a_program: "'repro/x.py': expected the file of a cell that went wrong",
    a_program_of_no_kind: "'repro/x.sh': expected no such file among reports",
    a_program_like_an_option: "'repro/-x.py': expected no such file among reports",
    a_program_of_two_lines: "'repro/x.py\\n': expected no such file among reports",
    a_program_below: "'repro/more/x.py': expected no such file among reports",
    an_empty_folder: "'repro/more': expected the file of a cell that went wrong",
    a_linked_program: "'repro/x.py': expected a plain file or a folder",
    programs_of_elsewhere: "'repro': expected a plain file or a folder",
    a_large_program: f"'repro/x.py': expected at most {LARGEST_REPRO_B} B",
    many_programs: f"'repro': expected at most {MOST} files, not {MOST + 1}",
    a_damaged_stream: ".jsonl': Expected `object`, got `array`",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_no_report_has_is_refused(
    attack: Callable[[Path], object], handed: Path, here: Path
) -> None:
    attack(handed)
    before = git(here, "rev-parse", "HEAD")
    # Whoever could change them could not change their digest; this is the second wall.
    with pytest.raises(RefusedError) as raised:
        check_reports(handed, NOW)
    (line,) = str(raised.value).splitlines()
    assert ATTACKS[attack] in line
    with pytest.raises(CommandError):
        published(handed)
    assert git(here, "rev-parse", "HEAD") == before
    assert not REPORTS.exists()
    assert not (here.parent / "ran").exists()


def test_reports_are_committed_and_pushed(handed: Path, here: Path) -> None:
    expected = {path.relative_to(handed) for path in handed.rglob("*") if path.is_file()}
    assert published(handed).startswith("published the reports of 20")
    listed = git(here, "ls-tree", "-r", "--name-only", "origin/main", "reports/").split()
    assert {Path(name).relative_to("reports") for name in listed} == expected
    author = git(here, "log", "-1", "--format=%an %s", "origin/main")
    assert author == "github-actions[bot] Reports\n"
    # The same again is nothing new; an older plan's are not published any more.
    assert published(handed) == "nothing is new"
    (handed / "data" / "plan.txt").write_text("2020-01-01T000000.000Z\n")
    with pytest.raises(PublishError, match="of a later plan"):
        published(handed)
    # One of the last year there is was once let through: it does not count.
    (REPORTS / "data" / "plan.txt").write_text(FUTURE)
    assert published(handed).startswith("published the reports of 2020")


def test_programs_are_made_anew_where_they_are_published(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever runs one trusts this project, not whoever hands reports over."""
    make_plan({"cpu": [NEW, OLD]}, [BUILTIN_ALONE], "default", "", [], PLAN)
    (stream,) = leave_run(left_by(PLAN, OLD), OLD).streams()
    check = {
        "probe": "corpus.right",
        "params": {"graph": "rows-interleaved", "path": "standalone"},
    }
    stream.append("plan", {**check, "description": "", "node": ""})
    stream.append("cell", {**check, "outcome": Outcome.FAIL, "reason": "off"})
    assert cli.main(["report", "--planned"]) == 1
    assert cli.main(["remember"]) == 0
    shutil.move(REPORTS, HANDED_OVER)
    (file,) = (HANDED_OVER / REPROS).iterdir()
    made = file.read_text()
    assert f'"""Rows interleaved, compiled by PyTorch {OLD.id("cpu").name}.' in made
    file.write_text("raise SystemExit")
    assert published(here / HANDED_OVER).startswith("published")
    name = f"reports/{REPROS}/{file.name}"
    assert git(here, "show", f"origin/main:{name}") == made


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_reports_of_another_digest_are_refused(digest: str, handed: Path) -> None:
    with pytest.raises(RefusedError, match=REPORTS_DIGEST):
        publish(handed, REPORTS, {REPORTS_DIGEST: digest}, NOW)


def test_git_reads_no_configuration_and_runs_nothing_of_others(
    handed: Path, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these would run with the token in its environment."""
    mark = tmp_path / "ran"
    command = f"env > {mark}; false"
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[core]\n\tfsmonitor = "{command}"\n')
    hooks = here / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "post-commit", "pre-push", "pre-rebase", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\n{command}\n")
        (hooks / name).chmod(0o755)
    git(here, "config", "core.fsmonitor", command)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", command)
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    assert published(handed).startswith("published")
    assert not mark.exists()


def test_what_git_says_is_one_line_without_a_traceback(
    handed: Path, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(here.parent / "origin")
    monkeypatch.setenv(REPORTS_DIGEST, digest_of(handed))
    monkeypatch.delenv(PLAN_DIGEST, raising=False)
    capsys.readouterr()
    assert cli.main(["publish"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("compat: git pull: ")

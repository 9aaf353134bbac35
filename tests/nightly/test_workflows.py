"""The nightly matrix and a bisection from their workflows, without GitHub and without a torch."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import tomllib
import yaml
from packaging.requirements import Requirement

from compat.runs.contents import read_contents
from compat.runs.history import day_of, run_id
from compat.runs.model import Outcome, Run
from compat.runs.store import RunFolder, load
from tests.builds.index_server import IndexServer, serve
from tests.checkout import copy_checkout
from tests.conftest import ROOT
from tests.fake_torch import NO_OPTIONS, WHOLE, commit_of, name_of, wheel
from tests.nightly.workflow import INSTALL, REQUIREMENTS, Repository
from tests.tracking.github_server import REPOSITORY, GitHubServer
from tests.tracking.github_server import serve as serve_github

STABLE, CANDIDATE = "2.14.0+cpu", "2.15.0+cpu"
CHECK = "surface.name[torch._inductor.standalone_compile]"

FIRST_BAD = 240
# That is the one of today.
DAYS = [date.today() + timedelta(days - FIRST_BAD) for days in range(365)]
NIGHTLIES = [f"2.16.0.dev{day:%Y%m%d}+cpu" for day in DAYS]
# The one that a bisection asks first, and a neighbour, are no wheels at all.
BROKEN = NIGHTLIES[182:184]

# In the place of the real one.
INSTRUMENT = Path("tests", "mutations", "test_mutations.py")
SELF_CHECK = "def test_the_instrument() -> None: ..."
BROKEN_INSTRUMENT = f"{SELF_CHECK}; assert False"

TITLE = "Unexpected on cpu, night after night"


@pytest.fixture(scope="module")
def index() -> Iterator[IndexServer]:
    """A year of nightlies, one release candidate and one release."""
    channels = {"/nightly/cpu": NIGHTLIES, "/test/cpu": [CANDIDATE], "/cpu": [STABLE]}
    files = {
        name_of(version): wheel(version, NO_OPTIONS if version in NIGHTLIES[FIRST_BAD:] else WHOLE)
        for versions in channels.values()
        for version in versions
        if version not in BROKEN
    }
    files |= {name_of(BROKEN[0]): b"no wheel"}
    pages = {page: [name_of(each) for each in versions] for page, versions in channels.items()}
    with serve(IndexServer(pages, files=files)) as server:
        yield server


@pytest.fixture(scope="module")
def github() -> Iterator[GitHubServer]:
    with serve_github(GitHubServer()) as server:
        yield server


@pytest.fixture(scope="module")
def repository(
    index: IndexServer, github: GitHubServer, tmp_path_factory: pytest.TempPathFactory
) -> Repository:
    return make_fork(index, github, tmp_path_factory.mktemp("github"))


def make_fork(index: IndexServer, github: GitHubServer, folder: Path) -> Repository:
    """A fork that lists three builds and has switched its nightly on."""
    checkout = copy_checkout(folder / "checkout")
    (checkout / "compat" / "builds" / "builds.toml").write_text(
        'builds = ["2.14", "2.15.rc", "nightly"]\n'
        f'[index]\npytorch = "{index.address}"\ntimeout_s = 30\n'
    )
    # Its builds are no torch that a subject could be driven on.
    (checkout / "compat" / "subjects" / "subjects.toml").write_text(
        '[[subjects]]\nspec = "builtin"\nmaintainer = "m"\nlink = "l"\nreason = "r"\n[projects]\n'
    )
    # Nor can they be broken in ways of the catalogue.
    (checkout / INSTRUMENT).write_text(SELF_CHECK)
    subprocess.run([sys.executable, "-m", "venv", folder / "python"], check=True)
    path = f"{folder / 'python' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    (folder / "store").mkdir()
    fork = Repository(
        checkout,
        folder / "store",
        path,
        contexts={
            "github": {"token": "secret", "run_id": "1", "run_attempt": "1"},
            "vars": {"COMPAT_NIGHTLY": "on"},
            "job": {"workflow_repository": REPOSITORY},
        },
        variables={
            "GITHUB_API_URL": github.address,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_NAME": "schedule",
            "GITHUB_REF": "refs/heads/main",
        },
    )
    subprocess.run(
        ["git", "init", "--quiet", "--bare", "-b", "main", folder / "origin"], check=True
    )
    fork.git("init", "--quiet", "-b", "main")
    fork.git("remote", "add", "origin", str(folder / "origin"))
    fork.git("add", "--all")
    fork.git("commit", "--quiet", "-m", "A fork")
    fork.git("push", "--quiet", "--set-upstream", "origin", "main")
    return fork


def test_steps_are_sessions_and_actions_are_pinned() -> None:
    """What a workflow does can be done on any machine, and no text of others is in a command."""
    sessions = set(
        re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    )
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = file.read_text()
        for action in re.findall(r"uses: (.*)", text):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action), action
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {}
        for name, job in workflow["jobs"].items():
            assert {"timeout-minutes", "permissions"} <= job.keys(), name
            for step in job["steps"]:
                line = step.get("run", INSTALL)
                session = re.match(r"nox -s (\w+)", line)
                assert "${{" not in line
                assert line in {"bash .ci/run", INSTALL} or (
                    session is not None and session[1] in sessions
                ), line


def test_what_runs_pytorch_may_write_nothing_and_holds_no_token() -> None:
    """Nightlies are code of strangers, and what is written is what the plan lets be published."""
    runs_pytorch = re.compile(r"nox -s (job|matrix|bisect|twin|selfcheck)\b|\.ci/run")
    seen = set()
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        for name, job in yaml.safe_load(file.read_text())["jobs"].items():
            commands = " ".join(step.get("run", "") for step in job["steps"])
            may_write = {scope for scope, may in job["permissions"].items() if may == "write"}
            if runs_pytorch.search(commands):
                seen.add(f"{file.stem}.{name}")
                assert job["permissions"] == {"contents": "read"}
                assert not re.search(r"token|secrets", json.dumps(job), re.IGNORECASE)
            elif may_write and job.get("needs") == "publish":
                assert "needs.publish.result == 'success'" in job["if"]
            elif may_write and file.stem == "matrix":
                assert "needs.plan.outputs.published == 'true'" in job["if"]
            elif may_write and file.stem == "twin":
                assert "inputs.issue" in job["if"]
            elif may_write:
                assert "vars.COMPAT_NIGHTLY == 'on'" in job["if"]
    assert seen == {
        *("bisect.bisect", "ci.probes", "ci.selfcheck", "ci.tests"),
        *("matrix.probe", "matrix.selfcheck", "twin.twin"),
    }


def test_what_decides_or_writes_takes_nothing_that_ran_beside_pytorch() -> None:
    """A job's code can save any cache of the repository, and any artifact of its run.

    So no other job restores a cache, and an artifact counts by a digest in an output alone.
    """
    digests = {"plan": "COMPAT_PLAN", "reports": "COMPAT_REPORTS"}
    seen = set()
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        for name, job in yaml.safe_load(file.read_text())["jobs"].items():
            text = json.dumps(job)
            runs_pytorch = re.search(r"nox -s (job|matrix|bisect|twin|selfcheck)\b|\.ci/run", text)
            assert runs_pytorch or "actions/cache" not in text, name
            for step in job["steps"]:
                if "download-artifact" not in step.get("uses", ""):
                    continue
                artifact = step["with"].get("name") or step["with"]["pattern"]
                seen.add(f"{name} takes {artifact}")
                if artifact in digests:
                    maker = {"plan": "plan", "reports": "report"}[artifact]
                    expected = f"${{{{ needs.{maker}.outputs.{artifact} }}}}"
                    sessions = [each for each in job["steps"] if "nox -s" in each.get("run", "")]
                    assert {each["env"][digests[artifact]] for each in sessions} == {expected}
    assert seen == {
        "probe takes plan",
        "report takes plan",
        "report takes seen-*",
        "publish takes reports",
        "comment takes bisect",
        "issue takes twin",
    }


def test_packages_of_what_decides_or_writes_are_pinned_by_their_hashes() -> None:
    lines = (ROOT / REQUIREMENTS).read_text().replace("\\\n", "").splitlines()
    option, *requirements = (line for line in lines if line)
    assert option == "--only-binary :all:"
    pinned = {}
    for line in requirements:
        requirement, *hashes = line.split(" --hash=")
        found = re.fullmatch(
            r"([a-z0-9-]+)(?:\[\w,]+)?==([\w.!+]+)( ; .*)?", " ".join(requirement.split())
        )
        assert found, line
        assert hashes
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each.strip()) for each in hashes), line
        pinned[found[1]] = found[2]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for text in (*project["project"]["dependencies"], *project["dependency-groups"]["nox"]):
        wanted = Requirement(text)
        assert pinned[wanted.name] in wanted.specifier, f"{text}: run nox -s pin"
    text = (ROOT / "noxfile.py").read_text()
    for session in ("plan", "report", "remember", "publish", "issue"):
        assert f'pinned(session, "{session}", *session.posargs)' in text


def test_what_strangers_send_reaches_no_runner_of_ones_own() -> None:
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(file.read_text())
        triggers = workflow[True]  # YAML 1.1 takes "on" for a boolean.
        runners = {job["runs-on"] for job in workflow["jobs"].values()}
        assert "pull_request_target" not in triggers
        assert "pull_request" not in triggers or runners == {"ubuntu-24.04"}


@dataclass
class Night:
    """What a night of the matrix came to."""

    jobs: list[str]
    needs: dict[str, Any]
    run: Run

    def ended(self, *jobs: str) -> list[str]:
        return [self.needs[job]["result"] for job in jobs]


def spend(repository: Repository, *lost: str) -> Night:
    """A night by the workflow's own jobs; those of builds that are ``lost`` get no runner."""
    shutil.rmtree(repository.store / "artifacts", ignore_errors=True)
    started = int(repository.contexts["github"]["run_id"])
    repository.contexts["github"] |= {"run_id": f"{started + 1}", "run_attempt": "1"}
    head = repository.git("rev-parse", "origin/main").strip()
    needs = repository.go("matrix.yml", *(f"{build}-cpu" for build in lost))
    assert needs["plan"]["outputs"]["commit"] == head
    assert {needs[job]["result"] for job in ("plan", "publish", "pages", "issue")} == {"success"}
    run = load(repository.checkout / "reports" / "latest" / "run.json")
    jobs = json.loads(needs["plan"]["outputs"]["jobs"])
    assert {job["runner"] for job in jobs} <= {"ubuntu-24.04"}
    return Night([job["id"] for job in jobs], needs, run)


def spend_blind(repository: Repository, github: GitHubServer) -> None:
    """A night, a day later, whose self-check fails: it says so, and others see nothing of it."""
    let_pass(repository, 1)
    issues = list(github.issues)
    published = _push(repository, BROKEN_INSTRUMENT)
    repository.summary = ""
    needs = repository.go("matrix.yml")
    assert needs["selfcheck"]["result"] == "failure"
    assert {needs[job]["result"] for job in ("publish", "pages", "issue")} == {"skipped"}
    assert repository.summary.startswith("**❌ The self-check failed: the instrument is broken")
    repository.git("fetch", "--quiet")
    assert repository.git("rev-parse", "origin/main") == published
    assert github.issues == issues
    _push(repository, SELF_CHECK)


def _push(repository: Repository, self_check: str) -> str:
    """Put another self-check into the fork; the commit that has it."""
    repository.git("fetch", "--quiet")
    repository.git("reset", "--quiet", "--hard", "origin/main")
    (repository.checkout / INSTRUMENT).write_text(self_check)
    repository.git("commit", "--quiet", "--all", "-m", "Another self-check")
    repository.git("push", "--quiet")
    return repository.git("rev-parse", "HEAD")


def publish_again(repository: Repository, night: Night, artifacts: Path) -> set[str]:
    """Report a night once more from what its jobs left; how what comes after the report ended."""
    shutil.rmtree(repository.store / "artifacts")
    artifacts.rename(repository.store / "artifacts")
    done = {job: night.needs[job] for job in ("plan", "selfcheck", "probe")}
    needs = repository.go("matrix.yml", done=done)
    return {needs[job]["result"] for job in ("publish", "pages", "issue")}


def blame(repository: Repository, good: str, bad: str) -> None:
    """Bisect by hand, and comment on the tracking issue."""
    inputs = {"probe": CHECK, "good": f"=={good}", "bad": f"=={bad}", "device": "cpu"}
    needs = repository.go("bisect.yml", inputs=inputs)
    assert {job["result"] for job in needs.values()} == {"success"}


def let_pass(repository: Repository, days: int) -> None:
    """Make everything that was published, or lies in a cache, so many days older."""
    repository.git("fetch", "--quiet")
    repository.git("reset", "--quiet", "--hard", "origin/main")
    # Below what is ignored lie environments, whose files have dates of their own.
    for root in (repository.checkout / "reports", repository.store / "caches"):
        for path in sorted(root.rglob("*"), reverse=True):
            if path.is_file():
                path.write_text(_shifted(path.read_text(), days))
            if (name := _shifted(path.name, days)) != path.name:
                path.rename(path.with_name(name))
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "-m", "Days pass")
    repository.git("push", "--quiet")


def _shifted(text: str, days: int) -> str:
    def earlier(day: re.Match[str]) -> str:
        return str(date.fromisoformat(day[0]) - timedelta(days))

    return re.sub(r"\b20\d\d-\d\d-\d\d(?=T|\b)", earlier, text)


@pytest.mark.timeout(1800)
def test_nights(repository: Repository, index: IndexServer, github: GitHubServer) -> None:
    """From the plan to the tracking issue and the bisection, by the workflows' steps alone."""
    good, bad, worse = NIGHTLIES[FIRST_BAD - 1 : FIRST_BAD + 2]
    year, pages = index.pages["/nightly/cpu"], dict(index.pages)
    index.pages = pages

    # Stable, candidate and nightly together. The candidate's job never gets a runner.
    pages["/nightly/cpu"] = year[:FIRST_BAD]
    first = spend(repository, CANDIDATE)
    assert first.jobs == [f"{each}-cpu" for each in (STABLE, CANDIDATE, good)]
    assert first.ended("probe", "report") == ["failure", "success"]
    ran = {cell.build.name for cell in first.run.cells if cell.outcome is not Outcome.NOT_RUN}
    assert ran == {STABLE, good}
    text = (repository.checkout / "reports" / "README.md").read_text()
    assert "| 2.15.rc | cpu | not tested | its job left nothing: it got no runner" in text
    assert "| all-builds | cuda | not tested | no GPU runner configured |" in text
    assert repository.git("log", "-1", "--format=%s", "origin/main") == "Reports\n"
    assert github.issues == []

    # Only what is not known; the nightly took a parameter away. One night opens no issue.
    let_pass(repository, 1)
    pages["/nightly/cpu"] = year[: FIRST_BAD + 1]
    second = spend(repository)
    assert second.jobs == [f"{each}-cpu" for each in (CANDIDATE, bad)]
    assert second.ended("probe", "report") == ["success", "failure"]
    kept = shutil.copytree(repository.store / "artifacts", repository.store / "second night")
    failed = [cell.id for cell in second.run.cells if cell.outcome is Outcome.FAIL]
    assert failed == [f"{CHECK}@{bad}-cpu"]
    assert github.issues == []

    # The same again, seen by an instrument that is broken: neither published nor an alarm.
    pages["/nightly/cpu"] = year[: FIRST_BAD + 2]
    spend_blind(repository, github)

    # The same again, seen in another nightly. Without the caches, what was published is known.
    repository.lose_caches()
    third = spend(repository)
    # The index gives no hash for the candidate: it may be another one.
    assert third.jobs == [f"{each}-cpu" for each in (CANDIDATE, worse)]
    # It was not: its job knew all about it from what was published.
    candidate = {cell.seen_in for cell in third.run.cells if cell.build.name == CANDIDATE}
    assert day_of(max(candidate)) < day_of(run_id(third.run))
    assert github.open_titles() == [TITLE]
    (issue,) = github.issues
    assert f"compare/{commit_of(good)}...{commit_of(bad)}" in issue["body"]
    assert f"nox -s matrix -- --builds =={worse}" in issue["body"]

    # Whoever runs the failed jobs of the night before again takes nothing back.
    published = repository.git("rev-parse", "origin/main")
    assert publish_again(repository, second, kept) == {"failure", "skipped"}
    repository.git("fetch", "--quiet")
    assert repository.git("rev-parse", "origin/main") == published

    # Nothing is new, and the night has been all the same.
    let_pass(repository, 3)
    fourth = spend(repository)
    assert fourth.jobs == [f"{CANDIDATE}-cpu"]
    assert [cell.outcome for cell in fourth.run.cells] == [cell.outcome for cell in third.run.cells]
    assert github.open_titles() == [TITLE]

    blame(repository, good, worse)
    (comment,) = github.comments[issue["number"]]
    assert f"{commit_of(good)}...{commit_of(bad)}" in comment

    let_pass(repository, 9)
    assert repository.go("watch.yml")["issue"]["result"] == "success"
    assert github.open_titles() == [TITLE, "The nightly matrix has not run"]


def test_a_job_that_is_run_again_goes_on_with_what_it_left(repository: Repository) -> None:
    """By hand, of one build; that is no night, and is not published."""
    inputs = {"builds": f"nightly:{DAYS[5]:%Y%m%d}", "device": "cpu"}
    needs = repository.go("matrix.yml", inputs=inputs)
    ended = {job: each["result"] for job, each in needs.items()}
    assert [ended[job] for job in ("plan", "probe", "report")] == ["success"] * 3
    assert [ended[job] for job in ("publish", "pages", "issue")] == ["skipped"] * 3
    (job,) = json.loads(needs["plan"]["outputs"]["jobs"])
    repository.lose_caches()
    github = repository.contexts["github"]
    artifact = repository.store / "artifacts" / f"seen-{job['id']}"
    for attempt in ("1", "2"):
        github["run_attempt"] = attempt
        repository.run("matrix.yml", "probe", needs=needs, matrix={"job": job})
    first, second = RunFolder.all(artifact)
    (stream,) = second.streams()
    saw = {cell.seen_in for cell in read_contents(stream).cells.values()}
    assert saw == {first.source.id}
    # Another night's is not mixed into what this one saw.
    github["run_id"] += "0"
    repository.run("matrix.yml", "probe", needs=needs, matrix={"job": job})
    (alone,) = RunFolder.all(artifact)
    assert alone.path.name > second.path.name


@pytest.mark.parametrize("workflow", ["matrix.yml", "watch.yml"])
def test_no_schedule_runs_in_a_repository_that_has_not_switched_it_on(
    workflow: str, repository: Repository
) -> None:
    github = {**repository.contexts["github"], "event_name": "schedule"}
    needs = repository.go(workflow, vars={}, github=github)
    assert {job["result"] for job in needs.values()} == {"skipped"}


@pytest.mark.timeout(1800)
def test_a_year_of_nightlies(repository: Repository, index: IndexServer) -> None:
    """The first bad nightly of 365 and the commits, past two that cannot be installed."""
    index.pages = {**index.pages, "/nightly/cpu": [name_of(each) for each in NIGHTLIES]}
    inputs = {
        "probe": CHECK,
        "good": f"nightly:{DAYS[0]:%Y%m%d}",
        "bad": f"nightly:{DAYS[-1]:%Y%m%d}",
        "device": "cpu",
    }
    found, _ = repository.run("bisect.yml", "bisect", inputs=inputs)
    assert found
    text = (repository.checkout / "reports" / "bisect.md").read_text().replace("\\", "")
    assert f"on cpu: since {NIGHTLIES[FIRST_BAD]}.**" in text
    assert f"{commit_of(NIGHTLIES[FIRST_BAD - 1])}...{commit_of(NIGHTLIES[FIRST_BAD])}" in text
    assert f"- {BROKEN[0]}: skipped, could not be installed" in text
    asked = text.partition("Asked, oldest first:")[2]
    assert asked.count("\n- ") <= 12
    assert "\nWhat else differs in the surface that is watched: nothing\n" in asked
    environments = repository.checkout / ".compat" / "bisect" / "environments"
    assert not environments.exists(), "a bisection leaves no environments"

    # Another one goes on with what is written down: of that, only what is blamed is asked again.
    index.asked.clear()
    assert repository.run("bisect.yml", "bisect", inputs=inputs)[0]
    installed = {path.rpartition("/")[2] for path in index.asked if "/files/" in path}
    answered = {name_of(each) for each in re.findall(r"- (\S+): (?!skipped)", asked)}
    blamed = {name_of(each) for each in NIGHTLIES[FIRST_BAD - 1 : FIRST_BAD + 1]}
    assert len(answered) > len(blamed)
    assert installed & answered == blamed

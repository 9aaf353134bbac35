"""Every workflow with every one of its steps crashed: what runs after it, and what must not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.nightly.workflow import Repository

WORKFLOWS = ROOT / ".github" / "workflows"
JOBS = json.dumps([{"id": "2.15.0-cpu", "runner": "r", "minutes": 1, "cache": "c"}])
# What a session leaves for those after it, once it has done its work.
OUTPUTS = {
    "plan": {"jobs": JOBS, "commit": "0" * 40, "plan": "digest", "published": "true"},
    "report": {"made": "true"},
    "remember": {"reports": "digest"},
    "twin": {"made": "true"},
}
# What changes something that others see.
PUBLIC = {"publish", "deploy-pages", "issue"}


@dataclass
class Rehearsal(Repository):
    """Takes no step, and remembers which it would have taken.

    Attributes:
        crashed: The step that crashes, as its job and its number.
        unexpected: Whether the report says that something unexpected was seen.
        taken: By job, what was taken: the session of nox, or the action.
    """

    crashed: str = ""
    unexpected: bool = False
    taken: dict[str, list[str]] = field(default_factory=dict)
    uploaded: set[str] = field(default_factory=set)

    def take(self, job: str, step: Mapping[str, Any]) -> bool:
        name = name_of(step)
        self.taken.setdefault(job, []).append(name)
        options = step.get("with", {})
        if step["number"] == self.crashed:
            return False
        if name == "upload-artifact":
            self.uploaded.add(self._evaluated(options["name"]))
        if name == "download-artifact" and "name" in options:
            return options["name"] in self.uploaded
        if name in OUTPUTS:
            self.leave(step, OUTPUTS[name])
        return not (name == "report" and self.unexpected)


def name_of(step: Mapping[str, Any]) -> str:
    """``report`` of ``nox -s report``, ``upload-artifact`` of an action."""
    if "run" in step:
        session = re.match(r"nox -s (\w+)", step["run"])
        return session[1] if session else step["run"].split()[0]
    return str(step["uses"]).partition("@")[0].partition("/")[2].partition("/")[0]


def rehearse(workflow: str, folder: Path, **ending: Any) -> tuple[Rehearsal, dict[str, str]]:
    """Go through a workflow; how each job ended."""
    target = folder / ".github" / "workflows" / workflow
    target.parent.mkdir(parents=True)
    shutil.copy(WORKFLOWS / workflow, target)
    plan = yaml.safe_load(target.read_text())
    for name, job in plan["jobs"].items():
        for number, step in enumerate(job["steps"]):
            step["number"] = f"{name} {number}"
    target.write_text(yaml.safe_dump(plan, sort_keys=False))
    contexts = {
        "github": {"event_name": "schedule", "repository": "o/n", "run_id": "1"},
        "vars": {"COMPAT_NIGHTLY": "on"},
        "inputs": {"device": "cpu", "issue": "true"},
    }
    rehearsal = Rehearsal(folder, folder, "", contexts=contexts, **ending)
    needs = rehearsal.go(workflow)
    return rehearsal, {name: job["result"] for name, job in needs.items()}


def steps_of(workflow: str) -> list[tuple[str, str, int, str]]:
    jobs = yaml.safe_load((WORKFLOWS / workflow).read_text())["jobs"]
    return [
        (workflow, job, number, name_of(step))
        for job, plan in jobs.items()
        for number, step in enumerate(plan["steps"])
    ]


@pytest.mark.parametrize("unexpected", [False, True])
def test_a_night_that_was_reported_is_published(unexpected: bool, tmp_path: Path) -> None:
    rehearsal, ended = rehearse("matrix.yml", tmp_path, unexpected=unexpected)
    assert ended.pop("report") == ("failure" if unexpected else "success")
    assert set(ended.values()) == {"success"}
    assert [name for job in rehearsal.taken.values() for name in job if name in PUBLIC] == [
        "publish",
        "deploy-pages",
        "issue",
    ]


@pytest.mark.parametrize(
    ("workflow", "job", "number", "name"),
    [step for file in sorted(WORKFLOWS.glob("*.yml")) for step in steps_of(file.name)],
)
def test_what_crashed_is_followed_by_nothing_that_others_see(
    workflow: str, job: str, number: int, name: str, tmp_path: Path
) -> None:
    rehearsal, ended = rehearse(workflow, tmp_path, crashed=f"{job} {number}")
    taken = {each: set(names) & PUBLIC for each, names in rehearsal.taken.items()}
    public = {each for each, names in taken.items() if names}
    if name == "cache" and job == "probe":
        # That a job cannot keep what it saw for another try costs nobody the night.
        assert ended["report"] == "success"
    assert ended[job] == "failure"
    if job == "probe":
        # A build that was not run: the night is published without it.
        assert public == {"publish", "pages", "issue"}
    elif job == "twin" and name == "cache" and "twin" in rehearsal.taken[job]:
        # All was seen and handed over; only the next run will have to see it again.
        assert public == {"issue"}
    elif (workflow, job) == ("matrix.yml", "selfcheck"):
        # The night is reported, and says that it proves nothing.
        assert "report" in rehearsal.taken["report"]
        assert ended["report"] == "success"
        assert public == set()
    elif job in {"plan", "report", "bisect", "twin"}:
        assert public == set()
    elif job == "publish":
        # Nothing, or the commit alone.
        assert public <= {"publish"}
        assert {ended["pages"], ended["issue"]} == {"skipped"}
    else:
        # The last in its line, of which nobody asks anything.
        of_ci = {"actionlint", "probes", "selfcheck", "tests"}
        assert job in {"pages", "issue", "comment", *(of_ci if workflow == "ci.yml" else ())}


@pytest.mark.parametrize("name", ["report", "remember"])
def test_a_report_that_crashed_is_not_handed_over(name: str, tmp_path: Path) -> None:
    (step,) = (each for each in steps_of("matrix.yml") if each[1] == "report" and each[3] == name)
    rehearsal, ended = rehearse("matrix.yml", tmp_path, crashed=f"report {step[2]}")
    assert ended["publish"] == "skipped"
    if name == "report":
        assert "remember" not in rehearsal.taken["report"]
        assert "reports" not in rehearsal.uploaded

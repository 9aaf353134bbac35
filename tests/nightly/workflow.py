"""Runs a workflow as GitHub would: its jobs, their ``run:`` lines, and files that go in between."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

REQUIREMENTS = ".github/requirements.txt"
# How each job begins.
INSTALL = f"python -m pip install --require-hashes -r {REQUIREMENTS}"


@dataclass
class Repository:
    """A clone, and what GitHub keeps beside it: artifacts, caches, outputs and summaries.

    Attributes:
        checkout: The clone in which every job runs; each begins with what ``origin/main`` has.
        store: The folder in which all that is kept.
        path: Where programs are found.
        contexts: What expressions may ask for: ``inputs``, ``vars``, ``github``, …
        variables: What GitHub sets in every step's environment.
        called: Where a workflow is called from another repository: the clone of this one, which
            is checked out into a folder then,
        caller: and the code of that repository, likewise.
        summary: What steps wrote into the summary of the run.
    """

    checkout: Path
    store: Path
    path: str
    contexts: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    called: Path | None = None
    caller: Path | None = None
    summary: str = ""
    _caches: list[tuple[str, str, Path]] = field(default_factory=list)
    _installed: set[str] = field(default_factory=set)

    def go(
        self, workflow: str, *lost: str, done: Mapping[str, Any] | None = None, **contexts: Any
    ) -> dict[str, Any]:
        """Run the jobs whose time comes; their results and outputs, as ``needs`` has them.

        Args:
            lost: What of a matrix gets no runner, by the id of its job.
            done: Jobs of an earlier attempt that are not run again.
        """
        text = (self.checkout / ".github" / "workflows" / workflow).read_text()
        needs = dict(done or {})
        for name, job in yaml.safe_load(text)["jobs"].items():
            if name in needs:
                continue
            known = {**self.contexts, **contexts, "needs": needs}
            wanted = job.get("needs", [])
            wanted = [wanted] if isinstance(wanted, str) else wanted
            condition = job.get("if", "")
            # Without a status function in it, a condition is one more beside success().
            all_well = all(needs[each]["result"] == "success" for each in wanted)
            time_has_come = all_well or "cancelled()" in condition
            if not time_has_come or (condition and not _condition(condition, known)):
                needs[name] = {"result": "skipped", "outputs": {}}
                continue
            results, outputs = set(), {}
            for each in self._instances(job, known):
                if each.get("job", {}).get("id") in lost:
                    results.add(False)
                    continue
                well, outputs = self.run(workflow, name, **contexts, needs=needs, matrix=each)
                results.add(well)
            needs[name] = {
                "result": "failure" if False in results else "success",
                "outputs": outputs,
            }
        return needs

    @staticmethod
    def _instances(job: Mapping[str, Any], known: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The values of a job's matrix; one without any where it has no matrix."""
        if "strategy" not in job:
            return [{}]
        ((name, expression),) = job["strategy"]["matrix"].items()
        source = re.fullmatch(r"\$\{\{ fromJSON\(([\w.]+)\) \}\}", expression)
        assert source, expression
        return [{name: value} for value in json.loads(_looked_up(source[1], known))]

    def run(self, workflow: str, job: str, **contexts: Any) -> tuple[bool, dict[str, str]]:
        """Run one job; whether all of its steps went well, and its outputs."""
        text = (self.checkout / ".github" / "workflows" / workflow).read_text()
        self._contexts = {**self.contexts, "steps": {}, **contexts}
        # Each job has a machine of its own.
        shutil.rmtree(self.checkout / ".compat", ignore_errors=True)
        well = True
        plan = yaml.safe_load(text)["jobs"][job]
        for step in plan["steps"]:
            condition = str(step.get("if", ""))
            if not well and not re.search(r"always\(\)|!cancelled\(\)", condition):
                continue
            if condition and not _condition(condition, self._contexts):
                continue
            well = self.take(job, step) and well
        outputs = plan.get("outputs", {})
        return well, {name: self._evaluated(value) for name, value in outputs.items()}

    def take(self, job: str, step: Mapping[str, Any]) -> bool:
        """Take one step of a job; whether it went well."""
        if "run" in step:
            return self._shell(step)
        self._use(step["uses"], step.get("with", {}))
        return True

    def leave(self, step: Mapping[str, Any], outputs: Mapping[str, str]) -> None:
        """What later steps and jobs may ask of a step."""
        self._contexts["steps"][step.get("id")] = {"outputs": outputs}

    def git(self, *arguments: str) -> str:
        """What git says in the clone."""
        somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
        command = ["git", *somebody, *arguments]
        done = subprocess.run(command, cwd=self.checkout, capture_output=True, text=True)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    def lose_caches(self) -> None:
        self._caches.clear()
        shutil.rmtree(self.store / "caches")

    def _shell(self, step: Mapping[str, Any]) -> bool:
        here = self.checkout / step.get("working-directory", "")
        if step["run"] == INSTALL and self._is_installed(here):
            return True
        files = {name: self.store / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        variables = {name: self._evaluated(value) for name, value in step.get("env", {}).items()}
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        github = self.variables | {name: str(file) for name, file in files.items()}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=here,
            env=inherited | {"PATH": self.path} | variables | github,
            capture_output=True,
            text=True,
        )
        # Shown where a test fails.
        print(f"$ {step['run']}\n{done.stdout}{done.stderr}")
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        lines = files["GITHUB_OUTPUT"].read_text().splitlines()
        self.leave(step, dict(line.split("=", 1) for line in lines))
        return done.returncode == 0

    def _is_installed(self, folder: Path) -> bool:
        """Whether all jobs' one Python has these packages already; else it has them after this."""
        wanted = (folder / REQUIREMENTS).read_text()
        known = wanted in self._installed
        self._installed.add(wanted)
        return known

    def _use(self, action: str, options: Mapping[str, Any]) -> None:
        name = action.partition("@")[0].removeprefix("actions/")
        path = self._evaluated(options.get("path", ""))
        here = self.checkout / path
        if name == "checkout" and path:
            source = self.called if "repository" in options else self.caller
            assert source is not None
            _check_out(source, here)
        elif name == "checkout":
            # Of the branch what is there now, unless a commit is named.
            ref = self._evaluated(options.get("ref", ""))
            self.git("fetch", "--quiet")
            commit = ref if re.fullmatch("[0-9a-f]{40}", ref) else "origin/main"
            self.git("reset", "--quiet", "--hard", commit)
            self.git("clean", "--quiet", "-d", "--force")
        elif name == "upload-artifact":
            artifact = self.store / "artifacts" / self._evaluated(options["name"])
            self._keep(here, artifact / here.name if here.is_file() else artifact)
        elif name == "download-artifact":
            assert "merge-multiple" not in options, "one job's files would lie among another's"
            single = "name" in options
            pattern = self._evaluated(options["name"] if single else options["pattern"])
            for artifact in (self.store / "artifacts").iterdir():
                if fnmatch(artifact.name, pattern):
                    target = here if single else here / artifact.name
                    shutil.copytree(artifact, target, symlinks=True, dirs_exist_ok=True)
        elif name == "cache/restore":
            prefix = self._evaluated(options["restore-keys"])
            fitting = [
                kept for key, of, kept in self._caches if of == path and key.startswith(prefix)
            ]
            for kept in fitting[-1:]:
                shutil.copytree(kept, self.checkout, dirs_exist_ok=True)
        elif name == "cache/save":
            kept = self.store / "caches" / str(len(self._caches))
            for file in self.checkout.glob(path):
                self._keep(file, kept / file.relative_to(self.checkout))
            if kept.exists():
                self._caches.append((self._evaluated(options["key"]), path, kept))
        else:
            assert name in {"setup-python", "upload-pages-artifact", "deploy-pages"}, action

    @staticmethod
    def _keep(source: Path, target: Path) -> None:
        """Keep a file or a folder, and nothing of what was kept under that name before."""
        shutil.rmtree(target, ignore_errors=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    def _evaluated(self, text: str) -> str:
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: self._value(match[1]), text)

    def _value(self, name: str) -> str:
        value = _looked_up(name, self._contexts)
        return value if isinstance(value, str) else json.dumps(value) if value else ""


def _check_out(source: Path, folder: Path) -> None:
    """Have ``folder`` hold what a clone does.

    The environments of its sessions stay there, as in the clone: they would be made the same again.
    """
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if old.is_file():
            old.unlink()
        elif old.name != ".nox":
            shutil.rmtree(old)
    mine = shutil.ignore_patterns(".nox", ".compat")
    shutil.copytree(source, folder, ignore=mine, dirs_exist_ok=True)


def _looked_up(name: str, contexts: Mapping[str, Any]) -> Any:
    """What an expression's name stands for; None where there is nothing."""
    value: Any = contexts
    for part in name.split("."):
        value = value.get(part) if value else None
    return value


def _condition(expression: str, contexts: Mapping[str, Any]) -> bool:
    """Whether an ``if`` holds, of those that the workflows have; nothing is cancelled here."""
    inner = re.sub(r"^\$\{\{ (.*) \}\}$", r"\1", expression)
    operators = {"&&": "and", "||": "or", "!cancelled()": "True", "always()": "True"}

    def translated(token: re.Match[str]) -> str:
        text = token[0]
        if text in operators or text in {"==", "!="} or text.startswith("'"):
            return operators.get(text, text)
        return repr(_looked_up(text, contexts) or "")

    tokens = r"'[^']*'|&&|\|\||==|!=|!cancelled\(\)|always\(\)|[\w.]+"
    assert not re.sub(tokens, "", inner).strip(), expression
    return bool(eval(re.sub(tokens, translated, inner), {}))

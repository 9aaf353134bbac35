"""Runs a workflow's jobs as GitHub would: the ``run:`` lines, and where files go between jobs."""

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


@dataclass
class Repository:
    """A checkout, and what GitHub keeps of it: artifacts, one cache, outputs and summaries.

    Attributes:
        store: The folder in which all that is kept.
        contexts: What expressions may ask for: ``inputs``, ``vars``, ``github``, …
    """

    checkout: Path
    store: Path
    path: str
    contexts: dict[str, Any] = field(default_factory=dict)

    def run(self, workflow: str, job: str, **contexts: Any) -> tuple[bool, dict[str, str]]:
        """Run one job; whether all of its steps went well, and its outputs."""
        text = (self.checkout / ".github" / "workflows" / workflow).read_text()
        self._contexts = {**self.contexts, "steps": {}, **contexts}
        # Each job has a machine of its own.
        shutil.rmtree(self.checkout / ".compat", ignore_errors=True)
        well = True
        plan = yaml.safe_load(text)["jobs"][job]
        for step in plan["steps"]:
            if not well and not re.search(r"always\(\)|!cancelled\(\)", str(step.get("if", ""))):
                continue
            if "run" in step:
                well = self._shell(step) and well
            else:
                self._use(step["uses"], step.get("with", {}))
        outputs = plan.get("outputs", {})
        return well, {name: self._evaluated(value) for name, value in outputs.items()}

    def _shell(self, step: Mapping[str, Any]) -> bool:
        files = {name: self.store / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        variables = {name: self._evaluated(value) for name, value in step.get("env", {}).items()}
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.checkout,
            env=inherited | {"PATH": self.path} | variables | {k: str(v) for k, v in files.items()},
            capture_output=True,
            text=True,
        )
        # Shown where a test fails.
        print(f"$ {step['run']}\n{done.stdout}{done.stderr}")
        lines = files["GITHUB_OUTPUT"].read_text().splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        self._contexts["steps"][step.get("id")] = {"outputs": outputs}
        return done.returncode == 0

    def _use(self, action: str, options: Mapping[str, Any]) -> None:
        name = action.partition("@")[0].removeprefix("actions/")
        here = self.checkout / options.get("path", "")
        if name == "upload-artifact":
            if here.exists():
                self._copy(here, self.store / "artifacts" / self._evaluated(options["name"]))
        elif name == "download-artifact":
            pattern = self._evaluated(options.get("name") or options["pattern"])
            for artifact in (self.store / "artifacts").iterdir():
                if fnmatch(artifact.name, pattern):
                    self._copy(artifact, here)
        elif name == "cache/restore":
            self._copy(self.store / "cache", here)
        elif name == "cache/save":
            self._copy(here, self.store / "cache")
        else:
            assert name in {"checkout", "setup-python"}, action

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    def _evaluated(self, text: str) -> str:
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: self._value(match[1]), text)

    def _value(self, name: str) -> str:
        value: Any = self._contexts
        for part in name.split("."):
            value = value.get(part) if value else None
        return value if isinstance(value, str) else json.dumps(value) if value else ""

"""A real build with a ``sitecustomize`` beside it that breaks it, and a place to probe it in.

The build's own environment stays as it is: an environment of its own lies over it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compat.builds.environment import Environment
from compat.runs.model import Cell, Run
from compat.runs.store import load

# Calls AFTER[name](module) as soon as a module was imported, and BEFORE[name]() ahead of that.
HOOKS = """
import ctypes, functools, importlib.util, os, signal, sys, time

AFTER = {}
BEFORE = {}

class Hooks:
    def find_spec(self, name, path=None, target=None):
        before = BEFORE.pop(name, None)
        if before:
            before()
        after = AFTER.pop(name, None)
        if after is None:
            return None
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            after(module)
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Hooks())
"""

# Calls sabotage(test) with the name of the running test ahead of every standalone_compile.
IN_STANDALONE_COMPILE = """
def wrap(module):
    real = module.standalone_compile
    @functools.wraps(real)
    def wrapped(*args, **kwargs):
        sabotage(os.environ["PYTEST_CURRENT_TEST"].partition("::")[2].partition(" ")[0])
        return real(*args, **kwargs)
    module.standalone_compile = wrapped

AFTER["torch._inductor"] = wrap
"""


@dataclass(frozen=True)
class Place:
    """A folder to run ``compat`` in."""

    folder: Path

    def compat(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "compat", *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
        )

    def matrix(self, *arguments: str) -> tuple[int, Run]:
        """What ``nox -s matrix`` does: the exit status, and the run."""
        probed = self.compat("probe", "--device", "cpu", *arguments)
        assert probed.returncode == 0, probed.stderr
        return self.report()

    def report(self) -> tuple[int, Run]:
        """What ``compat report`` says of the newest run."""
        reported = self.compat("report")
        assert reported.stderr == ""
        return reported.returncode, load(self.folder / "reports/latest/run.json")


def sabotaged(real: Environment, folder: Path, source: str) -> Path:
    """The interpreter of an environment over ``real`` that runs ``source`` as it starts."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    (packages,) = real.python.parents[1].glob("lib/python*/site-packages")
    (site / "real.pth").write_text(f"{packages}\n")
    (site / "sitecustomize.py").write_text(HOOKS + source)
    return python


def share_bytecode(real: Environment, scratch: Path) -> None:
    """Spare a build the minute in which Python compiles all of torch."""
    _share(real, scratch, "bytecode")


def share_scratch(real: Environment, scratch: Path) -> None:
    """Spare a build that too, and precompiled headers and libraries: its compiler is the same."""
    _share(real, scratch, "bytecode")
    _share(real, scratch, "tmp")


def _share(real: Environment, scratch: Path, name: str) -> None:
    scratch.mkdir(parents=True, exist_ok=True)
    if not (scratch / name).is_symlink():
        # One of its own, from when it shared nothing.
        shutil.rmtree(scratch / name, ignore_errors=True)
        (real.scratch / name).mkdir(exist_ok=True)
        (scratch / name).symlink_to(real.scratch / name)


def by_check(run: Run, build: str) -> Mapping[str, Cell]:
    return {cell.check: cell for cell in run.cells if cell.build == build}

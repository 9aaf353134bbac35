"""Starts the process that runs the probes inside a build's environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import compat
from compat.builds.environment import Environment
from compat.running.settings import Settings
from compat.runs.model import Status
from compat.runs.stream import Stream

_POLL_S = 0.5

# They change what is generated: a cell that was seen under others is not the same cell.
FIXED = {
    # One compilation at a time in each probe: the probes themselves run side by side.
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    # Generated code depends on it; the same on every host.
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",
}


@dataclass(frozen=True, kw_only=True)
class Saved:
    """Artifacts that outlive their probes.

    Attributes:
        own: The folder for what this build saves.
        others: By the id of another build: the folder with what that one saved. If there are any,
            the checks are about these alone.
    """

    own: Path
    others: Mapping[str, Path] = field(default_factory=dict)


class Worker:
    """Runs the probes of one build after another.

    Args:
        settings: What the user chose.
        jobs: Probes side by side in each build.
    """

    def __init__(self, settings: Settings, jobs: int) -> None:
        self._settings = settings
        self._jobs = jobs

    def run(
        self,
        environment: Environment,
        stream: Stream,
        saved: Saved,
        skip: Collection[str],
        alive: Callable[[], None],
    ) -> tuple[Status, str]:
        """Probe a build to the end, except the checks to ``skip``, calling ``alive`` meanwhile."""
        skipped = stream.path.with_suffix(".skip")
        skipped.write_text(json.dumps(sorted(skip)))
        others = stream.path.with_suffix(".others")
        others.write_text(json.dumps({name: str(each) for name, each in saved.others.items()}))
        command = [
            *(str(environment.python), "-m", "compat.worker"),
            *("--stream", str(stream.path), "--jobs", str(self._jobs), "--skip", str(skipped)),
            *("--device", self._settings.device, "--timeout", str(self._settings.timeout_s)),
            *("--memory", str(self._settings.memory_gb), "--depth", self._settings.depth),
            *("--artifacts", str(saved.own)),
            *(("--beside", str(environment.beside)) if environment.beside else ()),
            *(("--packages", str(environment.packages)) if environment.packages else ()),
            *(("--select", *self._settings.probes) if self._settings.probes else ()),
            *(("--others", str(others)) if saved.others else ()),
        ]
        log = stream.path.with_suffix(".log")
        with log.open("w") as output:
            worker = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=environment.scratch,
                env=worker_variables(environment, self._settings.home),
            )
            try:
                while worker.poll() is None:
                    alive()
                    try:
                        worker.wait(_POLL_S)
                    except subprocess.TimeoutExpired:
                        continue
            finally:
                worker.kill()
        if worker.returncode == 0:
            return Status.OK, ""
        said = log.read_text(errors="replace")
        return Status.BROKEN, _reason(worker.returncode, said, self._settings.timeout_s)


def _reason(status: int, log: str, timeout_s: float) -> str:
    """Why a worker did not come to its end, in one line."""
    _, hung, stacks = log.rpartition("Timeout (")
    if hung:
        frames = [line.strip() for line in stacks.splitlines() if line.startswith("  File ")]
        where = f", in {frames[0]}" if frames else ""
        return f"importing torch took more than {timeout_s:.0f} s{where}"
    lines = log.strip().splitlines()
    return f"the worker ended with status {status}: {lines[-1] if lines else 'it said nothing'}"


def worker_variables(environment: Environment, home: Path) -> dict[str, str]:
    """What a worker's environment variables are; a link to this package is kept below ``home``."""
    # A folder that holds this package and nothing else, so that no dependency of the harness
    # gets onto the path of the build.
    source = home / "source"
    source.mkdir(parents=True, exist_ok=True)
    link = source / "compat"
    package = Path(compat.__file__).parent
    if not link.is_symlink() or link.resolve() != package:
        link.unlink(missing_ok=True)
        link.symlink_to(package)
    temporary = environment.scratch / "tmp"
    for leftover in temporary.glob("compat-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir(exist_ok=True)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TORCH", "TRITON", "PYTEST", "COMPAT", "VIRTUAL_ENV"))
    }
    path = [str(source), *filter(None, [inherited.get("PYTHONPATH")])]
    return {
        **inherited,
        **FIXED,
        "PYTHONPATH": os.pathsep.join(path),
        # An adopted environment gets no bytecode written into it.
        "PYTHONPYCACHEPREFIX": str(environment.scratch / "bytecode"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # Precompiled headers go below this, whatever the cache folder is.
        "TMPDIR": str(temporary),
        "TORCHINDUCTOR_CACHE_DIR": str(environment.scratch / "inductor"),
    }

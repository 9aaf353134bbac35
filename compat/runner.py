"""Takes builds through their probes: resolve, install, probe, each outcome on disk at once."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Protocol

import compat
from compat.builds.environment import Environment, InstallError, adopt, install, lacking
from compat.builds.resolve import Resolution
from compat.errors import UsageError
from compat.runs.model import Build, Device, Harness, Host, Status, Wheel, to_json
from compat.runs.store import RunFolder, now
from compat.runs.stream import Stream

_POLL_S = 0.5


class Progress(Protocol):
    """Hears how far each build is."""

    def phase(self, build: str, doing: str) -> None: ...

    def cells(self, build: str, done: int, planned: int) -> None: ...

    def end(self, build: str, result: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to probe.

    Attributes:
        device: ``cpu`` or ``cuda``.
        probes: Parts of probe ids; all probes if there are none.
        jobs: Probes side by side, over all builds.
        home: Where environments and runs are kept.
    """

    device: str
    probes: Sequence[str]
    jobs: int
    home: Path


def probe_builds(
    resolutions: Sequence[Resolution], settings: Settings, progress: Progress
) -> RunFolder:
    """Probe every build that was found and leave a stream for each, found or not.

    Raises:
        UsageError: An interpreter among them has no torch, or two builds go by one name.
    """
    for resolution in resolutions:
        if resolution.python is not None:
            lacking(resolution.python)
    ids = [resolution.id for resolution in resolutions]
    if twice := {name for name in ids if ids.count(name) > 1}:
        raise UsageError(f"several builds are called {', '.join(sorted(twice))}; run them apart")
    folder = RunFolder.create(settings.home / "runs", _harness(), _host())
    side_by_side = min(settings.jobs, len(resolutions))
    pipeline = _Pipeline(folder, settings, max(1, settings.jobs // side_by_side), progress)
    with ThreadPoolExecutor(max_workers=side_by_side) as executor:
        # Reading the results raises what a pipeline raised.
        list(executor.map(pipeline.run, resolutions))
    return folder


class _Pipeline:
    """One build from its resolution to the end of its stream."""

    def __init__(
        self, folder: RunFolder, settings: Settings, jobs: int, progress: Progress
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._jobs = jobs
        self._progress = progress
        self._installing = Lock()

    def run(self, resolution: Resolution) -> None:
        build = _described(resolution, self._settings.device)
        if resolution.problem:
            self._end(build, Status.UNAVAILABLE, resolution.problem)
            return
        self._progress.phase(build.id, "installing")
        seconds: dict[str, float] = {}
        try:
            # One at a time: parallel installations fight for the same disk and cache.
            with self._installing, _timed(seconds, "install"):
                environment = self._environment(resolution)
        except InstallError as error:
            self._end(build, Status.BROKEN, f"could not be installed: {error}")
            return
        if build.wheel is not None:
            build = replace(build, wheel=replace(build.wheel, sha256=environment.sha256))
        stream = self._begin(build)
        self._progress.phase(build.id, "starting")
        status, reason = self._probe(build, environment, stream, seconds)
        self._finish(build, stream, status, reason, seconds)

    def _environment(self, resolution: Resolution) -> Environment:
        home = self._settings.home / "environments"
        if resolution.wheel is not None:
            return install(resolution.wheel, home)
        if resolution.python is not None:
            return adopt(resolution.python, home)
        raise InstallError("neither a wheel nor an interpreter")

    def _probe(
        self, build: Build, environment: Environment, stream: Stream, seconds: dict[str, float]
    ) -> tuple[Status, str]:
        """Run the worker to its end, and note how long it took to start and to probe."""
        command = [
            *(str(environment.python), "-m", "compat.probes"),
            *("--stream", str(stream.path), "--device", self._settings.device),
            *("--jobs", str(self._jobs)),
            *(("--beside", str(environment.beside)) if environment.beside else ()),
            *(("--select", *self._settings.probes) if self._settings.probes else ()),
        ]
        log = stream.path.with_suffix(".log")
        with log.open("w") as output:
            worker = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=environment.scratch,
                env=_worker_variables(environment, self._settings.home),
            )
            try:
                began = monotonic()
                while worker.poll() is None:
                    phase = "probe" if self._report_cells(build, stream) else "start"
                    earlier = seconds.get("start", 0) if phase == "probe" else 0
                    seconds[phase] = round(monotonic() - began - earlier, 1)
                    try:
                        worker.wait(_POLL_S)
                    except subprocess.TimeoutExpired:
                        continue
            finally:
                worker.kill()
        if worker.returncode == 0:
            return Status.OK, ""
        lines = log.read_text(errors="replace").strip().splitlines()
        last = lines[-1] if lines else "it said nothing"
        return Status.BROKEN, f"the worker ended with status {worker.returncode}: {last}"

    def _report_cells(self, build: Build, stream: Stream) -> bool:
        """Tell the progress how many cells are done; false while none is planned yet."""
        kinds = [kind for kind, _ in stream.read()]
        planned = kinds.count("plan")
        if planned:
            self._progress.cells(build.id, kinds.count("cell"), planned)
        return bool(planned)

    def _begin(self, build: Build) -> Stream:
        stream = self._folder.stream(build)
        stream.append("build", to_json(build))
        return stream

    def _finish(
        self,
        build: Build,
        stream: Stream,
        status: Status,
        reason: str,
        seconds: Mapping[str, float],
    ) -> None:
        end = {"status": status, "reason": reason, "finished": now(), "seconds": seconds}
        stream.append("end", end)
        self._report_cells(build, stream)
        self._progress.end(build.id, reason or "probed")

    def _end(self, build: Build, status: Status, reason: str) -> None:
        self._finish(build, self._begin(build), status, reason, {})


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    began = monotonic()
    yield
    seconds[phase] = round(monotonic() - began, 1)


def _described(resolution: Resolution, device: str) -> Build:
    wheel = resolution.wheel
    names = tuple(str(spec) for spec in resolution.specs)
    return Build(
        id=resolution.id,
        aliases=names,
        requested=names[0],
        channel=resolution.channel,
        device=Device(kind=device),
        variant=wheel.variant if wheel else "",
        wheel=Wheel(filename=wheel.filename, sha256=wheel.sha256) if wheel else None,
        note=resolution.note,
    )


def _worker_variables(environment: Environment, home: Path) -> dict[str, str]:
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
    return inherited | {
        "PYTHONPATH": os.pathsep.join(path),
        # An adopted environment gets no bytecode written into it.
        "PYTHONPYCACHEPREFIX": str(environment.scratch / "bytecode"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # Precompiled headers go below this, whatever the cache folder is.
        "TMPDIR": str(temporary),
        "TORCHINDUCTOR_CACHE_DIR": str(environment.scratch / "inductor"),
        # One compilation at a time in each probe: the probes themselves run side by side.
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
        # Generated code depends on it; the same on every host.
        "OMP_NUM_THREADS": "2",
        "OMP_WAIT_POLICY": "PASSIVE",
    }


def _harness() -> Harness:
    root = Path(compat.__file__).parents[1]

    def git(*arguments: str) -> str:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True
        )
        return answer.stdout.strip()

    # Reports are made from runs, so a changed report does not change the harness.
    changed = git("status", "--porcelain", "--", ".", ":!reports")
    return Harness(
        version=compat.__version__, commit=git("rev-parse", "HEAD") + ("+" if changed else "")
    )


def _host() -> Host:
    cpu = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    return Host(
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cpu=cpu,
        cores=os.cpu_count() or 1,
    )


def require_compiler() -> None:
    """Inductor calls a C++ compiler on every device.

    Raises:
        UsageError: There is none.
    """
    command = os.environ.get("CXX", "g++")
    if shutil.which(command) is None:
        raise UsageError(
            f"no C++ compiler: expected {command!r} on the PATH; install g++ or set CXX"
        )

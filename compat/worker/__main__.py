"""The worker: ``python -m compat.worker`` runs the probes inside a build's own environment."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import compat
from compat.adapters import ENGINES
from compat.runs.model import DEFAULT, DEPTHS, FULL
from compat.runs.stream import Stream
from compat.worker import gpu
from compat.worker.libraries import keep_libraries, stand_in_for_the_compiler
from compat.worker.lifeline import die_with_parent
from compat.worker.machine import compiler_version
from compat.worker.phases import COLLECT, END, ENVIRONMENT, IMPORT, IMPORT_SUBJECT, WARM_UP
from compat.worker.stacks import tell_when_asked

# What pytest collects: a folder, and the files in it with what is asked of no builtin subject.
PROBES = Path(compat.__file__).with_name("probes")
OF_SUBJECTS = PROBES / "test_subject.py"
OF_ENGINES = PROBES / "test_engine.py"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m compat.worker", description=__doc__)
    parser.add_argument("--stream", type=Path, required=True, help="JSON-lines file to append to")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--jobs", type=int, default=1, help="probes side by side")
    parser.add_argument("--timeout", type=float, default=180, help="see compat.worker.patience")
    parser.add_argument("--memory", type=float, default=8, help="GB a probe may use")
    parser.add_argument("--depth", choices=DEPTHS, default=DEFAULT)
    parser.add_argument("--select", nargs="*", default=[], help="parts of probe ids")
    parser.add_argument("--skip", type=Path, help="JSON list of checks that are not to be run")
    parser.add_argument("--artifacts", type=Path, help="where what is saved for others is kept")
    parser.add_argument(
        "--others",
        type=Path,
        help="JSON object of builds and what they saved; only this is asked about",
    )
    parser.add_argument("--beside", type=Path, help="a folder with what the environment lacks")
    parser.add_argument("--packages", type=Path, help="a folder for the probes of real models")
    parser.add_argument("--command", type=Path, help="JSON: what is run in the place of probes")
    parser.add_argument("--subject", help="an adapter's name; left out, the builtin subject")
    parser.add_argument("--subject-version", default="", help="the release that lies beside")
    parser.add_argument("--subject-file", default="", help="the file of the subject mine")
    arguments = parser.parse_args()
    # pytest would take it for an end of its own, and a killed worker for a build that is broken.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with_parent()
    tell_when_asked()
    if arguments.beside is not None:
        # Last, so that the environment's own packages win.
        sys.path.append(str(arguments.beside))

    with tempfile.TemporaryDirectory(prefix=f"compat-{os.getpid()}-") as temporary:
        # pytest wants the name without symbolic links in it.
        scratch = Path(temporary).resolve()
        stand_in_for_the_compiler()
        keep_forks_possible(arguments.device)
        return run(arguments, scratch)


def run(arguments: argparse.Namespace, scratch: Path) -> int:
    """Import torch, say what it is, warm up, run the probes; pytest's exit status."""
    stream = Stream(arguments.stream)
    skip = set(json.loads(arguments.skip.read_text())) if arguments.skip else set()
    if arguments.command is not None:
        return run_what_was_brought(arguments, stream, skip, scratch)
    # An engine takes a part of what it finds.
    if arguments.device == "cuda" and arguments.subject not in ENGINES:
        gpu.limit_memory()
    with stream.timed(IMPORT):
        import torch

        from compat.worker import warm_up

        warm_up.import_compiler()
    keep_libraries(Path(torch.__file__).parent)
    stream.begin(ENVIRONMENT)
    stream.append("environment", environment(arguments.device))
    stream.begin(COLLECT)

    import pytest

    from compat.worker.isolation import IsolatedRun
    from compat.worker.jobs import Limits
    from compat.worker.patience import Bounds

    bounds = Bounds.of(arguments.timeout)
    selection = Selection(
        arguments.device,
        arguments.depth,
        arguments.select,
        across=arguments.others is not None,
    )

    def warm() -> None:
        warm_up.warm_up(arguments.device, bounds)

    def ask(what: Sequence[str], prepare: Callable[[], None], phase: str, *plugins: object) -> int:
        probes = scratch / "probes"
        shutil.rmtree(probes, ignore_errors=True)
        probes.mkdir()
        limits = Limits(bounds, arguments.memory)
        # One engine at a time: each takes all processors, and a part of the memory that it finds.
        jobs = 1 if arguments.subject in ENGINES else arguments.jobs
        isolated = IsolatedRun(stream, probes, jobs, limits, skip, prepare, phase)
        options = [
            *("-q", "-s", f"--device={arguments.device}", "-p", "no:cacheprovider"),
            # Its handlers would make torch write out each graph for its structured trace.
            *("-p", "no:logging"),
            f"--rootdir={PROBES}",
            f"--artifacts={arguments.artifacts or scratch / 'artifacts'}",
            *([f"--others={arguments.others}"] if arguments.others else []),
            *([f"--packages={arguments.packages}"] if arguments.packages else []),
        ]
        status = pytest.main([*what, *options], plugins=[selection, isolated, *plugins])
        # That a selection is empty is for the one to say who selected.
        return 0 if status == pytest.ExitCode.NO_TESTS_COLLECTED else int(status)

    if arguments.subject is None:
        others = [f"--ignore={each}" for each in (OF_SUBJECTS, OF_ENGINES)]
        status = ask([str(PROBES), *others], warm, WARM_UP)
    elif arguments.subject in ENGINES:
        from compat.adapters import load_engine
        from compat.worker.engine import EngineProcess

        with stream.timed(WARM_UP):
            warm()
        engine = load_engine(arguments.subject, arguments.subject_version)
        process = EngineProcess(engine, scratch / "kept")
        status = ask([str(OF_ENGINES)], process.import_engine, IMPORT_SUBJECT, process)
    else:
        from compat.worker.subject import ask_each_path

        with stream.timed(WARM_UP):
            warm()
        status = ask_each_path(
            arguments.subject,
            arguments.subject_version,
            arguments.subject_file,
            scratch,
            lambda prepare, *plugins: ask([str(OF_SUBJECTS)], prepare, IMPORT_SUBJECT, *plugins),
        )
    stream.begin(END)
    return status


def run_what_was_brought(
    arguments: argparse.Namespace, stream: Stream, skip: set[str], scratch: Path
) -> int:
    """Say what torch is, and run a user's command beside it; 0 if that came to its end."""
    with stream.timed(IMPORT):
        import torch
    keep_libraries(Path(torch.__file__).parent)
    stream.begin(ENVIRONMENT)
    stream.append("environment", environment(arguments.device))
    from compat.worker.command import read_command, run_command
    from compat.worker.jobs import Limits
    from compat.worker.patience import Bounds

    stream.begin(COLLECT)
    command = read_command(arguments.command, arguments.select)
    limits = Limits(Bounds.of(arguments.timeout), arguments.memory)
    status = run_command(command, stream, scratch, limits, skip)
    stream.begin(END)
    return status


def keep_forks_possible(device: str) -> None:
    """See to it that importing torch initialises no CUDA: its state does not survive a fork."""
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    else:
        # Lets torch.cuda.is_available() ask the driver's library instead of the runtime.
        os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"


class Selection:
    """Keeps the probes of a device and a depth whose id contains one of some texts, if any.

    Args:
        across: Whether to keep the checks about what other builds saved, or all the rest.
    """

    def __init__(self, device: str, depth: str, texts: list[str], *, across: bool) -> None:
        self._device = device
        self._depth = depth
        self._texts = texts or [""]
        self._across = across

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        from compat.runs.model import SAVED_BY
        from compat.worker.isolation import check_of, identity

        items[:] = [
            item
            for item in items
            if (self._device == "cuda" or item.get_closest_marker("cuda") is None)
            and (self._depth == FULL or item.get_closest_marker(FULL) is None)
            and (SAVED_BY in identity(item)["params"]) == self._across
            and any(text in check_of(item) for text in self._texts)
        ]


def environment(device: str) -> dict[str, Any]:
    """What the build's environment says of itself."""
    import torch

    try:
        import triton

        triton_version = str(triton.__version__)
    except ImportError:
        triton_version = ""
    return {
        "version": str(torch.__version__),
        "git_version": str(torch.version.git_version),
        "triton": triton_version,
        "python": platform.python_version(),
        "compiler": compiler_version(os.environ.get("CXX", "g++")),
        "device": describe_device(device),
    }


def describe_device(kind: str) -> dict[str, Any]:
    """The fields of :class:`compat.runs.model.Device`."""
    import torch

    if kind == "cpu":
        return {"kind": kind, "name": torch.backends.cpu.get_cpu_capability()}
    found = gpu.ask_torch()
    return {
        "kind": kind,
        "name": found.name,
        "driver": gpu.driver_version(),
        "capability": found.capability,
        "runtime": found.runtime,
        "count": found.count,
    }


if __name__ == "__main__":
    sys.exit(main())

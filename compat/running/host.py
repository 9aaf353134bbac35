"""The machine that runs the matrix, and the project that it runs."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

import compat
from compat.errors import UsageError
from compat.runs.model import Harness, Host
from compat.worker.gpu import MIB_A_PROBE, gpu_is_there, memory_mib


def describe_host() -> Host:
    return Host(
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cpu=_cpu_line("model name") or platform.processor() or platform.machine(),
        cores=os.cpu_count() or 1,
    )


def describe_harness() -> Harness:
    root = Path(compat.__file__).parents[1]

    def git(*arguments: str) -> str:
        return _output("git", "-C", str(root), *arguments)

    # Reports are made from runs, so a changed report does not change the harness.
    changed = git("status", "--porcelain", "--", ".", ":!reports")
    return Harness(
        version=compat.__version__, commit=git("rev-parse", "HEAD") + ("+" if changed else "")
    )


def default_device() -> str:
    """``cuda`` where there is an NVIDIA GPU, else ``cpu``."""
    return "cuda" if gpu_is_there() else "cpu"


def default_jobs(device: str) -> int:
    """How many probes run side by side: each core has one, as far as the GPU's memory goes."""
    cores = os.cpu_count() or 1
    if device != "cuda":
        return cores
    return max(1, min(cores, memory_mib() // MIB_A_PROBE))


@cache
def fingerprint(device: str) -> str:
    """A digest of what the machine brings to a cell: processor, GPU and driver, C++ compiler."""
    gpu = _output("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    parts = (
        platform.system(),
        platform.machine(),
        _cpu_line("model name"),
        _cpu_line("flags"),
        _output(compiler(), "--version"),
        os.environ.get("PYTHONPATH", ""),
        *([device, gpu] if device == "cuda" else [device]),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def compiler() -> str:
    """The C++ compiler, which Inductor calls on every device.

    Raises:
        UsageError: There is none.
    """
    command = os.environ.get("CXX", "g++")
    if shutil.which(command) is None:
        raise UsageError(
            f"no C++ compiler: expected {command!r} on the PATH; install g++ or set CXX"
        )
    return command


def _cpu_line(name: str) -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _output(*command: str) -> str:
    """What a command printed; nothing where there is no such command."""
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""

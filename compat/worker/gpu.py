"""The GPU: whether there is one, whether torch can use it, and what it is. Imports no torch."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# It answers in a second or two, and not at all where the driver hangs.
_SMI_TIMEOUT_S = 120
# What a probe may allocate. Most were seen to take 600 to 710 MiB on an H200, a context included.
MIB_A_PROBE = 4096


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """What torch says of the GPU, or why it cannot use it.

    Attributes:
        problem: torch's message where it cannot use the GPU, or where there is none.
        name: As torch calls it, of the first one.
        capability: Its compute capability: ``9.0``.
        runtime: The CUDA that torch was built with: ``13.0``.
        count: How many devices torch sees.
    """

    problem: str = ""
    name: str = ""
    capability: str = ""
    runtime: str = ""
    count: int = 0


def gpu_is_there() -> bool:
    """Whether this machine has an NVIDIA GPU, whatever torch can make of it."""
    return _smi("-L").startswith("GPU") or any(Path("/dev").glob("nvidia[0-9]*"))


def driver_version() -> str | None:
    """The NVIDIA driver's, None where nobody can tell."""
    lines = _smi("--query-gpu=driver_version", "--format=csv,noheader").splitlines()
    return lines[0].strip() if lines else None


def memory_mib() -> int:
    """All memory of the smallest GPU; 0 where nobody can tell."""
    said = _smi("--query-gpu=memory.total", "--format=csv,noheader,nounits")
    return min(map(int, re.findall(r"^\d+", said, re.MULTILINE)), default=0)


def limit_memory() -> None:
    """Let each process from now on allocate its part of the GPU's memory and no more.

    It has to be said before torch is imported, see ``c10/cuda/CUDAAllocatorConfig.h``.
    """
    if total := memory_mib():
        part = min(1.0, MIB_A_PROBE / total)
        os.environ["PYTORCH_ALLOC_CONF"] = f"per_process_memory_fraction:{part:.6f}"


@cache
def ask_torch() -> Gpu:
    """What torch makes of the GPU; asked once, and forks of this process know the answer.

    It is asked in a process of its own: CUDA that has been initialised does not survive a fork.
    """
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(max_workers=1, mp_context=fork) as executor:
        try:
            return executor.submit(_ask_torch).result()
        except BrokenProcessPool:
            return Gpu(problem="initialising CUDA killed the process")


def _ask_torch() -> Gpu:
    import torch

    try:
        torch.cuda.init()
        # Something that needs memory, and a kernel for this very GPU.
        torch.ones(1, device="cuda").add_(1).item()
    # An assertion where torch has no CUDA; with CUDA, whatever the driver says.
    except (RuntimeError, AssertionError) as error:
        return Gpu(problem=str(error).strip().partition("\n")[0])
    major, minor = torch.cuda.get_device_capability()
    return Gpu(
        name=torch.cuda.get_device_name(),
        capability=f"{major}.{minor}",
        runtime=str(torch.version.cuda),
        count=torch.cuda.device_count(),
    )


def _smi(*arguments: str) -> str:
    """What ``nvidia-smi`` printed; nothing where there is none, or where it fails or hangs."""
    try:
        answer = subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, timeout=_SMI_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""

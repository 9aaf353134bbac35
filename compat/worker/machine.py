"""Tells trouble with the machine from trouble with the build."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_TEXTS = ("No space left on device", "Disk quota exceeded")
# torch.OutOfMemoryError, what the driver says, and what cuBLAS makes of it.
_OUT_OF_DEVICE_MEMORY = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
# What torch says at the limit of compat.worker.gpu, and how much it says was asked for and is free.
_OWN_LIMIT = "would exceed per_process_memory_fraction limit"
_TRIED = re.compile(
    r"Tried to allocate ([\d.]+) (\w+)\b.*? of which ([\d.]+) (\w+) is free", re.DOTALL
)
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
# With less than this a file system counts as full: nothing that matters fits.
_SMALLEST_B = 1 << 20


class LackingError(Exception):
    """The machine lacks what a probe needs; the message says what."""


def compiler_version(compiler: str) -> str:
    """The first line of what a C++ compiler says of itself.

    A signal that ends it came from outside, and breaks no build: it is asked once more.

    Raises:
        OSError: There is no such compiler.
        subprocess.CalledProcessError: It does not say.
    """
    for _ in range(2):
        said = subprocess.run([compiler, "--version"], capture_output=True, text=True)
        if said.returncode >= 0:
            break
    said.check_returncode()
    return said.stdout.splitlines()[0]


def trouble(folder: Path, error: BaseException | None = None) -> str:
    """What the machine lacked, in one line, when a probe that writes below ``folder`` ended badly.

    Empty if nothing points at the machine.
    """
    if shutil.disk_usage(folder).free < _SMALLEST_B:
        return "no space left on device"
    return next(filter(None, map(_lacking, _chain(error))), "")


def _lacking(error: BaseException) -> str:
    """What one exception says that the machine lacked."""
    text = str(error)
    if isinstance(error, LackingError):
        return text
    if getattr(error, "errno", None) in _FULL or any(full in text for full in _FULL_TEXTS):
        return "no space left on device"
    if type(error).__name__ == "InvalidCxxCompiler":
        return f"no C++ compiler that works: {_first_line(text)}"
    # What wraps it, also over a pipe, may say something ahead of it.
    places = [text.index(lacking) for lacking in _OUT_OF_DEVICE_MEMORY if lacking in text]
    return _first_line(text[places[0] :]) if places and not _at_own_limit(text) else ""


def _at_own_limit(text: str) -> bool:
    """Whether the device had what was asked for: then it was the probe that took too much."""
    if _OWN_LIMIT in text:
        return True
    tried = _TRIED.search(text)
    if tried is None:
        return False
    asked, free = (float(tried[n]) * _UNITS.get(tried[n + 1], 0) for n in (1, 3))
    return free >= asked


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """``error``, what it wraps and what it came from."""
    seen: set[int] = set()
    pending = [error]
    while pending:
        each = pending.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            pending += [getattr(each, "inner_exception", None), each.__cause__, each.__context__]

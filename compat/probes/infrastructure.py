"""Tells trouble with the machine from trouble with the build."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_TEXTS = ("No space left on device", "Disk quota exceeded")
# With less than this a file system counts as full: nothing that matters fits.
_SMALLEST_B = 1 << 20


class LackingError(Exception):
    """The machine lacks what a probe needs; the message says what."""


def trouble(folder: Path, error: BaseException | None = None) -> str:
    """What the machine lacked, in one line, when a probe that writes below ``folder`` ended badly.

    Empty if nothing points at the machine.
    """
    if shutil.disk_usage(folder).free < _SMALLEST_B:
        return "no space left on device"
    for each in _chain(error):
        text = str(each)
        if isinstance(each, LackingError):
            return text
        if getattr(each, "errno", None) in _FULL or any(full in text for full in _FULL_TEXTS):
            return "no space left on device"
        if type(each).__name__ == "InvalidCxxCompiler":
            return f"no C++ compiler that works: {text.partition(chr(10))[0]}"
    return ""


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

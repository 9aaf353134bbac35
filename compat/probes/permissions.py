"""Lets the file permissions hold for this process even where it runs as root."""

from __future__ import annotations

import ctypes
import os

# linux/capability.h
_VERSION_3 = 0x20080522
_DAC_OVERRIDE = 1


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def obey_permissions() -> None:
    """Give up the right to write where nobody may write, for the calling thread.

    Raises:
        OSError: The kernel refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header = _Header(_VERSION_3, 0)
    sets = (_Sets * 2)()
    for change in (libc.capget, libc.capset):
        if change(ctypes.byref(header), sets):
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        sets[0].effective &= ~(1 << _DAC_OVERRIDE)

"""A failure's signature: what stays the same when the same thing breaks again tomorrow."""

from __future__ import annotations

import re
import traceback
from functools import partial

_LENGTH = 240
# Only so much of a message is looked at: the steps that this takes grow faster than its length.
_LOOKED_AT = 2000

# How far outputs are off, as :mod:`compat.probes.agreement` says it: the figures differ between
# processors, and whether they are finite does not.
_MEASURED = re.compile(
    r"\boff by (nan|inf|[\d.e+-]+) \([^;:]{0,100}\): root mean square [^;:]{0,200}"
    r"(?:; bias [^;:]{0,100})?(?:; worst element [^;:]{0,100})?"
)

# It names the same thing on every machine, whatever is in it.
_LINK = r"\bhttps://[\w.~:/?#@!$&*+=%-]+"

# Applied in this order to the first line of a message, but to no link in it.
_VOLATILE = tuple(
    (re.compile(f"(?:{pattern})|(?P<link>{_LINK})"), replacement)
    for pattern, replacement in (
        (r"0x[0-9a-fA-F]+", "0x…"),
        (r"(?<=\.py)(?::\d+)+", ""),
        (r"(?:/[\w.+~@-]+)+/([\w.+-]+)", r"…/\1"),
        (r"\bline (number: )?\d+", "line …"),
        (r"\bb(['\"]).*?\1", "b'…'"),
        (r"\b([su])\d+\b", r"\1N"),
        (r"\b((?i:pid)[ =:]{1,2})\d+", r"\1…"),
        # What :mod:`compat.worker.patience` measured.
        (r"\b[\d.]+ s of (?=processor time|wall clock)", "… s of "),
        (r"\b[0-9a-z]{40,}\b", "…"),
        (r"\b\d{4,}\b", "…"),
    )
)


def signature_of(error: BaseException) -> str:
    """Exception type, normalised message and innermost torch frame, in one line.

    Wrappers are looked through. What another process raised comes with its own, in ``signature``.
    """
    error = unwrapped(error)
    if isinstance(told := getattr(error, "signature", None), str):
        return told
    text = str(error).strip()
    message = normalise(text)
    frame = _innermost_torch_frame(error)
    return f"{type(error).__name__}: {message}" + (f" @ {frame}" if frame else "")


def unwrapped(error: BaseException) -> BaseException:
    """What really broke: what wrappers such as Dynamo's ``BackendCompilerFailed`` hold."""
    while isinstance(inner := getattr(error, "inner_exception", None), BaseException):
        error = inner
    return error


def normalise(message: str) -> str:
    """The first line of ``message`` without addresses, line numbers, folders, symbols, hashes."""
    message = _lasting(message[:_LOOKED_AT].partition("\n")[0].strip())
    # What is cut may look like a number or a hash only now.
    return message if len(message) <= _LENGTH else _lasting(message[: _LENGTH - 1]) + "…"


def without_measurements(text: str) -> str:
    """``text`` without the figures of how far outputs are off."""
    return _MEASURED.sub(
        lambda found: f"off by {found[1] if found[1] in {'nan', 'inf'} else '…'}", text
    )


def _lasting(text: str) -> str:
    text = without_measurements(text)
    for pattern, replacement in _VOLATILE:
        text = pattern.sub(partial(_replaced, replacement), text)
    return text


def _replaced(replacement: str, found: re.Match[str]) -> str:
    return found[0] if found["link"] else found.expand(replacement)


def _innermost_torch_frame(error: BaseException) -> str:
    frame = ""
    for each, _ in traceback.walk_tb(error.__traceback__):
        module = each.f_globals.get("__name__", "")
        if module.partition(".")[0] == "torch":
            frame = f"{module}:{each.f_code.co_name}"
    return frame

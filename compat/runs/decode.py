"""The one decoder of all JSON that this project reads: bytes in, typed data or one line out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from compat.errors import UsageError
from compat.runs.ids import AnswerId, BuildId, CellId, CheckId

T = TypeVar("T")

# Several times what a year of nightlies takes.
LARGEST_B = 256 << 20

_IDS = (BuildId, CheckId, CellId, AnswerId)


class DamagedError(UsageError):
    """A text does not hold what was expected; the message says what is wrong, and where in it."""


def decode(data: Any, kind: type[T]) -> T:
    """JSON values as ``kind``, a frozen dataclass or any type made of such.

    Raises:
        DamagedError: They do not fit.
    """
    try:
        return msgspec.convert(data, kind, dec_hook=_id)
    except (msgspec.ValidationError, RecursionError) as error:
        raise DamagedError(_line(error)) from None


def decode_text(text: bytes | str, kind: type[T]) -> T:
    """JSON text as ``kind``.

    Raises:
        DamagedError: It is no JSON, or does not fit.
    """
    try:
        return msgspec.json.decode(text, type=kind, dec_hook=_id)
    except msgspec.ValidationError as error:
        raise DamagedError(_line(error)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise DamagedError(f"expected JSON: {_line(error)}") from None


def read_json(path: Path, kind: type[T]) -> T:
    """A file of JSON as ``kind``.

    Raises:
        DamagedError: It cannot be read, is too large, is no JSON, or does not fit; names the file.
    """
    try:
        if path.stat().st_size > LARGEST_B:
            raise DamagedError(f"{path}: expected at most {LARGEST_B >> 20} MB")
        return decode_text(path.read_bytes(), kind)
    except OSError as error:
        raise DamagedError(f"cannot read {path}: {error.strerror}") from None
    except DamagedError as error:
        raise DamagedError(f"{path}: {error}") from None


def _id(kind: type[Any], value: Any) -> Any:
    """An id from its text; msgspec says where in the data a ValueError arose."""
    if kind in _IDS and isinstance(value, str):
        return kind(value)
    raise ValueError(f"expected a text as {kind.__name__}, not {type(value).__name__}")


def _line(error: Exception) -> str:
    return str(error) or type(error).__name__

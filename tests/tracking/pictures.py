"""Histories as little pictures: a letter a night, as in history.json."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from compat.runs.history import Column, History

FIRST = date(2026, 11, 1)
RED = "fect"


def night(number: int, **changes: Any) -> Column:
    """The nightly of one night, the first of which is that of November 1."""
    day = FIRST + timedelta(days=number)
    values: dict[str, Any] = {
        "run": f"{day}T050000.000Z",
        "date": str(day),
        "build": f"2.16.0.dev{day:%Y%m%d}+cpu",
        "device": "cpu",
        "version": f"2.16.0.dev{day:%Y%m%d}+cpu",
        "channel": "nightly",
        "git_version": f"{number:040x}",
    }
    return Column(**{**values, **changes})


def history_of(
    pictures: Mapping[str, str],
    columns: tuple[Column, ...] | None = None,
    signature: str = "AssertionError: no",
) -> History:
    """By check, how it ended night after night; what is red has the same signature everywhere."""
    (length,) = {len(picture) for picture in pictures.values()}
    return History(
        columns=columns or tuple(map(night, range(length))),
        outcomes=pictures,
        signatures={
            check: {str(at): signature for at, letter in enumerate(picture) if letter in RED}
            for check, picture in pictures.items()
        },
    )

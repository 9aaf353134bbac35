"""Histories as little pictures: a letter a night, as in history.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from compat.runs.answers import Ending, Said
from compat.runs.history import ABSENT, OUTCOMES, Column, Entry, History, Told
from compat.runs.ids import AnswerId, BuildId, CheckId

FIRST = date(2026, 11, 1)
NO = "AssertionError: no"


def night(number: int, *, name: str = "", device: str = "cpu", **changes: Any) -> Column:
    """The nightly of one night, the first of which is that of November 1."""
    day = FIRST + timedelta(days=number)
    name = name or f"2.16.0.dev{day:%Y%m%d}+cpu"
    values: dict[str, Any] = {
        "run": f"{day}T050000.000Z",
        "date": str(day),
        "build": BuildId.of(name, device),
        "version": name.partition("-py")[0],
        "channel": "nightly",
        "git_version": f"{number:040x}",
    }
    return Column(**{**values, **changes})


def release(number: int, name: str = "2.15.0", **changes: Any) -> Column:
    """A release as it was seen in the run of that night."""
    return night(number, name=name, channel="stable", git_version="5" * 40, **changes)


def history_of(
    pictures: Mapping[str, str],
    columns: Sequence[Column] | None = None,
    signature: str = NO,
    signatures: Mapping[str, Mapping[int, str]] | None = None,
    said: Mapping[str, Sequence[Said]] | None = None,
) -> History:
    """By check, how it ended night after night.

    Args:
        pictures: All of the same length; ``.`` where a check was not asked.
        columns: One for each letter; nightly after nightly if left out.
        signature: Of all that is red;
        signatures: but for these, by check and night.
        said: By check: one answer of it a night.
    """
    (length,) = {len(picture) for picture in pictures.values()}
    columns = columns or [night(number) for number in range(length)]
    return History(
        [
            Entry(
                column=column,
                endings={
                    CheckId(check): _ending(
                        picture[number], (signatures or {}).get(check, {}).get(number, signature)
                    )
                    for check, picture in pictures.items()
                    if picture[number] != ABSENT
                },
                answers={
                    AnswerId.of(CheckId(check), each[number].name): Told(
                        each[number].scale, each[number].value
                    )
                    for check, each in (said or {}).items()
                },
            )
            for number, column in enumerate(columns)
        ]
    )


def _ending(letter: str, signature: str) -> Ending:
    outcome = OUTCOMES[letter]
    return Ending(outcome=outcome, signature=signature if outcome.bad else "")

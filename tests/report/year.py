"""A year of nightlies, simulated: 365 executions of 300 checks on two devices."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from compat.runs.answers import Ending, count, text, verdict
from compat.runs.history import OUTCOMES, Column, Entry, History, Told
from compat.runs.ids import AnswerId, CheckId
from compat.runs.model import Build, Cell, Outcome, Run
from tests.conftest import build_id, make_build, make_cell, make_run

DAYS = 365
CHECKS = 300
DEVICES = ("cpu", "cuda")
RELEASES = ("2.10.0", "2.11.0", "2.12.1", "2.13.0", "2.14.1", "2.15.0")
_FIRST = date(2025, 11, 23)
_SIGNATURE = "RuntimeError: something long enough to be a signature of number {} @ torch._guards:f"


def checks() -> list[tuple[str, dict[str, str]]]:
    """Probes with their parameters: twenty probes of fifteen checks."""
    return [
        (f"family{number % 5}.probe{number}", {"model": f"model{check}", "path": "standalone"})
        for number in range(CHECKS // 15)
        for check in range(15)
    ]


def history() -> History:
    """Every check fails for stretches of days, a twentieth of the time; answers change monthly."""
    dice = random.Random(0)
    columns = [
        Column(
            run=f"{_day(day)}T050000.000Z",
            date=_day(day),
            build=build_id(_nightly(day), device),
            version=f"{_nightly(day)}+cu130",
            channel="nightly",
            git_version=f"{day:040x}",
        )
        for day in range(DAYS)
        for device in DEVICES
    ]
    endings: list[dict[CheckId, Ending]] = [{} for _ in columns]
    for probe, params in checks():
        check = CheckId.of(probe, params)
        letters = ["p"] * len(columns)
        for _ in range(3):
            start = dice.randrange(len(columns))
            for index in range(start, min(start + 12, len(columns))):
                letters[index] = dice.choice("fffen")
        for index, letter in enumerate(letters):
            signature = _SIGNATURE.format(dice.randrange(40)) if letter in "fe" else ""
            endings[index][check] = Ending(outcome=OUTCOMES[letter], signature=signature)
    return History(
        [
            Entry(column=column, endings=each, answers=_answers(each, number // len(DEVICES)))
            for number, (column, each) in enumerate(zip(columns, endings, strict=True))
        ]
    )


def _answers(endings: Mapping[CheckId, Ending], day: int) -> dict[AnswerId, Told]:
    """Of each check that passed: a verdict, a count and a text."""
    found = {}
    for number, (check, ending) in enumerate(endings.items()):
        if ending.outcome is Outcome.PASS:
            month = (day + number) // 30
            for said in (
                verdict("available", month % 12 != number % 12),
                count("copies", month % 3, unit="copies"),
                text("takes", f"function(graph, inputs, keyword_{month})"),
            ):
                found[AnswerId.of(check, said.name)] = Told(said.scale, said.value)
    return found


def latest() -> Run:
    """The newest execution: the releases and the newest nightly, on both devices."""
    dice = random.Random(1)
    builds = [
        make_build(name, device=device, channel=channel)
        for device in DEVICES
        for name, channel in (
            *((each, "stable") for each in RELEASES),
            (_nightly(DAYS - 1), "nightly"),
        )
    ]
    return make_run(builds, [_cell(build, *check, dice) for build in builds for check in checks()])


def _cell(build: Build, probe: str, params: dict[str, str], dice: random.Random) -> Cell:
    where: dict[str, Any] = {"device": build.id.device, "params": params}
    name = build.id.name
    if dice.random() < 0.95:
        return make_cell(name, probe, **where)
    signature = _SIGNATURE.format(dice.randrange(40))
    message = "E   a line of a long traceback\n" * 100
    return make_cell(
        name, probe, Outcome.FAIL, signature=signature, message=message, reason="no", **where
    )


def _day(number: int) -> str:
    return (_FIRST + timedelta(days=number)).isoformat()


def _nightly(number: int) -> str:
    return f"2.16.0.dev{_day(number).replace('-', '')}"

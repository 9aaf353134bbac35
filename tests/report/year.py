"""A year of nightlies, simulated: 365 executions of 300 checks on two devices."""

from __future__ import annotations

import random
from datetime import date, timedelta

from compat.runs.history import Column, History
from compat.runs.model import Build, Cell, Device, Outcome, Run
from tests.conftest import make_build, make_cell, make_run

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
    """Every check fails for stretches of days, a twentieth of the time."""
    dice = random.Random(0)
    columns = [
        Column(
            run=f"{_day(day)}T050000.000Z",
            date=_day(day),
            build=_nightly(day),
            device=device,
            version=f"{_nightly(day)}+cu130",
            channel="nightly",
            git_version=f"{day:040x}",
        )
        for day in range(DAYS)
        for device in DEVICES
    ]
    outcomes, signatures = {}, {}
    for probe, params in checks():
        check = make_cell("", probe, params=params).check
        letters = ["p"] * len(columns)
        for _ in range(3):
            start = dice.randrange(len(columns))
            for index in range(start, min(start + 12, len(columns))):
                letters[index] = dice.choice("fffen")
        outcomes[check] = "".join(letters)
        signatures[check] = {
            str(index): _SIGNATURE.format(dice.randrange(40))
            for index, letter in enumerate(letters)
            if letter in "fe"
        }
    return History(columns=tuple(columns), outcomes=outcomes, signatures=signatures)


def latest() -> Run:
    """The newest execution: the releases and the newest nightly, on both devices."""
    dice = random.Random(1)
    builds = [
        make_build(name, device=Device(kind=device), channel=channel)
        for device in DEVICES
        for name, channel in (
            *((each, "stable") for each in RELEASES),
            (_nightly(DAYS - 1), "nightly"),
        )
    ]
    return make_run(builds, [_cell(build, *check, dice) for build in builds for check in checks()])


def _cell(build: Build, probe: str, params: dict[str, str], dice: random.Random) -> Cell:
    where = {"device": build.device.kind, "params": params}
    if dice.random() < 0.95:
        return make_cell(build.id, probe, metrics={"max_abs": dice.random()}, **where)
    signature = _SIGNATURE.format(dice.randrange(40))
    message = "E   a line of a long traceback\n" * 100
    return make_cell(
        build.id, probe, Outcome.FAIL, signature=signature, message=message, reason="no", **where
    )


def _day(number: int) -> str:
    return (_FIRST + timedelta(days=number)).isoformat()


def _nightly(number: int) -> str:
    return f"2.16.0.dev{_day(number).replace('-', '')}"

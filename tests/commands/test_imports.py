"""What a command imports before it can answer: counted, for seconds differ from day to day."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

pytestmark = pytest.mark.slow

_COUNT = """
import json, sys
from compat.cli import main
try:
    main(sys.argv[1:])
finally:
    print(json.dumps(sorted(sys.modules)))
"""

# msgspec imports the last one.
FEW = {"msgspec", "packaging", "typing_extensions"}


def imported(*arguments: str) -> tuple[set[str], set[str]]:
    """The packages of others and the rooms of this project that a command imports."""
    command = [sys.executable, "-c", _COUNT, *arguments]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    modules = [name.split(".") for name in json.loads(told.splitlines()[-1])]
    others = {parts[0] for parts in modules} & packages_distributions().keys()
    rooms = {parts[1] for parts in modules if parts[0] == "compat" and parts[1:]}
    # The one is this project, the other is there whenever Python starts in some environments.
    return others - {"compat", "_distutils_hack"}, rooms


def test_help_needs_neither_probes_nor_what_a_report_is_made_of() -> None:
    others, rooms = imported("--help")
    assert others <= FEW
    assert not rooms & {"bisection", "findings", "probes", "report", "topics", "tracking", "worker"}


def test_probes_are_listed_without_what_a_report_is_made_of() -> None:
    others, rooms = imported("probes")
    assert not others & {"filelock", "jinja2", "pygal", "requests"}
    assert not rooms & {"findings", "report", "topics", "tracking"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "donation.copies[donated]@2.13"),
        ("advise", "--torch", "2.13"),
        ("compare", "2.12", "2.13"),
    ],
)
def test_a_question_about_the_latest_report_needs_nothing_that_writes_one(
    arguments: tuple[str, ...],
) -> None:
    others, rooms = imported(*arguments)
    assert others <= FEW
    assert not rooms & {"bisection", "interface", "probes", "tracking"}

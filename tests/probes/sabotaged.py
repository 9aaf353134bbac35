"""Has a build ask its probes, each under the sabotages that are meant for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compat.builds.environment import Environment, install_packages
from compat.runs.contents import Reported, read_contents
from compat.runs.ids import CheckId
from compat.runs.model import Outcome
from compat.runs.stream import Stream
from tests.conftest import ask_worker

RED = {Outcome.FAIL, Outcome.ERROR}


@dataclass(frozen=True)
class Sabotaged:
    cells: Mapping[CheckId, Reported]

    def under(self, sabotage: str) -> list[Reported]:
        found = [cell for cell in self.cells.values() if cell.params["sabotage"] == sabotage]
        assert found, f"no probe ran under {sabotage}"
        return found


def ask_sabotaged(environment: Environment, folder: Path, *sabotages: str) -> Sabotaged:
    """One worker runs the probes under all sabotages, or under some that are named."""
    stream = Stream(folder / "stream.jsonl")
    packages = install_packages(environment.python, environment.scratch.parent)
    options = ("--timeout", "60", "--packages", str(packages))
    asked = " ".join(sabotages)
    ask_worker(environment, stream, "tests.probes.sabotage", *options, COMPAT_SABOTAGES=asked)
    contents = read_contents(stream)
    assert not contents.damaged
    return Sabotaged(contents.cells)


def recorded(cell: Reported) -> Mapping[str, Any]:
    """What a cell's probe found out before it failed, by field."""
    assert cell.record is not None, cell
    (fields,) = cell.record.values()
    return fields

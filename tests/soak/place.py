"""A checkout of its own in which the matrix is run again and again, and an index with one build."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from compat.probes.names import ProbeSource, probes
from compat.runs.contents import Contents, read_contents
from compat.runs.store import RunFolder
from tests.builds.index_server import IndexServer, serve
from tests.checkout import copy_checkout
from tests.fake_torch import name_of, wheel

FAKE = "2.14.0+cpu"
# In the environment of all that a place starts, also of what lost its parents.
MARKER = "SOAK_PLACE"


@dataclass
class Place:
    """Where the matrix runs.

    Attributes:
        checkout: The copy of this project that is run, and edited.
        selection: What nox is told of builds and probes.
        edits: How often each probe was edited, by its name.
    """

    checkout: Path
    selection: Sequence[str]
    edits: dict[str, int] = field(default_factory=dict)

    def start(self, log: TextIO) -> subprocess.Popen[bytes]:
        """Start ``nox -s matrix``, the leader of a process group of its own."""
        command = [
            *(sys.executable, "-m", "nox", "--no-install", "-f", str(self.checkout / "noxfile.py")),
            *("-s", "matrix", "--", "--device", "cpu", *self.selection),
        ]
        return subprocess.Popen(
            command,
            cwd=self.checkout,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {MARKER: str(self.checkout)},
            start_new_session=True,
        )

    def prepare(self) -> None:
        """Make nox's environment, which a run then finds."""
        nox = [sys.executable, "-m", "nox", "-f", str(self.checkout / "noxfile.py")]
        subprocess.run([*nox, "--install-only", "-s", "matrix"], check=True, capture_output=True)

    @property
    def home(self) -> Path:
        return self.checkout / ".compat"

    @property
    def runs(self) -> list[RunFolder]:
        """All that are there, oldest first."""
        return RunFolder.all(self.home / "runs")

    def edit(self, name: str) -> None:
        """Edit a probe, so that its cells are not known: it does the same, a little later."""
        self.edits[name] = self.edits.get(name, 0) + 1
        original = _source(name)
        path = self.checkout / "compat" / "probes" / original.path.name
        lines = original.path.read_text(encoding="utf-8").splitlines()
        # From the last one up, so that the lines above stay where they are.
        for node in reversed(ast.parse("\n".join(lines)).body):
            probe = f"{path.stem.removeprefix('test_')}.{getattr(node, 'name', '')[5:]}"
            if isinstance(node, ast.FunctionDef) and probe in self.edits:
                pause = f"    __import__('time').sleep(0.03 + {self.edits[probe]} / 1_000_000)"
                lines.insert(node.body[1].lineno - 1, pause)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _source(name: str) -> ProbeSource:
    (found,) = (each for each in probes() if each.name == name)
    return found


def contents(folder: RunFolder) -> Contents:
    """Of the one stream of a run; nothing where it was ended before it had one."""
    streams = folder.streams()
    return read_contents(streams[0]) if streams else Contents()


@contextmanager
def fake_place(folder: Path) -> Iterator[Place]:
    """A place with one fake torch, whose cells take next to no time."""
    index = IndexServer({"/cpu": [name_of(FAKE)]}, files={name_of(FAKE): wheel(FAKE)})
    with serve(index) as server:
        yield _place(
            folder,
            f'builds = ["2.14"]\n[index]\npytorch = "{server.address}"\ntimeout_s = 30\n',
            ("--probes", "gates.capability", "surface.", "--timeout", "4"),
        )


def real_place(folder: Path, spec: str) -> Place:
    """A place with a released torch."""
    return _place(folder, "", ("--builds", spec, "--probes", "gates", "surface", "donation.flag"))


def _place(folder: Path, builds: str, selection: Sequence[str]) -> Place:
    checkout = copy_checkout(folder / "checkout")
    if builds:
        (checkout / "compat" / "builds" / "builds.toml").write_text(builds)
    place = Place(checkout, selection)
    place.prepare()
    return place

"""Asks a subject path by path: each has a process of its own that imports the subject.

Importing some subjects changes torch and the environment, and what a path needs of the environment
must be there before. So each path's process is forked from one that has imported torch alone.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from compat.adapters import load_subject
from compat.adapters.protocol import Subject
from compat.adapters.watching import imported, settle
from compat.worker.lifeline import die_with_parent

# Asks one path: ``ask(prepare, plugin)``, pytest's exit status.
Ask = Callable[[Callable[[], None], object], int]


class PathProcess:
    """What the probes of one path share: the subject, imported under the settings of that path.

    Attributes:
        subject: What is driven.
        path: A key of ``subject.paths``.
        kept: Below it the probes keep what one leaves for the others.
        patched: Names of torch that importing the subject replaced.
        environment: Variables that it set or changed, with their values; ``~`` in them is the home
            folder, which is another one each time.
        error: Why the subject could not be imported; None where it could.
    """

    def __init__(self, subject: Subject, path: str, kept: Path) -> None:
        self.subject = subject
        self.path = path
        self.kept = kept
        self.patched: tuple[str, ...] = ()
        self.environment: Mapping[str, str] = {}
        self.error: Exception | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[PATH] = self

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what the path cannot be asked, in which pytest sees a test to skip."""
        items[:] = [item for item in items if item.get_closest_marker("skip") is None]

    def import_subject(self) -> None:
        """Import what :attr:`Subject.modules` lists; that this fails is an answer of every cell."""
        variables = dict(os.environ)
        self.patched, self.error = imported(self.subject.modules)
        self.environment = {
            name: value.replace(os.environ["HOME"], "~")
            for name, value in os.environ.items()
            if variables.get(name) != value
        }


PATH: pytest.StashKey[PathProcess] = pytest.StashKey()


def ask_each_path(name: str, version: str, file: str, scratch: Path, ask: Ask) -> int:
    """Ask the paths of a subject one after the other; the last exit status that is not 0.

    Args:
        name: Of an adapter.
        version: The release that lies beside the build; empty where there is none.
        file: That of the subject ``mine``; empty for the others.
        scratch: What the subject writes into the home folder, and what is kept, goes below it.
        ask: Called in each path's process.
    """
    subject = load_subject(name, version, file)
    settle()
    status, problems = 0, []
    for path in subject.paths:
        process = multiprocessing.get_context("fork").Process(
            target=_ask, args=(PathProcess(subject, path, scratch / "kept" / path), ask)
        )
        process.start()
        process.join()
        ended = process.exitcode or 0
        if ended:
            how = f"died of {signal.Signals(-ended).name}" if ended < 0 else f"ended with {ended}"
            problems.append(f"the process of the path {path} {how}")
            status = abs(ended)
    # Last, where whoever looks for the reason finds it.
    print("; ".join(problems), flush=True)
    return status


def _ask(process: PathProcess, ask: Ask) -> None:
    die_with_parent()
    home = process.kept / "home"
    home.mkdir(parents=True)
    os.environ.update(process.subject.paths[process.path].environment)
    os.environ["HOME"] = str(home)
    status = ask(process.import_subject, process)
    sys.stdout.flush()
    os._exit(status)

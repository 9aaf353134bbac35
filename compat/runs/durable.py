"""Files that are there whole, or not at all, also after a loss of power."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

_PARTIAL = re.compile(r".+\.[0-9a-f]{16}\.partial")


def write_text(path: Path, text: str) -> None:
    """Put a file of ``text`` in the place of what is at ``path``; its folder is made.

    Several processes may write one file at once: the last one's counts.

    Raises:
        OSError: It could not be written; what was there before is there still.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    try:
        with partial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    # The new name is in the folder, and the folder is on the disk, once that was told so, too.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_partial(folder: Path) -> None:
    """Remove what writers below ``folder`` left that were killed; nobody may be writing there."""
    for path in folder.rglob("*.partial"):
        if _PARTIAL.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)

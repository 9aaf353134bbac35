"""The reports as they are to be committed, whatever a run has made of those that lie here.

Whoever types the README's two commands one after the other has reports of another run by then.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from filelock import FileLock

from compat.report.places import LATEST_RUN
from tests.conftest import ROOT


def _git(*arguments: str, given: str = "") -> str | None:
    """What git says; None where it fails, as where this is no clone."""
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, input=given
    )
    return None if done.returncode else done.stdout


def _published() -> Path:
    """The folder that has them below ``reports``: this one, unless they differ from git's index."""
    if not _git("diff", "--name-only", "--", "reports"):
        return ROOT
    files, staged = (_git("ls-files", *how, "-z", "reports") for how in ((), ("--stage",)))
    assert files
    assert staged
    digest = hashlib.sha256(staged.encode()).hexdigest()
    folder = ROOT / ".compat" / "published" / digest[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            _git("checkout-index", "-z", "--stdin", f"--prefix={partial}/", given=files)
            partial.rename(folder)
    return folder


PUBLISHED = _published()
RUN = PUBLISHED / "reports" / LATEST_RUN

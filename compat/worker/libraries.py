"""Puts ``cxx.sh`` in the place of the C++ compiler, so that each library is made once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

# GNU gold links a small library against libtorch in half of the time that GNU ld takes.
_GOLD = "-fuse-ld=gold"
_ANSWER_S = 60
# Of all libraries that are kept for a build, which makes some 60 of 30 kB at default depth.
_MOST_B = 1 << 30


def stand_in_for_the_compiler() -> None:
    """Put ``cxx.sh`` in the place of the C++ compiler, before torch reads which one to use.

    Inductor tells compilers apart by name, and precompiled headers know the path of theirs: the
    wrapper has the compiler's own name, in a folder that is the same in every run.
    """
    compiler = os.environ.get("CXX", "g++")
    wrapper = Path(tempfile.gettempdir()) / "cxx" / Path(compiler).name
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_bytes(Path(__file__).with_name("cxx.sh").read_bytes())
    wrapper.chmod(0o755)
    os.environ["COMPAT_CXX"] = compiler
    os.environ["CXX"] = str(wrapper)
    os.environ["COMPAT_LINKER"] = _GOLD if _can_link(compiler) else ""


def keep_libraries(torch: Path) -> None:
    """Choose where ``cxx.sh`` keeps what it makes, before anything is compiled.

    It lies below TMPDIR and outlives the run. It serves only where the compiler, its flags for this
    processor, and the headers are the same.

    Args:
        torch: The folder of the package, with its headers.
    """
    libraries = Path(tempfile.gettempdir()) / "libraries"
    if sum(path.stat().st_size for path in _files(libraries)) > _MOST_B:
        shutil.rmtree(libraries)
    store = libraries / _tag(os.environ["COMPAT_CXX"], torch / "include")
    store.mkdir(parents=True, exist_ok=True)
    os.environ["COMPAT_CXX_STORE"] = str(store)


def _tag(compiler: str, headers: Path) -> str:
    """A digest of what a library depends on, beside its source and command line."""
    said = _run([compiler, "-march=native", "-v", "-E", "-x", "c++", os.devnull])
    digest = hashlib.sha256(said.stderr if said else b"")
    for path in _files(headers):
        status = path.stat()
        digest.update(f"{path}|{status.st_size}|{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, in an order that is always the same."""
    for where, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(where, file) for file in sorted(files))


def _can_link(compiler: str) -> bool:
    """Whether a compiler makes a library with GNU gold."""
    with tempfile.TemporaryDirectory() as folder:
        made = str(Path(folder, "linked.so"))
        done = _run([compiler, _GOLD, "-shared", "-x", "c++", os.devnull, "-o", made])
        return done is not None and not done.returncode


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes] | None:
    """What came of a command; None where it is not there, or does not answer."""
    try:
        return subprocess.run(command, capture_output=True, timeout=_ANSWER_S)
    except (OSError, subprocess.TimeoutExpired):
        return None

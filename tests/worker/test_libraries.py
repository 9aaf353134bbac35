"""Each library is made once, and serves only where it would come out the same."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from compat.worker import libraries
from compat.worker.libraries import keep_libraries, stand_in_for_the_compiler

pytestmark = pytest.mark.slow

# Says what it is, counts what it makes, and takes its time for that.
COMPILER = """\
#!/bin/sh
case "$*" in *-E*) echo "version $VERSION" >&2; exit;; *-fuse-ld*) exit 1;; esac
echo made >> "$COUNTED"
sleep 0.3
for argument; do [ "$previous" = -o ] && echo library > "$argument"; previous=$argument; done
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A line for each library that the compiler made."""
    compiler = tmp_path / "bin" / "g++"
    compiler.parent.mkdir()
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)
    counted = tmp_path / "made"
    counted.touch()
    for name, value in {"CXX": compiler, "COUNTED": counted, "VERSION": 1}.items():
        monkeypatch.setenv(name, str(value))
    for name in ("COMPAT_CXX", "COMPAT_CXX_STORE", "COMPAT_LINKER"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return counted


def begin(folder: Path, source: str = "int x;") -> subprocess.Popen[bytes]:
    """Make a library of a source as Inductor does: in a cache of its own, two folders down."""
    file = folder / "ab" / "kernel.cpp"
    file.parent.mkdir(parents=True)
    file.write_text(source)
    return subprocess.Popen([os.environ["CXX"], str(file), "-o", str(file.with_suffix(".so"))])


def built(folder: Path, source: str = "int x;") -> str:
    assert begin(folder, source).wait() == 0
    return (folder / "ab" / "kernel.so").read_text()


def count(made: Path) -> int:
    return len(made.read_text().splitlines())


def set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a worker that has just started."""
    monkeypatch.setenv("CXX", str(tmp_path / "bin" / "g++"))
    stand_in_for_the_compiler()
    keep_libraries(tmp_path / "torch")


def test_two_at_once_are_made_once(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, tmp_path)
    both = [begin(tmp_path / name) for name in ("one", "other")]
    assert [each.wait() for each in both] == [0, 0]
    assert count(made) == 1
    assert (tmp_path / "other" / "ab" / "kernel.so").read_text() == "library\n"
    assert built(tmp_path / "third", "int y;") == "library\n"
    assert count(made) == 2


def test_a_later_run_makes_none_unless_something_is_another(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = tmp_path / "torch" / "include" / "torch.h"
    header.parent.mkdir(parents=True)
    header.write_text("one")
    for number, (name, expected) in enumerate(
        {"first": 1, "again": 1, "compiler": 2, "header": 3}.items()
    ):
        monkeypatch.setenv("VERSION", "2" if number > 1 else "1")
        header.write_text("another" if number > 2 else "one")
        os.utime(header, (1, 1))
        set_up(monkeypatch, tmp_path)
        assert built(tmp_path / name) == "library\n"
        assert (name, count(made)) == (name, expected)


def test_the_store_is_bounded_and_may_vanish(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, tmp_path)
    built(tmp_path / "first")
    monkeypatch.setattr(libraries, "_MOST_B", 1)
    set_up(monkeypatch, tmp_path)
    assert built(tmp_path / "second") == "library\n"
    assert count(made) == 2
    # As another run does that finds it too large.
    subprocess.run(["rm", "-r", str(tmp_path / "libraries")], check=True)
    assert built(tmp_path / "third") == "library\n"
    assert count(made) == 3


def test_what_fails_is_not_kept(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, tmp_path)
    compiler = tmp_path / "bin" / "g++"
    compiler.write_text("#!/bin/sh\nexit 4\n")
    assert begin(tmp_path / "first").wait() == 4
    compiler.write_text(COMPILER)
    assert built(tmp_path / "second") == "library\n"

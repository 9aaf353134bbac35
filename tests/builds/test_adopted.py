"""An environment that was made by hand is a release only where it is just that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from packaging.version import Version

from compat.builds import adopted, resolve
from compat.builds.adopted import release_in
from compat.builds.environment import Environment
from compat.builds.index import Indexes
from compat.builds.resolve import Resolution
from compat.builds.spec import parse_spec

SPEC = parse_spec("python:/envs/mine/bin/python")


def test_it_goes_by_the_release_it_holds() -> None:
    python = Path("/envs/mine/bin/python")
    release = Resolution(specs=(SPEC,), python=python, release=Version("2.13.0"))
    assert release.id("cuda") == "2.13.0-cuda"
    assert release.channel == "stable"
    other = Resolution(specs=(SPEC,), python=python)
    assert other.id("cuda") == "local-mine-cuda"
    assert other.channel == "local"


def test_two_of_one_release_go_by_their_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is there already is looked for in no index.
    indexes = cast(Indexes, None)
    monkeypatch.setattr(resolve, "release_in", lambda python: Version("2.13.0"))
    specs = [parse_spec(f"python:/envs/{name}/bin/python") for name in ("a", "b")]
    (alone,) = resolve.resolve(specs[:1], indexes, "cpu")
    assert (alone.id("cpu"), alone.channel) == ("2.13.0-cpu", "stable")
    assert alone.note.startswith("adopted: ")
    both = resolve.resolve(specs, indexes, "cpu")
    assert [each.id("cpu") for each in both] == ["local-a-cpu", "local-b-cpu"]
    assert [each.note for each in both] == ["", ""]


@pytest.mark.slow
def test_what_is_no_interpreter_is_no_release(tmp_path: Path) -> None:
    assert release_in(tmp_path / "python") is None


@pytest.fixture
def over(real_build: Callable[[str], Environment], tmp_path: Path) -> Path:
    """The site-packages of an environment made by hand that has torch 2.13 from elsewhere."""
    real = real_build("2.13")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "mine"], check=True)
    (site,) = (tmp_path / "mine" / "lib").glob("python*/site-packages")
    (packages,) = real.python.parents[1].glob("lib/python*/site-packages")
    (site / "real.pth").write_text(f"{packages}\n")
    return site


def python_of(site: Path) -> Path:
    return site.parents[2] / "bin" / "python"


@pytest.mark.slow
def test_a_release_is_known_again(over: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = python_of(over)
    assert release_in(python) == Version("2.13.0")
    monkeypatch.setattr(adopted, "_commits", lambda: {"2.13.0": "0" * 40})
    assert release_in(python) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "source"),
    [("sitecustomize.py", ""), ("usercustomize.py", ""), ("hook.pth", "import os\n")],
)
def test_what_runs_code_ahead_of_it_is_no_release(name: str, source: str, over: Path) -> None:
    (over / name).write_text(source)
    assert release_in(python_of(over)) is None


@pytest.mark.slow
@pytest.mark.parametrize("what", ["edited", "gone"])
def test_what_was_changed_is_no_release(what: str, over: Path) -> None:
    packages = Path((over / "real.pth").read_text().strip())
    (record,) = packages.glob("torch-2.13.0*.dist-info")
    python = python_of(over)
    for each in (packages / "torch", packages / "torchgen", packages / "functorch", record):
        if each.exists():
            shutil.copytree(each, over / each.name, copy_function=os.link)
    for script in packages.parents[2].glob("bin/torch*"):
        shutil.copy(script, python.parent)
    assert release_in(python) == Version("2.13.0")
    file = over / "torch" / "_inductor" / "config.py"
    text = file.read_text()
    # The file itself is the real build's, too.
    file.unlink()
    if what == "edited":
        # As long as it was: its hash tells.
        file.write_text(text.replace("True", "None", 1))
    assert release_in(python) is None


@pytest.mark.slow
def test_what_hides_it_is_no_release(over: Path) -> None:
    """Another torch is imported than the one that was installed."""
    packages = Path((over / "real.pth").read_text().strip())
    (over / "torch").mkdir()
    for name in ("__init__.py", "version.py"):
        shutil.copy(packages / "torch" / name, over / "torch" / name)
    assert release_in(python_of(over)) is None

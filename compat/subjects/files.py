"""Puts a subject's files beside a build: its Python files, and what they import."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

import requests
import tomllib
from filelock import FileLock
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, sys_tags
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from compat.adapters import ENGINES
from compat.adapters.backend_file import defined_in
from compat.builds.environment import InstallError, _uv
from compat.errors import UsageError
from compat.subjects.config import Project, SubjectsFile
from compat.subjects.spec import Kind, SubjectSpec, digest_of_python_files

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage, PyPISimple

# The build's own: they must not be hidden by what lies beside it.
_THE_BUILDS = ("torch", "triton", "numpy", "setuptools")
# What engines ask for and is made for one torch, and no question needs.
_OF_ONE_TORCH = ("torchvision", "torchaudio", "torchcodec")
# Seconds that the index may be silent.
_TIMEOUT_S = 60
_COMPLETE = "compat-complete"


@dataclass(frozen=True, kw_only=True)
class SubjectFiles:
    """A subject that is ready to be driven.

    Attributes:
        spec: As asked for.
        version: Of the release, empty where there is none.
        folders: What to put on the path of the build's interpreter, in this order.
        digest: Changes when anything of the subject's own does; empty where it has no files.
        torch: What it requires of torch; None where it says nothing.
    """

    spec: SubjectSpec
    version: str = ""
    folders: tuple[Path, ...] = ()
    digest: str = ""
    torch: SpecifierSet | None = None

    @property
    def id(self) -> str:
        return self.spec.id(self.version)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A release as an index lists it."""

    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class _Release:
    version: str
    folder: Path
    sha256: str


# A version, the machines that it is for (none: a source distribution), and where it is.
_Archive: TypeAlias = "tuple[Version, frozenset[Tag], DistributionPackage]"
_Archives: TypeAlias = "Callable[[Sequence[DistributionPackage]], Iterator[_Archive]]"


def put_beside(spec: SubjectSpec, file: SubjectsFile, python: Path, home: Path) -> SubjectFiles:
    """Make ``spec`` ready for the builds whose interpreter is like ``python``, below ``home``.

    Raises:
        UsageError: The index has no such release, or a user's file is no backend.
        InstallError: The index did not answer, or uv failed.
    """
    if spec.kind is Kind.NOWHERE:
        return SubjectFiles(spec=spec)
    if spec.kind is Kind.FILE:
        assert spec.path is not None  # noqa: S101  (the kind says so)
        try:
            defined_in(spec.path)
        except ValueError as error:
            raise UsageError(str(error)) from None
        return SubjectFiles(spec=spec, digest=digest_of_python_files(spec.path))
    if spec.name in ENGINES:
        return _engine(spec, python, home)
    project = file.projects[spec.name]
    if spec.path is not None:
        return _from_checkout(spec, spec.path, project, python, home)
    release = _release(spec, home, _wheels)
    requirements = list(_metadata_requirements(release.folder))
    return SubjectFiles(
        spec=spec,
        version=release.version,
        folders=(
            release.folder,
            install_dependencies(python, home, project.requires, requirements),
        ),
        digest=release.sha256,
        torch=_torch_of(requirements),
    )


def pinned(spec: SubjectSpec) -> SubjectSpec:
    """``spec`` with the version of the release that it stands for now.

    Raises:
        UsageError: The index has no such release.
        InstallError: The index did not answer.
    """
    if spec.kind is not Kind.NEWEST:
        return spec
    return replace(spec, kind=Kind.EXACT, version=listed(spec).version)


def listed(spec: SubjectSpec) -> Listed:
    """What the index says of a release, without its files.

    Raises:
        UsageError: The index has no such release.
        InstallError: The index did not answer, or gives no hash.
    """
    with _index(spec.name) as client:
        return _listed(_choose(spec, list(_wheels(_packages(client, spec.name)))))


def _listed(archive: DistributionPackage) -> Listed:
    sha256 = (archive.digests or {}).get("sha256", "")
    if not sha256:
        raise InstallError(f"{archive.filename}: the index gives no sha256")
    return Listed(version=str(archive.version), sha256=sha256)


def python_files_of(spec: SubjectSpec, home: Path) -> Path:
    """The folder below ``home`` with the Python files of a release, without what they import.

    They are those of the source distribution where there is no wheel.

    Raises:
        UsageError: The index has no such release.
        InstallError: The index did not answer.
    """
    return _release(spec, home, _wheels_and_sources).folder


def install_dependencies(
    python: Path, home: Path, requires: Sequence[str], constraints: Sequence[Requirement]
) -> Path:
    """A folder with ``requires``, in versions that ``constraints`` allow.

    It serves all builds under the same Python. uv links files into it from its cache: what several
    such folders have in common takes its place once.

    Raises:
        InstallError: uv failed.
    """
    names = [f"{canonicalize_name(each.name)}{each.specifier}" for each in constraints]
    parts = "\n".join((_soabi(python), *sorted(requires), "", *sorted(names)))
    folder = home / f"beside-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"
    install_into(folder, python, requires, names, left_out=_THE_BUILDS)
    return folder


def install_into(
    folder: Path,
    python: Path,
    requires: Sequence[str],
    constraints: Sequence[str] = (),
    *,
    left_out: Sequence[str],
) -> None:
    """Have ``folder`` hold ``requires`` and what these need, but for what is ``left_out``.

    Raises:
        InstallError: uv failed.
    """
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if (folder / _COMPLETE).exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryDirectory() as temporary:
            allowed = Path(temporary) / "constraints.txt"
            allowed.write_text("\n".join(constraints))
            overrides = Path(temporary) / "overrides.txt"
            overrides.write_text("\n".join(f'{each}; python_version < "3"' for each in left_out))
            options = ["--only-binary", ":all:", "--target", str(folder)]
            options += ["--constraints", str(allowed), "--overrides", str(overrides)]
            _uv("pip", "install", "--python", str(python), *options, *requires)
        (folder / _COMPLETE).touch()


def releases(name: str) -> list[Version]:
    """All versions of a project that the index has a wheel of, oldest first.

    Raises:
        InstallError: The index did not answer, or has no such project.
    """
    with _index(name) as client:
        return sorted({version for version, _, _ in _wheels(_packages(client, name))})


def _release(spec: SubjectSpec, home: Path, archives: _Archives) -> _Release:
    """The Python files of a release, in a folder that is known by its archive's hash."""
    home.mkdir(parents=True, exist_ok=True)
    # A release does not change: what is there needs no index.
    for complete in home.glob(f"{spec.name}-{spec.version}-*/{_COMPLETE}") if spec.version else ():
        sha256 = complete.read_text(encoding="utf-8")
        return _Release(version=spec.version, folder=complete.parent, sha256=sha256)
    with _index(spec.name) as client:
        archive = _choose(spec, list(archives(_packages(client, spec.name))))
        found = _listed(archive)
        folder = home / f"{spec.name}-{found.version}-{found.sha256[:16]}"
        with FileLock(home / f"{folder.name}.lock"):
            if not (folder / _COMPLETE).exists():
                shutil.rmtree(folder, ignore_errors=True)
                with tempfile.TemporaryDirectory(dir=home) as temporary:
                    path = Path(temporary) / archive.filename
                    client.download_package(archive, path, timeout=_TIMEOUT_S)
                    unpack_python_files(path, folder)
                (folder / _COMPLETE).write_text(found.sha256, encoding="utf-8")
    return _Release(version=found.version, folder=folder, sha256=found.sha256)


@contextmanager
def _index(name: str) -> Iterator[PyPISimple]:
    """A client of the package index to ask about a project, as long as that answers."""
    from pypi_simple import (
        PYPI_SIMPLE_ENDPOINT,
        NoSuchProjectError,
        PyPISimple,
        UnsupportedContentTypeError,
    )

    try:
        with PyPISimple(PYPI_SIMPLE_ENDPOINT) as client:
            yield client
    except NoSuchProjectError:
        raise UsageError(f"{name}: the index has no such project") from None
    except (requests.RequestException, UnsupportedContentTypeError) as error:
        raise InstallError(f"{name}: no answer from the index ({type(error).__name__})") from None


def _packages(client: PyPISimple, name: str) -> Sequence[DistributionPackage]:
    return client.get_project_page(name, timeout=_TIMEOUT_S).packages


def unpack_python_files(archive: Path, folder: Path) -> None:
    """Unpack the Python files of a wheel and its metadata, or those of a source distribution."""
    if archive.suffix == ".whl":
        _unpack_wheel(archive, folder)
        return
    with tarfile.open(archive) as sources:
        for member in sources.getmembers():
            within = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if member.isfile() and within.suffix == ".py":
                sources.extract(member.replace(name=str(within)), folder, filter="data")


def _unpack_wheel(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            name = PurePosixPath(member.filename)
            if name.suffix == ".py" or name.parts[0].endswith(".dist-info"):
                archive.extract(member, folder)


def _choose(spec: SubjectSpec, archives: Sequence[_Archive]) -> DistributionPackage:
    """That of the version asked for, or of the newest release.

    A wheel for this machine if any, else another wheel.
    """
    versions = sorted({version for version, _, _ in archives})
    released = [version for version in versions if not version.is_prerelease]
    wanted = Version(spec.version) if spec.version else max(released, default=None)
    here = frozenset(sys_tags())
    found = [
        (not here & tags, not tags, package.filename, package)
        for version, tags, package in archives
        if version == wanted
    ]
    if not found:
        newest = ", ".join(map(str, versions[-3:])) or "none"
        raise UsageError(f"{spec}: the index has no wheel of it; the newest there are {newest}")
    return min(found)[3]


def _wheels(packages: Sequence[DistributionPackage]) -> Iterator[_Archive]:
    for package in packages:
        with suppress(InvalidWheelFilename, InvalidVersion):
            _, version, _, tags = parse_wheel_filename(package.filename)
            if not package.is_yanked:
                yield version, tags, package


def _wheels_and_sources(packages: Sequence[DistributionPackage]) -> Iterator[_Archive]:
    yield from _wheels(packages)
    for package in packages:
        with suppress(InvalidSdistFilename, InvalidVersion):
            _, version = parse_sdist_filename(package.filename)
            if not package.is_yanked:
                yield version, frozenset(), package


def _from_checkout(
    spec: SubjectSpec, path: Path, project: Project, python: Path, home: Path
) -> SubjectFiles:
    source = path / project.source
    requirements = list(_checkout_requirements(path, project))
    return SubjectFiles(
        spec=spec,
        folders=(source, install_dependencies(python, home, project.requires, requirements)),
        digest=digest_of_python_files(source / spec.name),
        torch=_torch_of(requirements),
    )


def _engine(spec: SubjectSpec, python: Path, home: Path) -> SubjectFiles:
    """All files of a release, compiled ones too, and all that it asks for, in one folder."""
    home.mkdir(parents=True, exist_ok=True)
    soabi = _soabi(python)
    # A release does not change: what is there needs no index.
    there = home.glob(f"{spec.name}-{spec.version}-*-{soabi}/{_COMPLETE}") if spec.version else ()
    folder = next((complete.parent for complete in there), None)
    version = spec.version
    if folder is None:
        found = listed(spec)
        version = found.version
        folder = home / f"{spec.name}-{version}-{found.sha256[:16]}-{soabi}"
        left_out = (*_THE_BUILDS, *_OF_ONE_TORCH)
        install_into(folder, python, [f"{spec.name}=={version}"], left_out=left_out)
    (metadata,) = folder.glob(f"{spec.name.replace('-', '_')}-*.dist-info/METADATA")
    return SubjectFiles(
        spec=spec,
        version=version,
        folders=(folder,),
        digest=folder.name,
        torch=_public(_torch_of(list(_requirements_in(metadata)))),
    )


def _public(specifiers: SpecifierSet | None) -> SpecifierSet | None:
    """Without local parts: the default index has ``2.13.0+cpu`` under another one."""
    if specifiers is None:
        return None
    public = (re.sub(r"\+[\w.]+$", "", str(each)) for each in specifiers)
    return SpecifierSet(",".join(public))


def _metadata_requirements(folder: Path) -> Iterator[Requirement]:
    (metadata,) = folder.glob("*.dist-info/METADATA")
    yield from _requirements_in(metadata)


def _requirements_in(metadata: Path) -> Iterator[Requirement]:
    headers = HeaderParser().parsestr(metadata.read_text(encoding="utf-8"))
    yield from _applicable(headers.get_all("Requires-Dist", []))


def _checkout_requirements(path: Path, project: Project) -> Iterator[Requirement]:
    pyproject = path / project.source / "pyproject.toml"
    if pyproject.is_file():
        data = tomllib.loads(pyproject.read_text(encoding="utf-8"))
        yield from _applicable(data.get("project", {}).get("dependencies", []))
    for name in project.requirements:
        file = path / name
        if file.is_file():
            lines = file.read_text(encoding="utf-8").splitlines()
            yield from _applicable(line.partition(" #")[0].strip() for line in lines)


def _applicable(texts: Sequence[str] | Iterator[str]) -> Iterator[Requirement]:
    """What applies on this machine without extras; what is no requirement is left out."""
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # An option or a comment of a requirements file.
        if requirement.url is None and (
            requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        ):
            yield requirement


def _torch_of(requirements: Sequence[Requirement]) -> SpecifierSet | None:
    return next((each.specifier for each in requirements if each.name == "torch"), None)


def _soabi(python: Path) -> str:
    question = "import sysconfig; print(sysconfig.get_config_var('SOABI'))"
    answer = subprocess.run([python, "-c", question], capture_output=True, text=True, check=True)
    return answer.stdout.strip()

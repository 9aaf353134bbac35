"""Reads the file that lists the subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib

from compat.errors import UsageError
from compat.subjects.spec import SubjectSpec, parse_subject

DEFAULT_FILE = Path(__file__).with_name("subjects.toml")


class SubjectsFileError(UsageError):
    """The file that lists the subjects cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """A subject of the scheduled matrix.

    Attributes:
        spec: What is run.
        maintainer: Who ships it.
        link: Where to read on.
        reason: Why it is here.
    """

    spec: SubjectSpec
    maintainer: str
    link: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Project:
    """What is needed to put a project beside a build.

    Attributes:
        requires: Requirements of its compile stack, without torch, triton and numpy.
        source: Where its package lies in a checkout.
        requirements: Files of a checkout that say what its ``pyproject.toml`` does not.
    """

    requires: tuple[str, ...]
    source: str
    requirements: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SubjectsFile:
    """What ``subjects.toml`` says."""

    scheduled: tuple[Scheduled, ...]
    projects: Mapping[str, Project]


def load_subjects(path: Path = DEFAULT_FILE) -> SubjectsFile:
    """Read and check a subjects file.

    Raises:
        SubjectsFileError: It is missing, no TOML, or lacks an entry.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SubjectsFileError(f"cannot read {path}: {error}") from None
    match data:
        case {"subjects": [*subjects], "projects": dict(projects)}:
            return SubjectsFile(
                scheduled=tuple(_scheduled(path, entry) for entry in subjects),
                projects={name: _project(path, name, entry) for name, entry in projects.items()},
            )
    raise SubjectsFileError(f"{path}: expected tables 'subjects' and 'projects'")


def _scheduled(path: Path, entry: Any) -> Scheduled:
    match entry:
        case {
            "spec": str(spec),
            "maintainer": str(maintainer),
            "link": str(link),
            "reason": str(reason),
        }:
            try:
                parsed = parse_subject(spec)
            except UsageError as error:
                raise SubjectsFileError(f"{path}: {error}") from None
            return Scheduled(spec=parsed, maintainer=maintainer, link=link, reason=reason)
    raise SubjectsFileError(
        f"{path}: expected a text each for 'spec', 'maintainer', 'link' and 'reason', got {entry}"
    )


def _project(path: Path, name: str, entry: Any) -> Project:
    match entry:
        case {
            "requires": [*requires],
            "source": str(source),
            "requirements": [*requirements],
        } if all(isinstance(each, str) for each in (*requires, *requirements)):
            return Project(
                requires=tuple(requires), source=source, requirements=tuple(requirements)
            )
    raise SubjectsFileError(
        f"{path}: [projects.{name}]: expected lists of texts 'requires' and 'requirements', and "
        f"'source', a folder"
    )

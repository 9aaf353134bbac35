"""Which subjects a command is about."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from compat.builds.environment import InstallError
from compat.errors import UsageError
from compat.subjects.config import load_subjects
from compat.subjects.files import pinned
from compat.subjects.spec import BUILTIN_ALONE, SubjectSpec, parse_subject


def chosen_subjects(texts: Sequence[str]) -> tuple[SubjectSpec, ...]:
    """What people typed, each once; the builtin subject where they typed nothing.

    Raises:
        UsageError: One is no subject, or no release that the index has.
    """
    return _each_once([parse_subject(text) for text in texts] or [BUILTIN_ALONE])


def scheduled_subjects(texts: Sequence[str]) -> tuple[SubjectSpec, ...]:
    """What was chosen for many machines; those of ``subjects.toml`` where nothing was.

    Raises:
        UsageError: As :func:`chosen_subjects`; or one lies on this machine alone.
    """
    specs = [parse_subject(text) for text in texts]
    for spec in specs:
        if spec.path is not None:
            raise UsageError(f"{spec}: expected a subject that any machine can have")
    return _each_once(specs or [each.spec for each in load_subjects().scheduled])


def _each_once(specs: Sequence[SubjectSpec]) -> tuple[SubjectSpec, ...]:
    """The newest release of a project has its version from here on."""
    found: dict[SubjectSpec, None] = {}
    for spec in specs:
        which = spec
        with suppress(InstallError):
            # Without an index the name stays, and the report says that it was not tested.
            which = pinned(spec)
        found[which] = None
    ids = [spec.id() for spec in found]
    if twice := {each for each in ids if ids.count(each) > 1}:
        names = ", ".join(sorted(twice))
        raise UsageError(f"--subject: several are called {names}; run them apart")
    return tuple(found)

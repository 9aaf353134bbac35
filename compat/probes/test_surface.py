"""What of torch's private surface is there: of this project's own interface, and of subjects."""

from __future__ import annotations

import pytest

from compat.probes import looking
from compat.probes.conftest import Record
from compat.runs.ids import BUILTIN
from compat.topics.surface.records import Config, Operators, Used
from compat.topics.surface.watched import watched

WATCHED = watched()
USED = WATCHED.used()
CONFIG_MODULES = WATCHED.config_modules()
NAMESPACES = WATCHED.namespaces()


@pytest.mark.parametrize("name", WATCHED.own)
def test_name(name: str, record: Record) -> None:
    """The private name exists and takes the parameters that the interface always passes.

    A name that moved is an ImportError in every downstream; a changed signature is a TypeError.
    """
    users = WATCHED.names[name]
    found = looking.name(name, users[BUILTIN], list(users))
    record(found)
    assert found.there is not False, f"{name} is gone"
    assert not found.refused, f"{name} no longer takes {', '.join(found.refused)}"


@pytest.mark.parametrize("part", USED)
def test_used(part: str, record: Record) -> None:
    """Which private names that subjects use are there, and how they are called.

    That one of them is gone is no fault of the build: it is an answer, which is lost.
    """
    names = {}
    for path in USED[part]:
        passed = {each for keywords in WATCHED.names[path].values() for each in keywords}
        names[path] = looking.name(path, sorted(passed), list(WATCHED.names[path]))
    record(Used(names=names))
    if all(found.there is None for found in names.values()):
        pytest.skip(next(found.unknown for found in names.values()))


@pytest.mark.parametrize("module", CONFIG_MODULES)
def test_config(module: str, record: Record) -> None:
    """The config keys that the interface sets are there; of those of subjects too, the default.

    To set a key that is gone raises an AttributeError.
    """
    paths = CONFIG_MODULES[module]
    found = {path: looking.key(module, path, WATCHED.keys[path]) for path in paths}
    record(Config(keys=found))
    gone = [path for path, each in found.items() if BUILTIN in each.subjects and not each.there]
    assert not gone, f"there is no {', '.join(gone)}"


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_operators(namespace: str, record: Record) -> None:
    """Which operators that subjects name are registered, and their schemas.

    A project that names one that is gone fails when it is imported.
    """
    paths = NAMESPACES[namespace]
    found = {path: looking.operator(path, WATCHED.operators[path]) for path in paths}
    record(Operators(operators=found))

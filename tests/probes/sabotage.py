"""A pytest plugin that breaks torch, or the interface, in one way just before a probe.

Each probe named in :mod:`tests.probes.sabotages` runs once for each sabotage that is meant for it,
with the sabotage's name as one more parameter; all other probes are left out. COMPAT_SABOTAGES
names those that are wanted; all are if it is empty. It runs inside a build's environment.
"""

from __future__ import annotations

import importlib
import os
import pkgutil

import pytest

from tests.probes import sabotages
from tests.probes.sabotages.registry import SABOTAGES

for module in pkgutil.iter_modules(sabotages.__path__):
    importlib.import_module(f"{sabotages.__name__}.{module.name}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    wanted = os.environ["COMPAT_SABOTAGES"].split() or list(SABOTAGES)
    metafunc.parametrize("sabotage", wanted, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from compat.worker.isolation import check_of

    items[:] = [
        item
        for item in items
        if check_of(item).startswith(
            SABOTAGES[item.callspec.params["sabotage"]].checks  # type: ignore[attr-defined]
        )
    ]


@pytest.fixture(autouse=True)
def sabotage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    SABOTAGES[request.param].apply(monkeypatch)

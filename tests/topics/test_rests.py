"""What an answer rests on, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compat.runs.model import Cell
from compat.topics.rests import rests_on
from compat.topics.workarounds.table import WORKAROUNDS, Measured
from tests.topics.tracing_context.cells import free, on_model

OLD, NEW = "2.11.0-cpu", "2.15.0-cpu"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([], "nothing"),
        ([free(OLD)], "mlp in float32, static shapes"),
        ([free(OLD), free(NEW)], "mlp in float32, static shapes"),
        (
            [free(OLD), on_model(OLD, "block"), on_model(OLD, "llama", inputs="own")],
            "mlp, block and llama in float32, static and dynamic shapes, foreign and own inputs",
        ),
        (
            [free(OLD), free(NEW), free(NEW, batch="dynamic")],
            "mlp in float32, static shapes (2.11.0); "
            "mlp in float32, static and dynamic shapes (2.15.0)",
        ),
    ],
)
def test_what_was_asked(cells: list[Cell], said: str) -> None:
    assert rests_on(cells) == said


def test_dtypes_of_the_same_models_stand_together() -> None:
    params = [
        {"model": model, "dtype": dtype}
        for model, dtype in [("mlp", "float32"), ("mlp", "bfloat16"), ("block", "float16")]
    ]
    cells = [replace(free(OLD), params=each) for each in params]
    assert rests_on(cells) == "mlp in float32 and bfloat16, block in float16"


def test_what_a_probe_asks_without_a_parameter_can_be_said() -> None:
    assert rests_on([free(OLD)], inputs="foreign").endswith(", foreign inputs")


def test_every_workaround_that_is_tried_says_with_what() -> None:
    tried = [each for each in WORKAROUNDS.values() if each.measured is Measured.PROBE]
    assert all(each.asked for each in tried)
    assert not any(each.asked for each in WORKAROUNDS.values() if each not in tried)

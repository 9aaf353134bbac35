"""What is lost or worse, and what only changes, of what compile_fx takes."""

from __future__ import annotations

from dataclasses import replace

from compat.runs.answers import Change
from compat.topics.inputs.answers import ANSWERS
from compat.topics.inputs.records import Inputs, OnModel
from tests.topics.saying import changes

FINE = Inputs(
    compiles=True, failure="", leaks=("context.params_flat",), returned="list", max_abs=1e-7
)


def test_inputs_that_no_longer_compile_are_lost() -> None:
    after = Inputs(compiles=False, failure="TypeError", leaks=(), returned="", max_abs=None)
    assert changes(ANSWERS, FINE, after) == {
        "compiles": Change.LOST,
        "failure": Change.CHANGED,
        "leaks": Change.BETTER,
        "leaking": Change.CHANGED,
        "returned": Change.UNKNOWN,
        "finite": Change.UNKNOWN,
    }


def test_one_more_attribute_is_worse() -> None:
    after = replace(FINE, leaks=("context.params_flat", "shape_env.guards"))
    assert changes(ANSWERS, FINE, after) == {"leaks": Change.WORSE, "leaking": Change.CHANGED}


def test_another_attribute_is_a_change() -> None:
    after = replace(FINE, leaks=("shape_env.guards",))
    assert changes(ANSWERS, FINE, after) == {"leaking": Change.CHANGED}


def test_another_type_of_result_is_a_change() -> None:
    assert changes(ANSWERS, FINE, replace(FINE, returned="tuple")) == {"returned": Change.CHANGED}


def test_outputs_that_are_no_longer_finite_are_lost() -> None:
    assert changes(ANSWERS, FINE, replace(FINE, max_abs=None)) == {"finite": Change.LOST}
    assert changes(ANSWERS, FINE, replace(FINE, max_abs=3e-7)) == {}


def test_a_model_that_needs_the_context_hidden_is_lost() -> None:
    fine, crash = OnModel(unhidden="", hidden=""), "AssertionError: modes"
    assert changes(ANSWERS, fine, OnModel(unhidden=crash, hidden="")) == {
        "compiles": Change.LOST,
        "needed": Change.LOST,
        "failure": Change.CHANGED,
    }
    assert changes(ANSWERS, fine, OnModel(unhidden=crash, hidden=crash)) == {
        "compiles": Change.LOST,
        "compiles_hidden": Change.LOST,
        "failure": Change.CHANGED,
        "failure_hidden": Change.CHANGED,
    }

"""What is lost, and what only changes, in what reaches a downstream."""

from __future__ import annotations

import pytest

from compat.runs.answers import Change
from compat.topics.reach.answers import ANSWERS
from compat.topics.reach.records import Shown
from tests.topics.reach.reach_cells import LAST, PATCHED, make_census, make_patches, make_trials
from tests.topics.saying import changes, said_of


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (make_trials(), make_trials("raises", "KeyError: x"), "lost"),
        (make_trials("raises", "KeyError: x"), make_trials("raises", "TypeError: y"), "changed"),
        (make_trials("otherwise", "fires 0 times"), make_trials(said="fires 1 times"), "gained"),
        (make_trials(said="(x, y)"), make_trials(said="(y, x)"), "changed"),
    ],
)
def test_a_trial(before: object, after: object, expected: str) -> None:
    found = changes(ANSWERS, before, after)
    assert found.pop("said.plain.chain") is Change.CHANGED
    assert {each.value for each in found.values()} <= {expected}
    assert bool(found) is (expected != "changed")


def test_a_patch_that_is_no_longer_reached_is_lost() -> None:
    found = changes(ANSWERS, make_patches("(…, fw_compiler)"), make_patches())
    assert found[f"reached.compiled.{PATCHED}"] is Change.LOST


def test_other_keywords_are_a_change() -> None:
    found = changes(ANSWERS, make_patches("(…, a)"), make_patches("(…, a, b)"))
    assert found == {f"saw.compiled.{PATCHED}": Change.CHANGED}


def test_of_a_name_that_is_gone_it_is_unknown_whether_it_would_be_reached() -> None:
    """That it is gone is an answer of the surface."""
    said = said_of(ANSWERS, make_patches(there=False))
    assert said[f"reached.compiled.{PATCHED}"].value is None


def test_what_a_user_can_no_longer_do_is_lost() -> None:
    found = changes(ANSWERS, make_patches("()"), make_patches("()", raised="KeyError: x"))
    assert found == {"worked.compiled": Change.LOST, "raised.compiled": Change.CHANGED}


def test_one_change_of_what_all_passes_are_shown_is_one_answer() -> None:
    assert changes(ANSWERS, make_census(1), make_census(2)) == {
        "joint_custom_pre_pass.mlp": Change.CHANGED
    }
    assert changes(ANSWERS, make_census(2), make_census(2, last=1)) == {
        f"{LAST}.mlp": Change.CHANGED
    }


def test_a_census_is_read_by_people() -> None:
    said = said_of(ANSWERS, make_census(3))
    assert said["joint_custom_pre_pass.mlp"].value == "aten.add.Tensor ×2, aten.mm.default ×3"
    assert said[f"{LAST}.mlp"].value == "as the pass before"
    assert said[f"meta.{LAST}"].value == "stack_trace, val"


def test_a_graph_that_comes_to_no_pass() -> None:
    said = said_of(ANSWERS, make_census(raised="KeyError: x"))
    assert (said["shown.mlp"].value, said["raised.mlp"].value) == (False, "KeyError: x")
    assert f"{LAST}.mlp" not in said


def test_names_that_cannot_stand_in_an_answer_are_refused() -> None:
    with pytest.raises(ValueError, match="not 'a b'"):
        type(make_census())(graphs={"a b": Shown(raised="", passes={})}, meta={})

"""What becomes of a sabotage on an older build, which lacks what it breaks or answers otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest

from compat.builds.environment import Environment
from compat.runs.contents import Spent
from compat.runs.model import Outcome
from tests.probes.sabotaged import RED, Sabotaged, ask_sabotaged, recorded

OF_DONATION = (
    "donated_graph_is_copied",
    "nothing_is_compiled",
    "donation_moves_the_outputs",
    "donor_is_used_up",
    "donated_graph_is_wrong",
)
AHEAD = ("nothing_is_loaded_that_was_compiled_ahead", "what_was_compiled_ahead_is_off")
OTHERS = ("output_becomes_a_list", "loading_compiles", "nothing_is_broken", "standalone_is_off")


@pytest.fixture(scope="module")
def sabotaged(
    real_build: Callable[[str], Environment], tmp_path_factory: pytest.TempPathFactory
) -> Sabotaged:
    folder = tmp_path_factory.mktemp("older")
    return ask_sabotaged(real_build("2.11"), folder, *OF_DONATION, *AHEAD, *OTHERS)


@pytest.mark.parametrize("sabotage", OF_DONATION)
def test_there_is_no_donation_to_break(sabotaged: Sabotaged, sabotage: str) -> None:
    for cell in sabotaged.under(sabotage):
        assert cell.outcome is Outcome.UNSUPPORTED
        assert cell.reason == "this build has no donate_graph_module"


def test_a_graph_that_was_not_donated_no_longer_works(sabotaged: Sabotaged) -> None:
    by_flag = {cell.params["flag"]: cell for cell in sabotaged.under("output_becomes_a_list")}
    assert by_flag["donated"].outcome is Outcome.UNSUPPORTED
    assert by_flag["standalone"].outcome is Outcome.FAIL
    assert "no longer fit for it" in by_flag["standalone"].message


def test_numbers_go_red(sabotaged: Sabotaged) -> None:
    for cell in sabotaged.under("standalone_is_off"):
        assert cell.outcome in RED
        assert "outputs are off by" in cell.message


def test_what_compiles_instead_of_loading_is_counted(sabotaged: Sabotaged) -> None:
    """What was compiled so is wrong as well, which the probe says first."""
    for cell in sabotaged.under("loading_compiles"):
        assert cell.outcome in RED
        assert recorded(cell)["compilations"] == 4


@pytest.mark.parametrize("sabotage", AHEAD)
def test_what_is_compiled_ahead_does_not_come_as_far_as_loading(
    sabotaged: Sabotaged, sabotage: str
) -> None:
    (cell,) = sabotaged.under(sabotage)
    assert cell.outcome is Outcome.PASS
    how = recorded(cell)["starts"]["closure"]["how"]
    assert "loading" not in how


def test_torch_says_where_the_time_of_a_compilation_went(sabotaged: Sabotaged) -> None:
    spent = [cell.spent for cell in sabotaged.under("nothing_is_broken") if cell.spent]
    for part in fields(Spent):
        assert any(getattr(each, part.name) > 0 for each in spent), part.name

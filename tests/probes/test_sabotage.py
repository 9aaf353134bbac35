"""Every probe goes red on a build that is broken in just the way it looks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from typing import Any

import pytest

from compat.builds.environment import Environment
from compat.runs.answers import Change, relate
from compat.runs.contents import Spent
from compat.runs.model import Outcome
from compat.topics.cost.answers import CALLS
from tests.probes.sabotaged import RED, Sabotaged, ask_sabotaged, recorded
from tests.probes.test_graphs import graphs

GRAPHS = {name.replace("_", "-") for name, _ in graphs()}


@pytest.fixture(scope="module")
def sabotaged(
    real_build: Callable[[str], Environment], tmp_path_factory: pytest.TempPathFactory
) -> Sabotaged:
    return ask_sabotaged(real_build("2.13"), tmp_path_factory.mktemp("sabotage"))


@pytest.mark.parametrize(
    ("sabotage", "says"),
    [
        ("name_is_gone", "is gone"),
        ("parameter_is_gone", "no longer takes dynamic_shapes"),
        (
            "a_key_of_the_interface_is_gone",
            "there is no torch._functorch.config.bundled_autograd_cache",
        ),
        ("flag_is_gone", "is open and the build does not have it"),
        ("mode_is_not_shared", "Mixing fake modes"),
        ("gate_is_ignored", "while the gate is"),
        ("kept_graph_is_rewritten", "was rewritten"),
        ("hiding_does_not_help", "doesn't match"),
        ("tracing_does_not_restore", "leaves another tracing context behind"),
        ("chain_never_falls_back", "_TLS"),
        ("standalone_is_off", "outputs are off by"),
        ("loaded_artifact_is_off", "outputs are off by"),
        ("cache_forgets", "FxGraphCache has no graph"),
        ("switch_is_dead", "the legacy path called standalone_compile"),
        ("patched_module_is_not_the_one", "does not reach it"),
        ("cache_asks_the_shape_env_for_more", "freeze_hints"),
        ("aot_artifacts_are_not_saved", "cannot be serialized"),
        ("numbers_drift", "outputs are off by"),
        ("tokens_go_to_other_experts", "outputs are off by"),
        ("embeddings_turn", "outputs are off by"),
        ("weights_are_not_real", "are nearest in meaning, not"),
        ("other_random_numbers", "under the same seed, outputs are off by"),
        ("buffers_stay_as_they_were", "outputs are off by"),
        ("hidden_context_is_touched", "hidden, and yet it changed context.params_flat"),
        ("compile_fx_is_off", "it compiles, and is off by"),
        ("compile_fx_returns_a_bare_tensor", "it compiles, and returns Tensor"),
        ("outputs_are_not_finite", "outputs are off by nan"),
        ("kept_graph_is_emptied", "no longer fit for it"),
        ("damage_goes_unnoticed", "unnoticed: outputs are off by"),
        ("artifacts_know_their_place", "refused: AssertionError: saved at another place"),
        ("loading_kills_the_process", "crashed: the new process ended with -6"),
        ("loaded_artifact_returns_other_strides", "strides not as eager"),
        ("savers_overwrite_each_other", "wrong: "),
        ("hiding_forgets_the_outer_context", "another tracing context is left behind"),
    ],
)
def test_red(sabotaged: Sabotaged, sabotage: str, says: str) -> None:
    for cell in sabotaged.under(sabotage):
        assert cell.outcome in RED, cell
        assert says in cell.message, cell.message
        assert cell.signature


def test_what_compiles_instead_of_loading_is_counted(sabotaged: Sabotaged) -> None:
    for cell in sabotaged.under("loading_compiles"):
        assert cell.outcome in RED
        assert recorded(cell)["compilations"] == 4
        assert "the new process compiled 4 times" in cell.message


@pytest.mark.parametrize(
    ("sabotage", "says"),
    [
        ("donated_graph_is_copied", "copied"),
        ("nothing_is_compiled", "less than a copy"),
        ("donation_moves_the_outputs", "donated, the outputs are off by"),
        ("donor_is_used_up", "was donated before"),
        ("donated_graph_is_wrong", "a donated graph is wrong"),
    ],
)
def test_donation_goes_red(sabotaged: Sabotaged, sabotage: str, says: str) -> None:
    for cell in sabotaged.under(sabotage):
        assert cell.outcome in RED
        assert says in cell.message


def test_a_donor_that_returns_a_list_no_longer_works(sabotaged: Sabotaged) -> None:
    by_flag = {cell.params["flag"]: cell for cell in sabotaged.under("output_becomes_a_list")}
    assert by_flag["standalone"].outcome is Outcome.FAIL
    assert "no longer fit for it" in by_flag["standalone"].message
    assert by_flag["donated"].outcome is Outcome.PASS
    seen = recorded(by_flag["donated"])
    assert (seen["works_before"], seen["works"]) == (True, False)
    assert (seen["returned_before"], seen["returned"]) == ("tuple(Tensor)", "list(Tensor)")


def calls_under(sabotaged: Sabotaged, sabotage: str) -> dict[str, int]:
    """How many Python functions a compilation called, by path."""
    return {cell.params["path"]: recorded(cell)["calls"] for cell in sabotaged.under(sabotage)}


def test_torch_says_where_the_time_of_a_compilation_went(sabotaged: Sabotaged) -> None:
    spent = [cell.spent for cell in sabotaged.under("nothing_is_broken")]
    for part in fields(Spent):
        assert any(getattr(each, part.name) > 0 for each in spent), part.name


def test_two_processes_count_the_same_calls(sabotaged: Sabotaged) -> None:
    once = calls_under(sabotaged, "nothing_is_broken")
    again = calls_under(sabotaged, "nothing_is_broken_again")
    assert once.keys() == again.keys() == {"compile_fx", "standalone"}
    for path, calls in once.items():
        assert again[path] == pytest.approx(calls, rel=1e-3)


def test_work_that_is_done_twice_is_worse(sabotaged: Sabotaged) -> None:
    healthy = calls_under(sabotaged, "nothing_is_broken")
    for path, calls in calls_under(sabotaged, "compile_fx_does_its_work_twice").items():
        assert relate(CALLS, healthy[path], calls) is Change.WORSE, (path, healthy[path], calls)


def test_the_context_probe_sees_the_crash(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("context_crashes")
    assert cell.outcome is Outcome.PASS
    assert recorded(cell)["needed"] is True
    assert "doesn't match" in recorded(cell)["failure"]


@pytest.mark.parametrize(
    ("sabotage", "found"),
    [
        ("name_is_gone", {"there": False, "refused": []}),
        ("parameter_is_gone", {"there": True, "refused": ["dynamic_shapes"]}),
        ("tracing_does_not_restore", {"hidden": True, "restored": False}),
        ("hiding_forgets_the_outer_context", {"left_behind": True}),
        ("outputs_are_not_finite", {"max_abs": None}),
        ("cache_asks_the_shape_env_for_more", {"unknown": ["freeze_hints"]}),
        ("compile_fx_returns_a_bare_tensor", {"compiles": True, "returned": "Tensor"}),
    ],
)
def test_what_went_wrong_is_on_record(
    sabotaged: Sabotaged, sabotage: str, found: Mapping[str, Any]
) -> None:
    for cell in sabotaged.under(sabotage):
        assert found.items() <= recorded(cell).items()


@pytest.mark.parametrize(
    ("sabotage", "red", "contract"),
    [
        (
            "bfloat16_is_off_by_two_percent",
            {"reduction-bfloat16-static-compile_fx", "bfloat16"},
            [],
        ),
        (
            "float32_is_off_by_a_thousandth",
            {"block-float32-static-compile_fx", "reduction-float32-static-compile_fx"},
            [],
        ),
        (
            "one_element_is_off_by_ten_steps",
            {"reduction-bfloat16-static-compile_fx", "reduction-float32-static-compile_fx"},
            [],
        ),
        ("one_element_is_off_by_a_step", set(), []),
        ("the_second_batch_size_is_wrong", {"reduction-float32-dynamic-compile_fx"}, []),
        ("bfloat16_comes_as_float32", {"mlp-bfloat16-static-compile_fx"}, ["dtype"]),
        (
            "outputs_lie_the_other_way",
            {"mlp-float32-static-compile_fx"},
            ["memory_format", "strides"],
        ),
        ("a_bare_output_comes_in_a_list", {"mlp-float32-static-aot"}, ["structure"]),
    ],
)
def test_numbers_and_contracts_are_red_in_just_the_cells_concerned(
    sabotaged: Sabotaged, sabotage: str, red: Collection[str], contract: list[str]
) -> None:
    found = {
        "-".join(value for name, value in cell.params.items() if name != "sabotage"): cell
        for cell in sabotaged.under(sabotage)
    }
    assert len(found) > len(red) or not red
    assert {name for name, cell in found.items() if cell.outcome is Outcome.FAIL} == red
    assert all(cell.outcome in {Outcome.FAIL, Outcome.PASS} for cell in found.values())
    for name in red:
        assert recorded(found[name]).get("contract", contract) == contract


def test_every_graph_of_the_corpus_can_go_red(sabotaged: Sabotaged) -> None:
    """As it was captured it is right, and it is not once its first output is changed."""
    right = {cell.params["graph"]: cell for cell in sabotaged.under("graphs_are_not_compiled")}
    off = {cell.params["graph"]: cell for cell in sabotaged.under("graphs_are_off")}
    assert right.keys() == off.keys() == GRAPHS
    for name in GRAPHS:
        assert right[name].outcome is Outcome.PASS, (name, right[name])
        assert off[name].outcome is Outcome.FAIL, (name, off[name])
        assert "https://github.com/" in off[name].reason, (name, off[name])


def test_noise_is_recorded_and_no_failure(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("outputs_are_noisy")
    assert cell.outcome is Outcome.PASS
    assert recorded(cell)["repeats_bitwise"] is False


def test_what_only_subjects_use_goes_without_a_failure(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("a_name_of_a_subject_is_gone")
    assert cell.outcome is Outcome.PASS
    names = recorded(cell)["names"]
    assert names["torch._inductor.pattern_matcher.PatternMatcherPass"]["there"] is False
    assert names["torch._inductor.pattern_matcher"]["there"] is True


def test_a_default_moves_with_the_build_and_not_with_what_a_process_sets(
    sabotaged: Sabotaged,
) -> None:
    (moved,) = sabotaged.under("a_default_moves")
    (as_it_was,) = sabotaged.under("a_setting_of_this_process")
    assert {moved.outcome, as_it_was.outcome} == {Outcome.PASS}
    assert recorded(moved)["keys"]["torch._dynamo.config.recompile_limit"]["default"] == "77"
    assert recorded(as_it_was)["keys"]["torch._dynamo.config.recompile_limit"]["default"] == "8"


def test_an_operator_that_is_gone(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("an_operator_is_gone")
    assert cell.outcome is Outcome.PASS
    gone = [name for name, each in recorded(cell)["operators"].items() if not each["there"]]
    assert [name for name in gone if name.startswith("aten.mm")]


def test_what_a_flipped_bit_does_is_recorded_and_no_failure(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("a_flipped_bit_moves_the_numbers")
    assert cell.outcome is Outcome.PASS
    assert recorded(cell)["load"] == "wrong"
    assert recorded(cell)["max_abs"] > 0


def test_a_member_that_is_newly_needed(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("cache_needs_another_member")
    assert cell.outcome is Outcome.PASS
    assert recorded(cell)["needed"] is True
    assert "has no 'guards'" in recorded(cell)["failure"]


def test_a_leak_that_breaks_the_frame(sabotaged: Sabotaged) -> None:
    by_way = {cell.params["way"]: cell for cell in sabotaged.under("leak_breaks_the_frame")}
    assert by_way["none"].outcome is Outcome.PASS
    assert recorded(by_way["none"])["compiles"] is False
    assert recorded(by_way["none"])["failure"].startswith("afterwards, in Dynamo: IndexError")
    assert by_way["tls"].outcome is Outcome.ERROR


def test_a_patch_that_misses_the_module(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("name_finds_the_function")
    assert cell.outcome is Outcome.PASS
    assert recorded(cell)["reaches"] is False
    assert "AttributeError" in recorded(cell)["failure"]


def test_a_strategy_that_hides_nothing(sabotaged: Sabotaged) -> None:
    by_probe = {cell.probe: cell for cell in sabotaged.under("tls_is_dead")}
    assert by_probe["tracing_context.strategy"].outcome in RED
    assert by_probe["tracing_context.restored"].outcome is Outcome.FAIL
    assert "does not hide" in by_probe["tracing_context.restored"].message


@pytest.mark.parametrize(
    ("sabotage", "outcome", "reason"),
    [
        ("process_aborts", Outcome.CRASH, "killed by SIGABRT"),
        ("python_hangs", Outcome.TIMEOUT, "hung: no processor time for 60 s, "),
    ],
)
def test_a_dead_process_costs_one_cell(
    sabotaged: Sabotaged, sabotage: str, outcome: Outcome, reason: str
) -> None:
    (cell,) = sabotaged.under(sabotage)
    assert cell.outcome is outcome
    assert cell.reason.startswith(reason)


def test_a_hang_says_where(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("python_hangs")
    assert "in python_hangs" in cell.message


@pytest.mark.parametrize(
    ("sabotage", "says"),
    [
        ("gradients_are_off", "a step is off by"),
        ("gradients_are_off_once_loaded", "loaded: wrong: other numbers"),
        ("failing_leaves_a_setting", "compiler: left behind: inductor config"),
        ("failing_once_is_failing_ever_after", "the next compilation: RuntimeError: it failed"),
        ("nothing_fails", "compiler: it failed elsewhere"),
        ("failing_backward_leaves_a_setting", "left behind: inductor config"),
        ("failing_rewrites_the_callers_graph", "run eagerly: other numbers"),
    ],
)
def test_training_and_failing_go_red(sabotaged: Sabotaged, sabotage: str, says: str) -> None:
    (cell,) = sabotaged.under(sabotage)
    assert cell.outcome is Outcome.FAIL, cell
    assert says in cell.message, cell.message


def test_what_does_not_train_or_cannot_be_saved_is_an_answer(sabotaged: Sabotaged) -> None:
    (cut,) = sabotaged.under("outputs_are_cut_off")
    (unsaved,) = sabotaged.under("what_trains_is_not_saved")
    assert {cut.outcome, unsaved.outcome} == {Outcome.PASS}
    assert recorded(cut)["failure"].startswith("step: ")
    assert recorded(unsaved)["failure"] == ""
    for kept in recorded(unsaved)["kept"].values():
        assert kept["saved_later"].startswith("RuntimeError: nothing that trains is saved")


def test_another_exception_is_an_answer(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("failing_raises_what_nobody_catches")
    assert cell.outcome is Outcome.PASS
    places = recorded(cell)["places"].values()
    assert {each["raised"] for each in places} == {"KeyError < LookupError < Exception"}


def test_a_workaround_that_becomes_needed(sabotaged: Sabotaged) -> None:
    """By a sabotage of its own for each: what it guards against is back, and the workaround helps.

    Where the build has nothing that it guards, the cell says so.
    """
    needed = [
        cell
        for cell in sabotaged.cells.values()
        if cell.params["sabotage"].startswith("needs_") and "name" in cell.params
    ]
    assert len(needed) > 12
    for cell in needed:
        if cell.outcome is Outcome.UNSUPPORTED:
            assert cell.reason.startswith("this build has no ")
            continue
        assert cell.outcome is Outcome.PASS, cell
        assert recorded(cell)["without"], cell
        assert not recorded(cell)["with_it"], cell


def test_a_workaround_that_is_no_longer_needed(sabotaged: Sabotaged) -> None:
    mended = [
        cell for cell in sabotaged.cells.values() if cell.params["sabotage"].startswith("mends_")
    ]
    assert len(mended) >= 4
    for cell in mended:
        assert cell.outcome is Outcome.PASS, cell
        assert recorded(cell) == {"without": "", "with_it": ""}, cell


def test_a_workaround_that_does_not_help_is_red(sabotaged: Sabotaged) -> None:
    cells = sabotaged.under("no_workaround_helps")
    red = [cell for cell in cells if cell.outcome in RED]
    assert red
    for cell in red:
        assert "with the workaround: " in cell.message
    for cell in cells:
        if cell.outcome is Outcome.PASS:
            assert recorded(cell) == {"without": "", "with_it": ""}


@pytest.mark.parametrize(
    ("sabotage", "says"),
    [
        ("every_graph_has_one_key", "something else is computed: constant, closure"),
        ("no_graph_has_its_key_again", "fxgraph_cache miss"),
        ("what_was_found_is_off", "something else is computed: left"),
        ("portable_artifacts_are_not_loaded", "with the artifacts loaded: loaded nothing"),
        ("a_thread_moves_the_numbers", "something else is computed: thread"),
        ("the_compiler_stays_on", "these were compiled: partial.function"),
    ],
)
def test_caches_and_machines_go_red(sabotaged: Sabotaged, sabotage: str, says: str) -> None:
    for cell in sabotaged.under(sabotage):
        assert cell.outcome is Outcome.FAIL, cell
        assert says in cell.reason, cell


@pytest.mark.parametrize(
    ("sabotage", "within", "name", "says"),
    [
        ("dynamo_keeps_nothing", "starts", "warm", "dynamo_cache miss"),
        ("only_the_main_thread_compiles", "went", "thread", "only the main thread compiles"),
        ("stances_are_ignored", "went", "force_eager.first", "compiled"),
    ],
)
def test_what_caches_and_machines_answer(
    sabotaged: Sabotaged, sabotage: str, within: str, name: str, says: str
) -> None:
    (cell,) = sabotaged.under(sabotage)
    assert cell.outcome is Outcome.PASS, cell
    assert says in recorded(cell)[within][name]["how"]


def test_what_is_compiled_ahead_is_refused_or_wrong(sabotaged: Sabotaged) -> None:
    (refused,) = sabotaged.under("nothing_is_loaded_that_was_compiled_ahead")
    (wrong,) = sabotaged.under("what_was_compiled_ahead_is_off")
    assert refused.outcome is Outcome.PASS
    how = recorded(refused)["starts"]["closure"]["how"]
    assert how.startswith("loading raises RuntimeError"), how
    assert wrong.outcome is Outcome.FAIL, wrong


@pytest.mark.parametrize(
    ("sabotage", "says"),
    [
        ("no_pass_is_run_after_the_gradients", "the last pass is not reached"),
        ("keys_forget_the_passes", "wrong without a word: uuid."),
        ("no_pattern_is_tried", "writing_by_hand.float32: "),
        ("what_is_compiled_is_off", "wrong without a word: "),
        ("no_function_is_compiled", "no patch is reached"),
        ("pieces_get_their_inputs_in_another_order", "wrong without a word: "),
    ],
)
def test_what_reaches_a_downstream(sabotaged: Sabotaged, sabotage: str, says: str) -> None:
    for cell in sabotaged.under(sabotage):
        assert cell.outcome is Outcome.FAIL, cell
        assert says in cell.message, cell.message


def test_a_pass_that_is_shown_other_operators(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("views_stay_views")
    assert cell.outcome is Outcome.PASS
    passes = recorded(cell)["graphs"]["linear"]["passes"]
    assert "aten.view.default" in passes["post_grad_custom_post_pass"]
    assert "aten.reshape.default" not in passes["post_grad_custom_post_pass"]


def test_a_patch_that_is_given_a_keyword_more(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("a_keyword_is_new")
    assert cell.outcome is Outcome.PASS
    patches = recorded(cell)["drives"]["compiled"]["patches"]
    (way,) = patches["torch._dynamo.backends.common.aot_module_simplified"]["saw"]
    assert "compat_is_new" in way


def test_pieces_that_name_their_inputs_otherwise(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("pieces_name_their_inputs_otherwise")
    assert cell.outcome is Outcome.PASS
    assert "(arg_0 tensor, arg_1 tensor)" in recorded(cell)["trials"]["in_order.chain"]["said"]

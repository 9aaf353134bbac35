"""Every probe goes red on a build that is broken in just the way it looks for."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from compat.builds.environment import Environment, install_packages
from compat.runs.model import Cell, Outcome, cell_from_json, check_id
from compat.runs.stream import Stream
from tests.conftest import variables_inside

RED = {Outcome.FAIL, Outcome.ERROR}


@dataclass(frozen=True)
class Sabotaged:
    spec: str
    cells: Mapping[str, Cell]

    def under(self, sabotage: str) -> list[Cell]:
        found = [cell for cell in self.cells.values() if cell.params["sabotage"] == sabotage]
        assert found, f"no probe ran under {sabotage}"
        return found


@pytest.fixture(scope="module", params=["2.11", "2.13"])
def sabotaged(
    request: pytest.FixtureRequest,
    real_build: Callable[[str], Environment],
    tmp_path_factory: pytest.TempPathFactory,
) -> Sabotaged:
    """One worker runs every sabotaged probe of a build."""
    folder = tmp_path_factory.mktemp("sabotage")
    environment = real_build(request.param)
    temporary = environment.scratch / "tests"
    temporary.mkdir(exist_ok=True)
    stream = Stream(folder / "stream.jsonl")
    worker = subprocess.run(
        [
            *(str(environment.python), "-m", "compat.worker", "--stream", str(stream.path)),
            *("--jobs", "2", "--timeout", "60", "--depth", "full"),
            *("--packages", install_packages(environment.python, environment.scratch.parent)),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            **variables_inside(environment),
            "PYTEST_PLUGINS": "tests.probes.sabotage",
            "TMPDIR": str(temporary),
            "TORCHINDUCTOR_CACHE_DIR": str(environment.scratch / "inductor"),
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
            "OMP_NUM_THREADS": "2",
        },
        check=False,
    )
    assert worker.returncode == 0, worker.stdout + worker.stderr
    identity = {"subject": "builtin", "build": request.param, "device": "cpu"}
    cells = [cell_from_json({**data, **identity}) for kind, data in stream.read() if kind == "cell"]
    return Sabotaged(request.param, {check_id(c.probe, c.params): c for c in cells})


@pytest.mark.parametrize(
    ("sabotage", "says"),
    [
        ("name_is_gone", "is gone"),
        ("parameter_is_gone", "no longer takes dynamic_shapes"),
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
        ("embeddings_turn", "an embedding points elsewhere"),
        ("weights_are_not_real", "are nearest in meaning, not"),
        ("other_random_numbers", "under the same seed, outputs are off by"),
        ("buffers_stay_as_they_were", "outputs are off by"),
        ("hidden_context_is_touched", "hidden, and yet it changed context.params_flat"),
        ("compile_fx_is_off", "it compiles, and is off by"),
        ("kept_graph_is_emptied", "no longer fit for it"),
        ("damage_goes_unnoticed", "right: off by 0"),
        ("artifacts_know_their_place", "refused: "),
        ("savers_overwrite_each_other", "wrong: "),
        ("hiding_forgets_the_outer_context", "another tracing context is left behind"),
    ],
)
def test_red(sabotaged: Sabotaged, sabotage: str, says: str) -> None:
    for cell in sabotaged.under(sabotage):
        assert cell.outcome in RED, cell
        assert says in cell.message, cell.message
        assert cell.signature


@pytest.mark.parametrize(
    ("sabotage", "says"),
    [
        ("donated_graph_is_copied", "copied"),
        ("nothing_is_compiled", "less than a copy"),
        ("donation_moves_the_outputs", "donation moves the outputs"),
        ("donor_is_used_up", "was donated before"),
        ("donated_graph_is_wrong", "a donated graph is wrong"),
    ],
)
def test_red_where_there_is_donation(sabotaged: Sabotaged, sabotage: str, says: str) -> None:
    for cell in sabotaged.under(sabotage):
        if sabotaged.spec == "2.11":
            assert cell.outcome is Outcome.UNSUPPORTED
            assert cell.reason == "this build has no donate_graph_module"
        else:
            assert cell.outcome in RED
            assert says in cell.message


def test_the_context_probe_sees_the_crash(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("context_crashes")
    assert cell.outcome is Outcome.PASS
    assert cell.metrics["needed"] is True
    assert "doesn't match" in cell.metrics["failure"]


def test_noise_is_recorded_and_no_failure(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("outputs_are_noisy")
    assert cell.outcome is Outcome.PASS
    assert cell.metrics["repeats_bitwise"] is False


def test_a_member_that_is_newly_needed(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("cache_needs_another_member")
    assert cell.outcome is Outcome.PASS
    assert cell.metrics["needed"] is True
    assert "has no 'guards'" in cell.metrics["failure"]


def test_a_leak_that_breaks_the_frame(sabotaged: Sabotaged) -> None:
    by_way = {cell.params["way"]: cell for cell in sabotaged.under("leak_breaks_the_frame")}
    assert by_way["none"].outcome is Outcome.PASS
    assert by_way["none"].metrics["compiles"] is False
    assert by_way["none"].metrics["failure"].startswith("afterwards, in Dynamo: IndexError")
    assert by_way["tls"].outcome is Outcome.ERROR


def test_a_patch_that_misses_the_module(sabotaged: Sabotaged) -> None:
    (cell,) = sabotaged.under("name_finds_the_function")
    assert cell.outcome is Outcome.PASS
    assert cell.metrics["reaches"] is False
    assert "AttributeError" in cell.metrics["failure"]


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

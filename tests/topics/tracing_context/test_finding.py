"""Where the workaround is needed, and where it can go."""

from __future__ import annotations

import json

from compat.runs.ids import BuildId
from compat.runs.model import Cell, Outcome, to_json
from compat.topics.inputs.finding import Case
from compat.topics.tracing_context.finding import CasesOn, Deletion, find
from tests.topics.cells import make_build, make_matrix
from tests.topics.inputs.cells import refused, taken
from tests.topics.tracing_context.cells import (
    CRASH,
    free,
    hidden,
    needed,
    on_model,
    restored,
    unknown,
)

OLD, MIDDLE, NEW = "2.10.0-cpu", BuildId("2.11.0-cpu"), BuildId("2.15.0-cpu")


def deletion_of(*cells: Cell) -> Deletion:
    (line,) = find(make_matrix(*cells)).lines
    assert line.deletion is not None
    return line.deletion


def test_it_can_go_where_no_later_build_needs_it() -> None:
    deletion = deletion_of(needed(OLD), free(MIDDLE), free(NEW))
    assert deletion.builds == (MIDDLE, NEW)
    assert deletion.untested == ()


def test_a_candidate_that_needs_it_again_keeps_it_everywhere() -> None:
    matrix = make_matrix(needed(OLD), free(MIDDLE), free(NEW), needed("2.16.0rc1-cpu"))
    (line,) = find(matrix).lines
    assert line.deletion is None
    assert line.those(True) == [OLD, "2.16.0rc1-cpu"]


def test_what_is_not_known_is_said() -> None:
    deletion = deletion_of(
        needed(OLD), unknown(MIDDLE, Outcome.CRASH), free(NEW), unknown("2.16.rc-cpu")
    )
    assert deletion.builds == (NEW,)
    assert deletion.untested == (MIDDLE, "2.16.rc-cpu")


def test_no_is_said_of_all_batches_or_not_at_all() -> None:
    matrix = make_matrix(
        needed(OLD),
        needed(OLD, batch="dynamic"),
        free(MIDDLE),
        free(NEW),
        unknown(NEW, Outcome.CRASH, batch="dynamic"),
    )
    (line,) = find(matrix).lines
    assert list(line.needed.values()) == [True, None, None]
    assert line.deletion is None


def test_yes_is_said_of_any_batch() -> None:
    matrix = make_matrix(free(OLD), needed(OLD, batch="dynamic"))
    found = find(matrix)
    assert found.lines[0].those(True) == [OLD]
    assert found.failures == {BuildId(OLD): (CRASH,)}
    assert found.rests == "mlp in float32, static and dynamic shapes, foreign inputs"


def test_one_model_needs_it() -> None:
    on_block = on_model(NEW, "block", unhidden=CRASH)
    found = find(make_matrix(needed(OLD), free(NEW), on_block))
    assert found.lines[0].those(True) == [OLD, NEW]
    assert on_block.id in found.lines[0].cells
    assert found.rests.endswith(
        "; mlp and block in float32, static and dynamic shapes, foreign inputs (2.15.0)"
    )


def test_inputs_that_vllm_does_not_pass_are_another_question() -> None:
    others = on_model(NEW, "block", unhidden=CRASH, inputs="own")
    refused = on_model(NEW, "llama", unhidden=CRASH, hidden=CRASH)
    found = find(make_matrix(needed(OLD), free(NEW), others, refused))
    assert found.lines[0].those(True) == [OLD]
    assert "foreign and own inputs" in found.rests


def test_a_build_that_was_asked_of_no_other_model_is_known_all_the_same() -> None:
    found = find(make_matrix(needed(OLD), free(MIDDLE), free(NEW), on_model(NEW, "block")))
    assert list(found.lines[0].needed.values()) == [True, False, False]


def test_devices_and_pythons_are_kept_apart() -> None:
    matrix = make_matrix(needed(OLD), free("2.11.0-cuda"), free("2.13.0-py3.10-cpu"), free(NEW))
    on_cpu, on_cuda, on_old_python = find(matrix).lines
    assert on_cpu.deletion is not None
    assert on_cpu.deletion.builds == (NEW,)
    for line in (on_cuda, on_old_python):
        assert line.deletion is None
        assert line.those(True) == []


def test_a_way_works_if_it_compiles_and_the_context_is_back() -> None:
    matrix = make_matrix(
        needed(OLD),
        *(hidden(OLD, way) for way in ("tls", "tracing", "thread")),
        restored(OLD, "tls"),
        restored(OLD, "tracing", Outcome.FAIL),
        builds=(make_build(OLD), make_build(NEW)),
    )
    works = find(matrix).works
    assert works["tls"] == {OLD: True, NEW: None}
    assert works["tracing"][BuildId(OLD)] is False
    assert works["thread"][BuildId(OLD)] is True


def test_what_deleting_it_costs_comes_from_the_inputs() -> None:
    both = ("context.params_flat", "context.fw_metadata")
    deletion = deletion_of(
        needed(OLD),
        *(free(build) for build in (MIDDLE, "2.12.1-cpu", NEW)),
        *(
            cell
            for build, more in ((MIDDLE, ("shape_env.guards",)), (NEW, ()))
            for cell in (
                taken(build, "foreign", "none", *both),
                taken(build, "foreign", "tls"),
                taken(build, "foreign-symbolic", "none", *both, *more, batch="dynamic"),
                taken(build, "foreign-symbolic", "tls", batch="dynamic"),
                taken(build, "mixed", "none", *both),
                refused(build, "mixed", "tls"),
            )
        ),
    )
    cases = (
        Case("foreign", "static"),
        Case("foreign-symbolic", "dynamic"),
        Case("mixed", "static"),
    )
    context, guards = deletion.cost.written
    assert context.names == ("context.fw_metadata", "context.params_flat")
    assert (context.builds, context.cases) == ((MIDDLE, NEW), cases)
    assert guards.names == ("shape_env.guards",)
    assert (guards.builds, guards.cases) == ((MIDDLE,), (Case("foreign-symbolic", "dynamic"),))
    mixed = CasesOn(builds=(MIDDLE, NEW), cases=(Case("mixed", "static"),))
    assert deletion.cost.takes == (mixed,)
    assert deletion.cost.refuses == ()
    assert json.loads(json.dumps(to_json(deletion)))["cost"]["takes"] == [
        {"builds": [MIDDLE, NEW], "cases": [{"inputs": "mixed", "batch": "static"}]}
    ]
    assert deletion.cost.uncosted == ("2.12.1-cpu",)
    assert len(deletion.cost.cells) == 12


def test_inputs_that_only_the_workaround_takes_are_a_cost() -> None:
    deletion = deletion_of(
        needed(OLD), free(NEW), refused(NEW, "own", "none"), taken(NEW, "own", "tls")
    )
    own = CasesOn(builds=(NEW,), cases=(Case("own", "static"),))
    assert deletion.cost.refuses == (own,)


def test_nothing_asked() -> None:
    found = find(make_matrix(builds=(make_build(NEW),)))
    assert found.lines == ()
    assert found.works == {}

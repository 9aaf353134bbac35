"""Whether a downstream can delete the workaround."""

from __future__ import annotations

from compat.runs.ids import BuildId
from compat.runs.model import Cell
from compat.topics.topic import Advice, AdviceKind
from compat.topics.tracing_context.advice import advise
from compat.topics.tracing_context.finding import find
from tests.topics.cells import make_matrix
from tests.topics.inputs.cells import refused, taken
from tests.topics.tracing_context.cells import free, needed, unknown

OLD, NEW = "2.10.0-cpu", "2.15.0-cpu"


def advice(*cells: Cell, builds: tuple[str, ...] = (NEW,)) -> Advice:
    matrix = make_matrix(*cells)
    (found,) = advise(matrix, find(matrix), [BuildId(build) for build in builds])
    return found


def test_it_can_go_and_costs_something() -> None:
    found = advice(
        needed(OLD),
        free(NEW),
        taken(NEW, "mixed", "none", "context.params_flat"),
        refused(NEW, "mixed", "tls"),
    )
    assert found.kind is AdviceKind.CAN_GO
    assert found.text == (
        "None of these builds needs it. 2.10.0: needed, so the probe sees that. That rests on mlp "
        "in float32, static shapes, foreign inputs. Without it, compile_fx changes in Dynamo's "
        "context: context.params_flat on 2.15.0 (all inputs). These inputs then begin to compile: "
        "all inputs on 2.15.0."
    )
    assert len(found.cells) == 4


def test_a_supported_build_needs_it() -> None:
    found = advice(needed(OLD), free(NEW), builds=(OLD, NEW))
    assert found.kind is AdviceKind.STILL_NEEDED
    assert found.text.endswith("on 2.10.0.")


def test_a_candidate_needs_it_again() -> None:
    found = advice(needed(OLD), free(NEW), needed("2.16.0rc1-cpu"))
    assert found.kind is AdviceKind.STILL_NEEDED
    assert "2.16.0rc1 does again" in found.text


def test_unknown_builds_and_builds_without_a_control() -> None:
    assert advice(needed(OLD), unknown(NEW)).kind is AdviceKind.UNKNOWN
    found = advice(needed(OLD), free("2.15.0-cuda"), builds=("2.15.0-cuda",))
    assert found.kind is AdviceKind.UNKNOWN
    assert "2.15.0 cuda work without it" in found.text


def test_a_device_that_was_not_asked() -> None:
    matrix = make_matrix(needed(OLD))
    assert list(advise(matrix, find(matrix), [BuildId("2.15.0-cuda")])) == []

"""What hiding the tracing context buys and costs."""

from __future__ import annotations

from compat.runs.ids import BuildId
from compat.runs.model import Outcome
from compat.topics.inputs.finding import Case, find
from tests.topics.cells import make_build, make_matrix
from tests.topics.inputs.cells import refused, taken, unknown

NEW = BuildId("2.13.0-cpu")


def test_what_it_buys_and_costs() -> None:
    matrix = make_matrix(
        refused(NEW, "foreign", "none"),
        taken(NEW, "foreign", "tls"),
        taken(NEW, "mixed", "none", "context.params_flat"),
        refused(NEW, "mixed", "tls"),
        taken(NEW, "real", "none", "context.params_flat"),
        taken(NEW, "real", "tls"),
    )
    effects = find(matrix).effects[NEW]
    assert effects.compiles == (Case("mixed", "static"), Case("real", "static"))
    assert effects.written == {"context.params_flat": effects.compiles}
    hiding = effects.hiding["tls"]
    assert hiding.takes == (Case("foreign", "static"),)
    assert hiding.refuses == (Case("mixed", "static"),)
    assert hiding.unknown == ()


def test_unknown_cases_are_counted_and_cost_no_other() -> None:
    matrix = make_matrix(
        refused(NEW, "foreign", "none"),
        taken(NEW, "foreign", "tls"),
        unknown(NEW, "foreign", "thread", Outcome.CRASH),
        taken(NEW, "real", "none"),
        builds=(make_build(NEW), make_build("nightly-cpu")),
    )
    found = find(matrix)
    assert list(found.effects) == [NEW]
    hiding = found.effects[NEW].hiding
    assert hiding["tls"].takes == (Case("foreign", "static"),)
    assert hiding["tls"].unknown == (Case("real", "static"),)
    assert hiding["thread"].takes == ()
    assert len(hiding["thread"].unknown) == 2


def test_the_batches_are_kept_apart() -> None:
    matrix = make_matrix(
        taken(NEW, "foreign", "none"),
        taken(NEW, "foreign", "none", "shape_env.guards", batch="dynamic"),
    )
    found = find(matrix)
    assert found.cases == (Case("foreign", "static"), Case("foreign", "dynamic"))
    assert found.effects[NEW].written == {"shape_env.guards": (Case("foreign", "dynamic"),)}
    assert found.effects[NEW].hiding == {}


def test_nothing_known() -> None:
    found = find(make_matrix(unknown(NEW, "real", "none", Outcome.NOT_RUN)))
    assert found.effects == {}

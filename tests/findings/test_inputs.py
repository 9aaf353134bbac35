"""What hiding the tracing context buys and costs."""

from __future__ import annotations

from compat.findings.inputs import say_inputs
from compat.runs.model import Cell
from tests.conftest import make_build, make_cell, make_run


def inputs(build: str, kind: str, way: str, compiles: bool, *leaks: str) -> Cell:
    return make_cell(
        build,
        "context_inputs.inputs",
        params={"inputs": kind, "batch": "static", "way": way},
        metrics={"compiles": compiles, "leaks": list(leaks), "failure": ""},
    )


def test_what_it_buys_and_costs() -> None:
    cells = [
        inputs("2.10", "foreign", "none", False),
        inputs("2.10", "foreign", "tls", True),
        *(
            cell
            for build in ("2.11", "2.12")
            for cell in (
                inputs(build, "mixed", "none", True, "context.params_flat"),
                inputs(build, "mixed", "tls", False),
            )
        ),
        inputs("2.13", "mixed", "none", True),
    ]
    builds = [make_build(name) for name in ("2.10", "2.11", "2.12", "2.13")]
    old, new = say_inputs(make_run(builds, cells))
    assert old.title.endswith("on 2.10")
    assert "takes only then: foreign." in old.text
    assert "then refuses: none." in old.text
    assert new.title.endswith("on 2.11, 2.12")
    assert "takes only then: none." in new.text
    assert "then refuses: mixed." in new.text
    assert "Dynamo's own context: context.params_flat." in new.text
    assert old.cells == tuple(cell.id for cell in cells[:2])

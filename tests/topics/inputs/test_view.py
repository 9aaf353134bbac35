"""Context inputs in words."""

from __future__ import annotations

from compat.document.parts import Sentence
from compat.runs.model import Cell, Outcome
from compat.topics.inputs.finding import Case, find
from compat.topics.inputs.view import name_cases, say, show
from tests.topics.cells import make_matrix
from tests.topics.inputs.cells import refused, taken, unknown
from tests.topics.saying import rows
from tests.topics.tracing_context.cells import on_model


def said(*cells: Cell) -> list[Sentence]:
    matrix = make_matrix(*cells)
    return list(say(matrix, find(matrix)))


def both(build: str) -> list[Cell]:
    return [
        taken(build, "mixed", "none", "context.params_flat"),
        refused(build, "mixed", "tls"),
        taken(build, "real", "none"),
        taken(build, "real", "tls"),
    ]


def test_one_sentence_for_the_builds_that_do_the_same() -> None:
    cells = [cell for build in ("2.11.0-cpu", "2.12.1-cpu", "2.12.1-cuda") for cell in both(build)]
    on_cpu, on_cuda = said(*cells)
    assert on_cpu.title == "tracing context: what hiding it does on 2.11.0, 2.12.1"
    assert on_cpu.text == (
        "With the context hidden (by tls), compile_fx also compiles no inputs, and refuses mixed "
        "that it compiles otherwise. Without hiding, it changes in Dynamo's context: "
        "context.params_flat (mixed)."
    )
    assert on_cpu.cells == tuple(cell.id for cell in cells[:8])
    assert on_cuda.title.endswith("on 2.12.1 cuda")


def test_a_way_that_does_something_else_is_said_apart() -> None:
    build = "2.11.0-cpu"
    (sentence,) = said(
        *both(build),
        *(taken(build, kind, "thread") for kind in ("mixed", "real")),
        refused(build, "mixed", "tracing"),
        unknown(build, "real", "tracing", Outcome.CRASH),
    )
    assert (
        "With the context hidden (by thread), compile_fx also compiles no inputs" in sentence.text
    )
    assert "mixed that it compiles otherwise; not known for 1 of 2 cases." in sentence.text


def test_nothing_hidden_and_nothing_written() -> None:
    (sentence,) = said(taken("2.13.0-cpu", "real", "none"))
    assert sentence.text == (
        "No way of hiding it was tried. Without hiding, it changes in Dynamo's context: nothing."
    )


def test_cases_have_names() -> None:
    every = [Case(kind, batch) for kind in ("own", "foreign") for batch in ("static", "dynamic")]
    assert name_cases(every, every) == "all inputs"
    assert name_cases(every[:2], every) == "own"
    assert name_cases(every[:3], every) == "own, foreign static"
    assert name_cases([], every) == ""


def test_the_table() -> None:
    matrix = make_matrix(
        taken("2.11.0-cpu", "real", "none", "context.params_flat"),
        taken("2.11.0-cpu", "real", "none", "context.params_flat", "a", "b", batch="dynamic"),
        refused("2.12.1-cpu", "real", "none"),
        taken("2.12.1-cpu", "real", "none", batch="dynamic"),
        taken("2.13.0-cpu", "real", "none"),
        unknown("2.13.0-cpu", "real", "none", Outcome.CRASH, batch="dynamic"),
        taken("2.14.1-cpu", "real", "tls"),
        unknown("2.15.0-cpu", "real", "tls", Outcome.PASS),
    )
    section, _ = show(matrix, find(matrix))
    assert rows(section) == [
        ["inputs", "hidden by", "2.11.0", "2.12.1", "2.13.0", "2.14.1", "2.15.0"],
        ["real", "none", "✅ writes 3", "refuses", "☠️ 1 of 2", "", ""],
        ["real", "tls", "", "", "", "✅", "❔"],
    ]


def test_other_models() -> None:
    matrix = make_matrix(
        on_model("2.10.0-cpu", "block", unhidden="AssertionError"),
        on_model("2.10.0-cpu", "block", unhidden="AssertionError", inputs="own"),
        on_model("2.10.0-cpu", "block", inputs="real"),
        on_model("2.15.0-cpu", "block", hidden="AssertionError", inputs="mixed"),
        on_model("2.15.0-cpu", "llama"),
    )
    _, section = show(matrix, find(matrix))
    assert rows(section) == [
        ["model", "context", "2.10.0", "2.15.0"],
        ["block float32", "as it is", "not foreign, own", "✅"],
        ["block float32", "hidden", "✅", "not mixed"],
        ["llama float32", "as it is", "", "✅"],
        ["llama float32", "hidden", "", "✅"],
    ]

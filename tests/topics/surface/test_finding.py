"""What changed in the private names."""

from __future__ import annotations

from compat.topics.surface.finding import find
from tests.topics.cells import make_build, make_matrix
from tests.topics.surface.cells import (
    LOCAL,
    STORAGE,
    SUBJECT,
    config,
    gone,
    name,
    operators,
    there,
    unknown,
    used,
)

OLD, MIDDLE, NEW = "2.13.0-cpu", "2.14.0-cpu", "2.14.1-cpu"
TLS = "torch._guards._TLS"


def test_a_type_that_changed() -> None:
    cells = (there(OLD, TLS, LOCAL), there(NEW, TLS, STORAGE))
    (step,) = find(make_matrix(*cells)).steps
    assert (step.name, step.before, step.after) == (TLS, OLD, NEW)
    assert (step.was.signature, step.became.signature) == (LOCAL, STORAGE)
    assert step.cells == tuple(cell.id for cell in cells)


def test_a_crash_is_unknown_and_no_change() -> None:
    found = find(make_matrix(there(OLD, TLS), unknown(MIDDLE, TLS), there(NEW, TLS, STORAGE)))
    (step,) = found.steps
    assert (step.before, step.after) == (OLD, NEW)
    assert found.unknown == {MIDDLE: 1}


def test_a_name_that_goes_and_comes_back() -> None:
    found = find(make_matrix(there(OLD, TLS), gone(MIDDLE, TLS), there(NEW, TLS)))
    assert [step.became.there for step in found.steps] == [False, True]
    assert found.unknown == {}


def test_a_parameter_that_is_refused_is_a_change() -> None:
    (step,) = find(make_matrix(there(OLD, "a:f", "f"), there(NEW, "a:f", "f", "path"))).steps
    assert step.became.refused == ("path",)


def test_only_builds_of_one_device_and_python_are_neighbours() -> None:
    matrix = make_matrix(
        there(OLD, TLS, LOCAL),
        there("2.13.0-py3.10-cpu", TLS, STORAGE),
        there("2.13.0-cuda", TLS, STORAGE),
        there(NEW, TLS, LOCAL),
        there("2.14.1-cuda", TLS, LOCAL),
    )
    (step,) = find(matrix).steps
    assert (step.before, step.after) == ("2.13.0-cuda", "2.14.1-cuda")


def test_nothing_asked() -> None:
    found = find(make_matrix(builds=(make_build(OLD),)))
    assert (found.steps, found.unknown) == ((), {})


def test_a_run_that_told_the_module_of_a_name_apart() -> None:
    (step,) = find(make_matrix(there(OLD, "torch._a:f", "f"), there(NEW, "torch._a.f", "g"))).steps
    assert step.name == "torch._a.f"


def test_what_changed_of_what_subjects_use() -> None:
    found = find(
        make_matrix(
            used(OLD, f=name(True, "function()"), g=name(True, "class()"), h=name(None)),
            used(NEW, f=name(False), g=name(True, "class()"), h=name(True, "class()")),
            config(OLD, recompile_limit="8", gone="1"),
            config(NEW, recompile_limit="16", gone=None),
            operators(OLD, mm="mm(a, b)", t="t(a)"),
            operators(NEW, mm="mm(a, b, c)", t="t(a)"),
        )
    )
    assert [step.name for step in found.used] == ["torch._a.f"]
    keys = ["torch._dynamo.config.recompile_limit", "torch._dynamo.config.gone"]
    assert [step.name for step in found.keys] == keys
    assert [step.name for step in found.operators] == ["aten.mm"]
    assert found.unknown == {OLD: 1}
    assert found.steps == ()


def test_how_what_a_subject_uses_fares() -> None:
    found = find(
        make_matrix(
            used(OLD, f=name(False), g=name(True, "class(a)"), h=name(True, "class()")),
            used(NEW, f=name(True, "class()"), g=name(True, "class(b)"), h=name(True, "class()")),
            operators(OLD, mm="mm(a, b)"),
        )
    ).subjects
    assert list(found) == ["builtin", SUBJECT]
    assert found["builtin"].asked == ["aten.mm"]
    watch = found[SUBJECT]
    assert watch.asked == ["aten.mm", "torch._a.f", "torch._a.g", "torch._a.h"]
    assert watch.lacking == {"torch._a.f": [OLD]}
    assert watch.differing == ["torch._a.g"]

"""What changed in the private names."""

from __future__ import annotations

from compat.topics.surface.finding import find
from tests.topics.cells import make_build, make_matrix
from tests.topics.surface.cells import LOCAL, STORAGE, gone, there, unknown

OLD, MIDDLE, NEW = "2.13.0-cpu", "2.14.0-cpu", "2.14.1-cpu"
TLS = "torch._guards:_TLS"


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

"""Private names in words."""

from __future__ import annotations

from compat.topics.surface.finding import find
from compat.topics.surface.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.saying import rows
from tests.topics.surface.cells import LOCAL, STORAGE, gone, there, unknown

OLD, NEW, NEWEST = "2.13.0-cpu", "2.14.1-cpu", "2.15.0-cpu"
MATRIX = make_matrix(
    there(OLD, "guards:_TLS", LOCAL),
    there(NEW, "guards:_TLS", STORAGE),
    unknown(NEWEST, "guards:_TLS"),
    there(OLD, "a:load", "function(path)"),
    there(NEW, "a:load", "function(*)", "path"),
    there(OLD, "a:save"),
    gone(NEW, "a:save"),
    there(NEWEST, "a:save"),
)


def test_one_sentence_for_each_two_builds() -> None:
    first, second = say(MATRIX, find(MATRIX))
    assert first.title == "private surface: 3 names changed from 2.13.0 to 2.14.1"
    assert first.text == (
        "Gone: a:save. With other parameters, or of another type: guards:_TLS, a:load. No longer "
        "takes what the interface passes: a:load (path)."
    )
    assert len(first.cells) == 6
    assert second.title == "private surface: 1 name changed from 2.14.1 to 2.15.0"
    assert second.text == "New, or back: a:save."


def test_the_table() -> None:
    (section,) = show(MATRIX, find(MATRIX))
    assert rows(section) == [
        ["name", "between", "was", "became"],
        ["guards:_TLS", "2.13.0 → 2.14.1", LOCAL, STORAGE],
        ["a:load", "2.13.0 → 2.14.1", "function(path)", "function(*) refuses path"],
        ["a:save", "2.13.0 → 2.14.1", LOCAL, "gone"],
        ["a:save", "2.14.1 → 2.15.0", "gone", LOCAL],
    ]
    assert section.notes == [
        "Builds with the number of names of which nothing is known: 2.15.0 (1)."
    ]


def test_nothing_changed() -> None:
    matrix = make_matrix(there(OLD, "a:f"), there(NEW, "a:f"))
    assert list(say(matrix, find(matrix))) == []
    (section,) = show(matrix, find(matrix))
    assert section.tables[0].rows == []
    assert section.notes == []

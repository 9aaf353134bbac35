"""Private names in words."""

from __future__ import annotations

from compat.topics.surface.finding import find
from compat.topics.surface.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.saying import rows
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

OLD, NEW, NEWEST = "2.13.0-cpu", "2.14.1-cpu", "2.15.0-cpu"
MATRIX = make_matrix(
    there(OLD, "guards._TLS", LOCAL),
    there(NEW, "guards._TLS", STORAGE),
    unknown(NEWEST, "guards._TLS"),
    there(OLD, "a.load", "function(path)"),
    there(NEW, "a.load", "function(*)", "path"),
    there(OLD, "a.save"),
    gone(NEW, "a.save"),
    there(NEWEST, "a.save"),
)


def test_one_sentence_for_each_two_builds() -> None:
    first, second = say(MATRIX, find(MATRIX))
    assert first.title == "private surface: 3 names changed from 2.13.0 to 2.14.1"
    assert first.text == (
        "Removed: a.save. Other parameters or another type: guards._TLS, a.load. Refuses "
        "arguments that downstream always passes: a.load (path)."
    )
    assert len(first.cells) == 6
    assert second.title == "private surface: 1 name changed from 2.14.1 to 2.15.0"
    assert second.text == "Added: a.save."


def test_the_table() -> None:
    section, _ = show(MATRIX, find(MATRIX))
    assert rows(section) == [
        ["name", "between", "what it was → what it is"],
        ["guards._TLS", "2.13.0 → 2.14.1", f"{LOCAL} → {STORAGE}"],
        ["a.load", "2.13.0 → 2.14.1", "function(path) → function(*) refuses path"],
        ["a.save", "2.13.0 → 2.14.1", f"{LOCAL} → not there"],
        ["a.save", "2.14.1 → 2.15.0", f"not there → {LOCAL}"],
    ]
    assert section.notes == [
        "Builds with the number of names of which nothing is known: 2.15.0 (1)."
    ]


def test_nothing_changed() -> None:
    matrix = make_matrix(there(OLD, "a.f"), there(NEW, "a.f"))
    assert list(say(matrix, find(matrix))) == []
    section, subjects = show(matrix, find(matrix))
    assert section.tables[0].rows == subjects.tables[0].rows == []
    assert section.notes == []


USED = make_matrix(
    used(
        OLD, f=name(True, "function()"), g=name(True, "class()"), h=name(True, "function(a)"),
        **{f"x{n}": name(True, "module") for n in range(10)},
    ),
    used(
        NEW, f=name(False), g=name(True, "class()"), h=name(True, "function(b)", "a"),
        **{f"x{n}": name(False) for n in range(10)},
    ),
    config(OLD, recompile_limit="8", old="1"),
    config(NEW, recompile_limit="16", old=None),
    operators(OLD, mm="mm(a, b)"),
    operators(NEW, mm="mm(a, b, c)"),
)  # fmt: skip


def test_a_sentence_on_what_subjects_use() -> None:
    (sentence,) = say(USED, find(USED))
    assert sentence.title == (
        "what subjects use: 12 names, 2 config keys, 1 operator changed from 2.13.0 to 2.14.1"
    )
    first = ", ".join(f"torch._a.x{n}" for n in range(7))
    assert sentence.text == (
        f"Removed: torch._a.f, {first} and 3 more. Other parameters or another type: "
        "torch._a.h. Refuses arguments that downstream always passes: torch._a.h (a). Removed: "
        "torch._dynamo.config.old. Another default: torch._dynamo.config.recompile_limit "
        "(8 → 16). Another schema: aten.mm."
    )
    assert len(sentence.cells) == 6


def test_the_table_of_subjects() -> None:
    _, section = show(USED, find(USED))
    first = ", ".join(f"torch._a.x{n} (2.14.1)" for n in range(6))
    assert rows(section) == [
        ["subject", "uses", "not on every build", "not the same on every build"],
        ["builtin", "1", "0", "1"],
        [
            SUBJECT,
            "16",
            f"12: torch._a.f (2.14.1), {first}, torch._a.x6 (2.14.1) and 4 more",
            "3",
        ],
    ]

"""Caches in words and a table."""

from __future__ import annotations

from compat.document.parts import Sentence
from compat.runs.model import Cell, Outcome
from compat.topics.caches.finding import find
from compat.topics.caches.view import say, show
from tests.topics.caches.cache_cells import HIT, MISS, RAISED, STALE, keys_cell, starts_cell
from tests.topics.cells import make_matrix
from tests.topics.saying import rows


def said(*cells: Cell) -> dict[str, Sentence]:
    matrix = make_matrix(*cells)
    return {each.title: each for each in say(matrix, find(matrix))}


def test_what_is_as_wanted_and_alike_is_not_said() -> None:
    assert not said(keys_cell("2.12.1-cpu"), keys_cell("2.13.0-cpu"))


def test_a_stale_result_is_said() -> None:
    stale = keys_cell("2.13.0-cpu", Outcome.FAIL, differ={"constant": STALE})
    found = said(keys_cell("2.12.1-cpu"), stale)
    (sentence,) = found.values()
    assert list(found) == ["caches on cpu: caches.keys[common], constant: not right"]
    assert sentence.text == "reused (fxgraph_cache hit) on 2.13.0."
    assert sentence.cells == (stale.id,)


def test_what_is_not_as_wanted_is_said() -> None:
    lost = keys_cell("2.13.0-cpu", same={"comment": MISS})
    (title,) = said(lost)
    assert title == (
        "caches on cpu: caches.keys[common], comment (to be used again): how it is reused"
    )


def test_builds_that_differ_are_told_apart_by_device() -> None:
    found = said(
        starts_cell("2.12.1-cpu", cut=MISS, whole=HIT),
        starts_cell("2.13.0-cpu", cut=HIT, whole=HIT),
        starts_cell("2.13.0-cuda", cut=RAISED, whole=HIT),
    )
    assert {title: each.text for title, each in found.items()} == {
        "caches on cpu: caches.portable, cut: how it is reused": (
            "compiled (fxgraph_cache miss) on 2.12.1; reused (fxgraph_cache hit) on 2.13.0."
        ),
        "caches on cuda: caches.portable, cut: not right": (
            "loading raises RuntimeError: no on 2.13.0 cuda."
        ),
    }


def test_the_table() -> None:
    cells = [
        keys_cell("2.12.1-cpu", differ={"constant": HIT}, free={"lora_buffer": STALE}),
        starts_cell("2.13.0-cpu", cut=RAISED),
    ]
    matrix = make_matrix(*cells)
    (section,) = show(matrix, find(matrix))
    hit = "fxgraph_cache hit"
    assert rows(section) == [
        ["asked", "about", "wanted", "2.12.1", "2.13.0"],
        ["caches.keys[common]", "constant", "not to be used", f"🟡 reused ({hit})", ""],
        ["caches.keys[common]", "comment", "to be used again", f"✅ reused ({hit})", ""],
        ["caches.keys[common]", "lora_buffer", "", f"❌ wrong, reused ({hit})", ""],
        ["caches.portable", "cut", "", "", "💥 loading raises RuntimeError: no"],
    ]

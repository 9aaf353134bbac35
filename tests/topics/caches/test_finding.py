"""What builds make of what was compiled before."""

from __future__ import annotations

from compat.runs.ids import BuildId
from compat.topics.caches.finding import OnBuild, Question, Wanted, find
from tests.topics.caches.cache_cells import HIT, MISS, RAISED, keys_cell, starts_cell
from tests.topics.cells import make_matrix


def test_what_is_wanted_of_each_question() -> None:
    old, new = keys_cell("2.12.1-cpu"), keys_cell("2.13.0-cpu", free={})
    start = starts_cell("2.13.0-cpu", whole=RAISED)
    check = "caches.keys[common]"
    both = (BuildId("2.12.1-cpu"), old), (BuildId("2.13.0-cpu"), new)
    assert find(make_matrix(old, new, start)).questions == (
        Question(
            check=check,
            name="constant",
            wanted=Wanted.NOT_REUSED,
            builds={build: OnBuild(again=MISS, cell=cell.id) for build, cell in both},
        ),
        Question(
            check=check,
            name="comment",
            wanted=Wanted.REUSED,
            builds={build: OnBuild(again=HIT, cell=cell.id) for build, cell in both},
        ),
        Question(
            check=check,
            name="lora_buffer",
            wanted=Wanted.EITHER,
            builds={BuildId("2.12.1-cpu"): OnBuild(again=HIT, cell=old.id)},
        ),
        Question(
            check="caches.portable",
            name="whole",
            wanted=Wanted.EITHER,
            builds={BuildId("2.13.0-cpu"): OnBuild(again=RAISED, cell=start.id)},
        ),
    )

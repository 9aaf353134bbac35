"""What is lost when a graph goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from compat.runs.answers import Change
from compat.topics.corpus.answers import ANSWERS
from tests.topics.corpus.corpus_cells import failed_run, make_run
from tests.topics.saying import changes


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"share": 1.01}, {"agrees": Change.LOST}),
        ({"share": None}, {"agrees": Change.LOST}),
        ({"draws": ("out of bounds",)}, {"agrees": Change.LOST}),
        ({"contract": ("strides",)}, {"contract": Change.LOST}),
        ({"share": 0.9, "max_abs": 1e-6, "seconds": 9.0}, {}),
    ],
)
def test_what_a_record_says(changed: dict[str, Any], expected: dict[str, Change]) -> None:
    assert changes(ANSWERS, make_run(), make_run(**changed)) == expected


def test_what_cannot_be_compiled() -> None:
    assert changes(ANSWERS, make_run(), failed_run()) == {
        "compiles": Change.LOST,
        "agrees": Change.UNKNOWN,
        "contract": Change.UNKNOWN,
        "failure": Change.CHANGED,
    }

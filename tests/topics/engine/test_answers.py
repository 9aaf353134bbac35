"""What the records of engines say."""

from __future__ import annotations

from compat.runs.answers import Change
from compat.topics.engine.answers import ANSWERS
from compat.topics.engine.records import Started
from tests.topics.engine.engine_cells import agreed, ran, restarted, spoken
from tests.topics.saying import changes, said_of


def test_a_setting_that_no_longer_says_the_same_is_a_loss() -> None:
    apart = agreed(bitwise=False, off=1e-6)
    assert changes(ANSWERS, agreed(), apart) == {"bitwise": Change.LOST}
    other = agreed(tokens=False, bitwise=False, off=0.5)
    assert changes(ANSWERS, apart, other) == {"tokens": Change.LOST}


def test_what_is_compiled_instead_of_loaded_is_worse() -> None:
    anew = restarted(compilations=3, asked=5, loads=0)
    assert changes(ANSWERS, restarted(), anew) == {
        "compilations": Change.WORSE,
        "asked": Change.CHANGED,
        "loads": Change.WORSE,
    }


def test_who_raised_says_nothing_of_what_it_loaded() -> None:
    raised = restarted(same=None, compilations=0, loads=0, hits=0, raised="EOFError: x")
    related = changes(ANSWERS, restarted(), raised)
    assert related.pop("raised") is Change.CHANGED
    assert set(related.values()) == {Change.UNKNOWN}


def test_seconds_and_memory_are_no_answers() -> None:
    slow = spoken(ran=ran(boot_s=400.0, first_s=9.0, rest_s=9.0, memory_gb=2.0))
    assert changes(ANSWERS, spoken(), slow) == {}


def test_other_tokens_and_numbers_are_told_by_request() -> None:
    other = spoken(
        tokens={"prefill": ((7,),), "decode": ((7, 9),)},
        chosen={"prefill": ((-1.0,),), "decode": ((-1.0, -2.5),)},
        bits="f",
    )
    assert changes(ANSWERS, spoken(), other) == {
        "tokens.decode": Change.CHANGED,
        "chosen.decode": Change.CHANGED,
        "bits": Change.CHANGED,
    }
    rounding = spoken(chosen={"prefill": ((-1.0,),), "decode": ((-1.0, -2.00001),)})
    assert changes(ANSWERS, spoken(), rounding) == {}


def test_which_extension_was_loaded_is_a_text() -> None:
    said = said_of(ANSWERS, Started(extensions=("_C.so",), patched=()))
    assert said["extensions"].value == "_C.so"
    assert said["patched"].value == "none"

"""What is lost or worse, and what only changes, of a private name."""

from __future__ import annotations

from compat.runs.answers import Change
from compat.runs.ids import AnswerId, CheckId
from compat.topics.surface.answers import ANSWERS
from compat.topics.surface.records import Config, Key, Name, Operator, Operators, Used
from tests.topics.saying import changes

THERE = Name(there=True, signature="function(path, format=…)", refused=())
GONE = Name(there=False, signature="", refused=())


def test_a_name_that_is_gone_is_lost() -> None:
    unknown = {"signature": Change.UNKNOWN, "refused": Change.UNKNOWN}
    assert changes(ANSWERS, THERE, GONE) == {"there": Change.LOST, **unknown}
    assert changes(ANSWERS, GONE, THERE) == {"there": Change.GAINED, **unknown}


def test_another_type_is_a_change() -> None:
    before = Name(there=True, signature="value of type _thread._local", refused=())
    after = Name(there=True, signature="value of type torch._guards._TLSStorage", refused=())
    assert changes(ANSWERS, before, after) == {"signature": Change.CHANGED}


def test_a_parameter_that_is_refused_is_worse() -> None:
    after = Name(there=True, signature="function(path)", refused=("format",))
    assert changes(ANSWERS, THERE, after) == {"signature": Change.CHANGED, "refused": Change.WORSE}


def test_what_is_not_known_is_no_loss() -> None:
    unknown = Name(there=None, signature="", refused=(), unknown="a threading.local holds it")
    assert set(changes(ANSWERS, THERE, unknown).values()) == {Change.UNKNOWN}


def test_a_name_of_a_subject_is_an_answer_of_its_own() -> None:
    before = Used(names={"torch._a.f": THERE, "torch._a.C._g": THERE, "torch._a.h": GONE})
    after = Used(names={"torch._a.f": THERE, "torch._a.C._g": GONE, "torch._a.h": THERE})
    found = changes(ANSWERS, before, after)
    assert found["there.torch._a.C._g"] is Change.LOST
    assert found["there.torch._a.h"] is Change.GAINED
    assert not any(name.endswith("torch._a.f") for name in found)


def test_a_key_that_is_gone_and_a_default_that_moves() -> None:
    def config(there: bool, default: str) -> Config:
        return Config(keys={"triton.cudagraphs": Key(there=there, default=default, subjects=())})

    assert changes(ANSWERS, config(True, "False"), config(True, "True")) == {
        "default.triton.cudagraphs": Change.CHANGED
    }
    gone = changes(ANSWERS, config(True, "False"), config(False, ""))
    assert gone["there.triton.cudagraphs"] is Change.LOST


def test_an_operator_that_is_gone_and_a_schema_that_changes() -> None:
    def operators(*schemas: str) -> Operators:
        found = Operator(there=bool(schemas), schemas=schemas, subjects=())
        return Operators(operators={"aten.sum": found})

    both = operators("aten::sum(Tensor x)", "aten::sum.names(Tensor x, Dimname[] d)")
    one = operators("aten::sum(Tensor x)")
    assert changes(ANSWERS, both, one) == {"schemas.aten.sum": Change.CHANGED}
    assert changes(ANSWERS, one, operators())["there.aten.sum"] is Change.LOST


def test_an_answer_is_found_by_its_id() -> None:
    check = CheckId("surface.used[torch._a]")
    answer = AnswerId.of(check, "there.torch._a.C._g")
    assert answer == "surface.used[torch._a].there.torch._a.C._g"
    assert (answer.check, answer.name) == (check, "there.torch._a.C._g")

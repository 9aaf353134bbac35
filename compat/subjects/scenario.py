"""Runs scenarios inside a build: ``python -m compat.subjects.scenario``.

A scenario is a path of a subject, a model, a range or a single size, a place, and whether to
compile or to load; its answer is one line of JSON. Importing some subjects changes torch and the
environment: each path has a process of its own, forked from one that has imported torch alone, and
each scenario one that is forked from the path's.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
import torch._inductor.config

from compat.probes.agreement import judge
from compat.probes.calls import Call as Returned
from compat.probes.driving import run_eagerly
from compat.probes.models import MODELS, make_input, make_model
from compat.runs.signature import signature_of, unwrapped
from compat.subjects.adapters import load_subject
from compat.subjects.driving import lacking
from compat.subjects.protocol import BrokenPathError, Driven, Json, PathSpec, Place, Seen, Subject
from compat.subjects.watching import missing_reads, names_of_torch, replaced, settle
from compat.worker.lifeline import die_with_parent
from compat.worker.patience import Bounds
from compat.worker.warm_up import warm_up

_FORK = multiprocessing.get_context("fork")

# The batch sizes that a range is to serve, and the one that is compiled for alone.
SIZES = (5, 8)
_SIZES: Mapping[str, int | None] = {"range": None, "single": 8}

_WARM_UP_S = 180
_IMPORT_S = 180
_SCENARIO_S = 180


class Action(str, Enum):
    """What a scenario does with the cache folder."""

    COMPILE = "compile"
    """Compile into it."""

    LOAD = "load"
    """Load what was compiled into it."""

    AGAIN = "again"
    """Ask for the same compilation once more: what it holds should serve it."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One model through one path of a subject.

    Attributes:
        subject: The name of its adapter.
        path: One of its paths.
        model: A key of :data:`compat.probes.models.MODELS`.
        size: The batch size to compile for alone; None for a range.
        place: Where to compile or load, seen from Dynamo.
        action: Compile or load.
        cache: Where everything is kept that this model, path and size leave.
    """

    subject: str
    path: str
    model: str
    size: int | None
    place: Place
    action: Action
    cache: Path


def run(scenario: Scenario, subject: Subject) -> Json:
    """Drive it in this process, compare with eager, and say what was seen.

    The subject is imported already. What it or torch raised is an answer, too.
    """
    model = make_model(scenario.model, torch.float32, "cpu")
    sizes = SIZES if scenario.size is None else (scenario.size,)
    batches = [make_input(size, torch.float32, "cpu", scenario.model) for size in sizes]
    keep_caches_below(scenario.cache)
    saved = scenario.cache / "saved.json"
    if lacks := lacking(subject.paths[scenario.path]):
        return {"unsupported": f"this build has no {', '.join(lacks)}"}
    if scenario.action is not Action.COMPILE and not saved.exists():
        return {"not_run": "what was to be compiled before was not"}
    try:
        driven = subject.drive(
            scenario.path,
            model,
            batches,
            scenario.cache,
            json.loads(saved.read_text()) if scenario.action is Action.LOAD else None,
            size=scenario.size,
            place=scenario.place,
        )
    except BrokenPathError as error:
        return _describe_error(error) | _describe_seen(error.seen, subject, scenario.path)
    if scenario.action is Action.COMPILE:
        saved.write_text(json.dumps(driven.saved))
    return _describe(driven, subject, scenario.path) | _compare(driven, scenario.model, batches)


def keep_caches_below(cache: Path) -> None:
    """Have torch, Triton and what goes by the home folder write below ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache / "inductor_cache")
    os.environ["TRITON_CACHE_DIR"] = str(cache / "triton_cache")
    os.environ["HOME"] = str(cache)


def import_subject(subject: Subject) -> tuple[str, ...]:
    """Import what :attr:`Subject.modules` lists; the names of torch that this replaced."""
    before = names_of_torch()
    for module in subject.modules:
        importlib.import_module(module)
    return replaced(before, names_of_torch())


def in_a_fork(timeout_s: float, function: Callable[..., Json], *arguments: Any) -> Json:
    """What ``function`` returns in a process of its own; how that ended where it says nothing."""
    here, there = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_answer, args=(there, function, *arguments))
    process.start()
    there.close()
    try:
        answer: Json = here.recv() if here.poll(timeout_s) else _ended("timeout", f"{timeout_s} s")
    except EOFError:
        process.join()
        answer = _ended("crash", f"ended with {process.exitcode}")
    process.kill()
    process.join()
    return answer


def _ended(kind: str, message: str) -> Json:
    return {"error": {"type": kind, "message": message}}


def run_path(subject: Subject, path: str, scenarios: Sequence[Scenario]) -> list[Json]:
    """Import the subject under the settings of ``path``, then run each scenario in a fork."""
    os.environ.update(subject.paths[path].environment)
    keep_caches_below(scenarios[0].cache)
    started = perf_counter()
    try:
        patched = import_subject(subject)
    except Exception as error:  # noqa: BLE001  (it is the answer for all of them)
        return [asdict(scenario) | _describe_error(error) for scenario in scenarios]
    imported = {"patched_at_import": patched, "import_s": round(perf_counter() - started, 2)}
    answers = []
    for scenario in scenarios:
        started = perf_counter()
        answer = in_a_fork(_SCENARIO_S, run, scenario, subject)
        seconds = round(perf_counter() - started, 2)
        answers.append(asdict(scenario) | imported | answer | {"process_s": seconds})
    return answers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m compat.subjects.scenario", description=__doc__)
    parser.add_argument("--subject", required=True, help="the name of an adapter")
    parser.add_argument("--version", default="", help="the release that lies beside the build")
    parser.add_argument("--file", default="", help="the backend of the subject mine")
    parser.add_argument("--path", nargs="*", default=[], help="all of the subject's when left out")
    parser.add_argument("--model", nargs="+", default=["mlp"], choices=MODELS)
    parser.add_argument("--size", nargs="+", default=list(_SIZES), choices=_SIZES)
    parser.add_argument("--place", nargs="+", default=[*Place], type=Place)
    parser.add_argument("--action", nargs="+", default=[*Action], type=Action)
    parser.add_argument("--cache", type=Path, required=True, help="a folder to keep artifacts in")
    arguments = parser.parse_args()
    subject = load_subject(arguments.subject, arguments.version, arguments.file)
    # A pool of threads does not survive a fork.
    torch._inductor.config.compile_threads = 1
    warm_up("cpu", Bounds.of(_WARM_UP_S))
    settle()
    for path in arguments.path or subject.paths:
        scenarios = list(_scenarios(arguments, path, subject.paths[path]))
        if not scenarios:
            continue
        answers = in_a_fork(
            _IMPORT_S + _SCENARIO_S * len(scenarios), run_path, subject, path, scenarios
        )
        for answer in answers if isinstance(answers, list) else [answers]:
            print(json.dumps(answer | {"torch": torch.__version__}, default=str), flush=True)
    return 0


def _scenarios(arguments: argparse.Namespace, path: str, spec: PathSpec) -> Iterator[Scenario]:
    """All combinations that the path allows; each compiles before it loads."""
    for model, size, place, action in itertools.product(
        arguments.model, arguments.size, arguments.place, arguments.action
    ):
        allowed = spec.places if size == "range" else spec.single
        if action is Action.LOAD:
            allowed &= spec.loads if spec.saves else frozenset()
        if place not in allowed:
            continue
        yield Scenario(
            subject=arguments.subject,
            path=path,
            model=model,
            size=_SIZES[size],
            place=place,
            action=action,
            cache=(arguments.cache / f"{path}-{model}-{size}-{place.value}").resolve(),
        )


def _answer(connection: Connection, function: Callable[..., Json], *arguments: Any) -> None:
    die_with_parent()
    # What a subject prints is not the answer.
    os.dup2(2, 1)
    connection.send(function(*arguments))


def _describe(driven: Driven, subject: Subject, path: str) -> Json:
    seen = _describe_seen(driven.seen, subject, path)
    return seen | {"first_s": round(driven.seconds, 2), "saved": driven.saved}


def _describe_seen(seen: Seen, subject: Subject, path: str) -> Json:
    gates = {
        name: verdict.value
        for name, feature in subject.features.items()
        if path in feature.paths and (verdict := seen.verdict(feature)) is not None
    }
    return {"seen": asdict(seen), "compilations": seen.compilations, "gates": gates}


def _compare(driven: Driven, model: str, batches: list[torch.Tensor]) -> Json:
    """Against eager and float64; a subject holds its own copy of what an output could alias."""
    reference = run_eagerly(make_model(model, torch.float32, "cpu"), batches)
    returned = [Returned(output) for output in driven.outputs]
    seen = judge(returned, reference, left_out=("aliasing",))
    return {"max_abs": seen.max_abs, "contract": seen.contract, "agrees": seen.agrees}


def _describe_error(error: Exception) -> Json:
    broke = unwrapped(error)
    return {
        "error": {
            "type": type(broke).__name__,
            "message": str(broke).partition("\n")[0],
            "signature": signature_of(error),
        },
        "missing": missing_reads(error),
    }


if __name__ == "__main__":
    sys.exit(main())

"""Runs scenarios inside a build: ``python -m compat.subjects.scenario``.

A scenario is a path of a subject, a model, a range or a single size, a place, and whether to
compile or to load. Each has a process of its own, forked from one that has imported torch alone:
importing some subjects changes torch and the environment. Each prints one line of JSON.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
import torch._dynamo
import torch._inductor.compile_fx

from compat.probes.agreement import TOLERANCES, as_outputs, difference
from compat.probes.models import MODELS, make_input, make_model
from compat.runs.signature import signature_of, unwrapped
from compat.subjects.adapters import load_subject
from compat.subjects.protocol import Driven, Json, PathSpec, Place, Subject
from compat.subjects.watching import missing_reads, names_of_torch, replaced

_FORK = multiprocessing.get_context("fork")

# What the range serves, and the size that is compiled for alone.
SIZES = (5, 8)
SINGLE_SIZE = 8


class Action(str, Enum):
    """What a scenario does with the cache folder."""

    COMPILE = "compile"
    """Compile into it; if it holds the same already, that is served from the cache."""

    LOAD = "load"
    """Load what was compiled into it."""


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

    Never raises for what the subject or torch raised: that is what was asked.
    """
    spec = subject.paths[scenario.path]
    prepare(spec, scenario.cache)
    model = make_model(scenario.model, torch.float32, "cpu")
    sizes = SIZES if scenario.size is None else (scenario.size,)
    batches = [make_input(size, torch.float32, "cpu", scenario.model) for size in sizes]
    saved_file = scenario.cache / "saved.json"
    seen: dict[str, Any] = {}
    started = perf_counter()
    try:
        seen["patched_at_import"] = import_subject(subject)
        seen["import_s"] = round(perf_counter() - started, 2)
        driven = subject.drive(
            scenario.path,
            model,
            batches,
            scenario.cache,
            json.loads(saved_file.read_text()) if scenario.action is Action.LOAD else None,
            size=scenario.size,
            place=scenario.place,
        )
        if scenario.action is Action.COMPILE:
            saved_file.write_text(json.dumps(driven.saved))
        return seen | _describe(driven, subject, spec) | _compare(driven, scenario.model, batches)
    except Exception as error:  # noqa: BLE001  (it is the answer)
        return seen | {"error": _describe_error(error), "missing": missing_reads(error)}


def prepare(spec: PathSpec, cache: Path) -> None:
    """Set what must be set before a subject is imported; all caches lie below ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
    os.environ.update(spec.environment)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache / "inductor_cache")
    os.environ["TRITON_CACHE_DIR"] = str(cache / "triton_cache")
    os.environ["HOME"] = str(cache)


def import_subject(subject: Subject) -> tuple[str, ...]:
    """Import what :attr:`Subject.modules` lists; the names of torch that this replaced."""
    before = names_of_torch()
    for module in subject.modules:
        importlib.import_module(module)
    return replaced(before, names_of_torch())


def in_a_fork(scenario: Scenario, subject: Subject) -> Json:
    """What :func:`run` says in a process of its own; how that ended where it says nothing."""
    here, there = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_answer, args=(there, scenario, subject))
    process.start()
    there.close()
    try:
        answer = here.recv()
    except EOFError:
        answer = {}
    process.join()
    return answer or {"error": {"type": "crash", "message": f"ended with {process.exitcode}"}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m compat.subjects.scenario", description=__doc__)
    parser.add_argument("--subject", required=True, help="the name of an adapter")
    parser.add_argument("--version", default="", help="the release that lies beside the build")
    parser.add_argument("--file", default="", help="the backend of the subject mine")
    parser.add_argument("--path", nargs="*", default=[], help="all of the subject's when left out")
    parser.add_argument("--model", nargs="+", default=["mlp"], choices=MODELS)
    parser.add_argument("--size", nargs="+", default=["range", "single"], choices=["range", "single"])
    parser.add_argument("--place", nargs="+", default=[*Place], type=Place)
    parser.add_argument("--action", nargs="+", default=[*Action], type=Action)
    parser.add_argument("--cache", type=Path, required=True, help="a folder to keep artifacts in")
    arguments = parser.parse_args()
    subject = load_subject(arguments.subject, arguments.version, arguments.file)
    for scenario in _scenarios(arguments, subject):
        started = perf_counter()
        answer = in_a_fork(scenario, subject)
        seconds = round(perf_counter() - started, 2)
        named = {**asdict(scenario), "cache": str(scenario.cache)}
        print(json.dumps({**named, "torch": torch.__version__, **answer, "process_s": seconds}))
        sys.stdout.flush()
    return 0


def _scenarios(arguments: argparse.Namespace, subject: Subject) -> Iterator[Scenario]:
    """All combinations that the paths allow, the compiling one of each first."""
    for path, model, size, place, action in itertools.product(
        arguments.path or subject.paths,
        arguments.model,
        arguments.size,
        arguments.place,
        arguments.action,
    ):
        spec = subject.paths[path]
        if place not in spec.places:
            continue
        if action is Action.LOAD and not (spec.saves and place in spec.loads):
            continue
        yield Scenario(
            subject=arguments.subject,
            path=path,
            model=model,
            size=SINGLE_SIZE if size == "single" else None,
            place=place,
            action=action,
            cache=(arguments.cache / f"{path}-{model}-{size}-{place.value}").resolve(),
        )


def _answer(connection: Connection, scenario: Scenario, subject: Subject) -> None:
    # What a subject prints is not the answer.
    os.dup2(2, 1)
    connection.send(run(scenario, subject))


def _describe(driven: Driven, subject: Subject, spec: PathSpec) -> Json:
    verdicts = {
        name: verdict.value
        for name, feature in subject.features.items()
        if (verdict := driven.seen.verdict(feature)) is not None
    }
    return {
        "seen": asdict(driven.seen),
        "compilations": driven.seen.compilations,
        "gates": verdicts,
        "first_s": round(driven.seconds, 2),
        "saved": driven.saved,
    }


def _compare(driven: Driven, model: str, batches: list[torch.Tensor]) -> Json:
    reference = make_model(model, torch.float32, "cpu")
    with torch.no_grad():
        expected = [reference(batch) for batch in batches]
    same_kind = [type(got) is type(wanted) for got, wanted in zip(driven.outputs, expected)]
    off = difference(
        [tensor for output in driven.outputs for tensor in as_outputs(output)],
        [tensor for output in expected for tensor in as_outputs(output)],
        TOLERANCES[torch.float32],
    )
    return {"max_abs": off.max_abs, "agrees": off.within_tolerance and all(same_kind)}


def _describe_error(error: BaseException) -> Json:
    broke = unwrapped(error)
    return {
        "type": type(broke).__name__,
        "message": str(broke).partition("\n")[0],
        "signature": signature_of(error),
    }


if __name__ == "__main__":
    sys.exit(main())

"""Does what was compiled with gradients on train: here, and where it is loaded again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from compat.interface.compilers import StandaloneCompiler
from compat.interface.shapes import LARGEST, CompileRange
from compat.probes.agreement import STRUCTURE, contract_differences, judge
from compat.probes.calls import Call, pack, unpack
from compat.probes.conftest import DiedError, FreshProcess, RaisedError, Record, Require
from compat.probes.driving import PATHS, initialized
from compat.probes.parity import NEEDS
from compat.probes.training import (
    LESSONS,
    Captured,
    capture_lesson,
    once,
    reference,
    step,
    told,
    twice,
)
from compat.runs.signature import signature_of
from compat.topics.training.records import NOT_ASKED, RIGHT, Kept, Trained

FORMATS = {
    "compile_fx": (),
    "standalone": ("unpacked", "binary"),
    "donated": ("binary",),
    "aot": ("binary",),
}
# Of these alone the default depth asks: none of them costs a C++ compiler much time.
DEFAULT = {
    ("matmul", "standalone"),
    ("function", "standalone"),
}

CASES = [
    pytest.param(lesson, path, marks=() if (lesson, path) in DEFAULT else pytest.mark.full)
    for lesson in LESSONS
    for path in FORMATS
]


@pytest.mark.parametrize(("lesson", "path"), CASES)
def test_step(
    lesson: str,
    path: str,
    fresh_process: FreshProcess,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """What a path compiles with gradients on gives eager's outputs and gradients.

    So does what a new process loads. Whether it can be saved, before or after its first step, may
    be run back twice, or called without gradients, is recorded.
    """
    if path in NEEDS:
        require(NEEDS[path])
    captured = capture_lesson(lesson, device)
    compiler = initialized(PATHS[path](), tmp_path)
    compiler.initialize_cache(tmp_path, disable_cache=True)
    every = CompileRange(1, LARGEST)
    stage, early = "compile", dict.fromkeys(FORMATS[path], NOT_ASKED)
    try:
        compiled, _ = compiler.compile(captured.graph, captured.inputs, every, key="graph")
        early = {name: save(compiled, name, tmp_path / f"early-{name}") for name in early}
        stage = "step"
        trained = step(compiled, captured.take(), backward=once)
    except Exception as error:  # noqa: BLE001  (that it runs is an answer)
        failure = f"{stage}: {signature_of(error)}"
        kept = {
            name: Kept(saved_at_once=said, saved_later=NOT_ASKED, loaded=NOT_ASKED)
            for name, said in early.items()
        }
        record(Trained(failure=failure, kept=kept))
        return
    late = {name: save(compiled, name, tmp_path / f"late-{name}") for name in early}
    kept = {
        name: Kept(
            saved_at_once=early[name],
            saved_later=late[name],
            loaded=load_elsewhere(
                fresh_process,
                lesson,
                name,
                device,
                tmp_path,
                {"early": early[name], "late": late[name]},
            ),
        )
        for name in early
    }
    seen = judge((trained,), reference(LESSONS[lesson], captured, trained, backward=once))
    record(
        Trained(
            failure="",
            share=max(seen.ratio, seen.bias_ratio, seen.element_ratio),
            contract=seen.contract,
            requires_grad=" ".join(
                "yes" if each.requires_grad else "no" for each in Call(trained.result[0]).tensors
            ),
            retained=retained(lesson, captured, compiled),
            without_gradients=without_gradients(lesson, captured, compiled),
            kept=kept,
        )
    )
    assert max(seen.ratio, seen.bias_ratio, seen.element_ratio) <= 1, f"a step is {seen}"
    for name, each in kept.items():
        assert not each.loaded.startswith(("wrong", "died")), f"{name}, loaded: {each.loaded}"


def save(compiled: Any, name: str, path: Path) -> str:
    """``right``, or why it is refused."""
    try:
        compiled.save(path=str(path), format=name)
    except Exception as error:  # noqa: BLE001  (that it can be saved is an answer)
        return signature_of(error)
    return RIGHT


def retained(lesson: str, captured: Captured, compiled: Callable[..., Any]) -> str:
    return attempted(lesson, captured, lambda: step(compiled, captured.take(), backward=twice))


def without_gradients(lesson: str, captured: Captured, compiled: Callable[..., Any]) -> str:
    """Whether the outputs are right that need no gradient, and none does."""
    if LESSONS[lesson].replay:
        return NOT_ASKED
    try:
        with torch.no_grad():
            returned = list(compiled(*captured.take()))
            wanted = list(captured.graph(*captured.take()))
    except Exception as error:  # noqa: BLE001  (that it runs is an answer)
        return signature_of(error)
    got = Call(returned).tensors
    if STRUCTURE in contract_differences(Call(returned), Call(wanted)):
        return f"wrong: {STRUCTURE}"
    if not all(map(torch.allclose, got, Call(wanted).tensors)):
        return "wrong: other numbers"
    needing = sum(each.requires_grad for each in got)
    held = sum(each.requires_grad for each in Call(wanted).tensors)
    return RIGHT if needing == held else f"{needing} outputs need a gradient, eager's {held}"


def attempted(lesson: str, captured: Captured, steps: Callable[[], Call]) -> str:
    """``right``, what is wrong with a step of two ways back, or a signature."""
    try:
        call = steps()
    except Exception as error:  # noqa: BLE001  (that it runs is an answer)
        return signature_of(error)
    return told(call, lesson, captured, twice)


def load_elsewhere(
    fresh_process: FreshProcess,
    lesson: str,
    name: str,
    device: str,
    folder: Path,
    saved: Mapping[str, str],
) -> str:
    """What a step of a new process gives with what was saved first."""
    which = next((when for when, said in saved.items() if said == RIGHT), None)
    if which is None:
        return NOT_ASKED
    try:
        packed = fresh_process(load, lesson, name, device, folder, folder / f"{which}-{name}")
    except DiedError as error:
        return f"died: {error.exit_code}"
    except RaisedError as error:
        return error.signature
    (call,) = unpack(packed)
    return told(call, lesson, capture_lesson(lesson, device), once)


def load(lesson: str, name: str, device: str, folder: Path, path: Path) -> bytes:
    """A step with what was saved, packed."""
    captured = capture_lesson(lesson, device)
    compiler = initialized(StandaloneCompiler(), folder)
    loaded = compiler.load(("graph", str(path)), captured.graph, captured.inputs)
    return pack(_detached(step(loaded, captured.take(), backward=once)))


def _detached(call: Call) -> Sequence[Call]:
    """Without the graph that led there, which no other process can have."""
    returned, inputs, gradients = call.result
    return (Call((list(map(_bare, returned)), list(map(_bare, inputs)), gradients)),)


def _bare(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    return value.detach().requires_grad_(value.requires_grad)

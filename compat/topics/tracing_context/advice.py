"""Whether hiding Dynamo's tracing context can go, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compat.runs.ids import BuildId
from compat.topics.inputs import finding as inputs
from compat.topics.matrix import Matrix
from compat.topics.topic import Advice, AdviceKind
from compat.topics.tracing_context.finding import TracingContext, cost_on
from compat.topics.tracing_context.view import say_cost
from compat.topics.words import labels, not_needed

ABOUT = "hiding Dynamo's tracing context"


def advise(matrix: Matrix, found: TracingContext, builds: Sequence[BuildId]) -> Iterable[Advice]:
    """For a downstream that supports all of ``builds``."""
    lines = [line for line in found.lines if line.needed.keys() & set(builds)]
    if not lines:
        return
    kind, said = _advise(found, builds)
    cells = [cell for line in lines for cell in line.cells]
    if kind is AdviceKind.CAN_GO:
        cost = cost_on(builds, inputs.find(matrix))
        said = " ".join([said, *say_cost(found, cost)])
        cells += cost.cells
    yield Advice(kind=kind, about=ABOUT, text=said, cells=tuple(cells))


def _advise(found: TracingContext, builds: Sequence[BuildId]) -> tuple[AdviceKind, str]:
    known = {build: each for line in found.lines for build, each in line.needed.items()}
    needed = [build for build in builds if known.get(build)]
    unknown = [build for build in builds if known.get(build) is None]
    if needed:
        text = f"Without it compile_fx fails inside Dynamo's context on {labels(needed)}."
        return AdviceKind.STILL_NEEDED, text
    if unknown:
        return AdviceKind.UNKNOWN, f"Nothing is known of {labels(unknown)}."
    if again := _again(found, builds):
        return AdviceKind.STILL_NEEDED, f"No such build needs it, but {labels(again)} does again."
    controls = [build for build, each in known.items() if each]
    if bare := [b for b in builds if b.line not in {control.line for control in controls}]:
        text = (
            f"{labels(bare)} work without it, and no build of their device and Python needs it, so "
            "nothing shows that the probe can see the failure there."
        )
        return AdviceKind.UNKNOWN, text
    return AdviceKind.CAN_GO, not_needed(controls, found.rests)


def _again(found: TracingContext, builds: Sequence[BuildId]) -> list[BuildId]:
    """Builds that need it and are newer than one of these that does not."""
    again = []
    for line in found.lines:
        order = list(line.needed)
        own = [order.index(build) for build in builds if build in line.needed]
        again += [build for build in line.those(True) if own and order.index(build) > min(own)]
    return again

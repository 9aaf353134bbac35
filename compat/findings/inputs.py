"""What hiding Dynamo's tracing context from compile_fx buys, and what it costs."""

from __future__ import annotations

from compat.findings.lookup import cells_of
from compat.findings.model import Sentence
from compat.runs.model import Build, Cell, Run

PROBE = "context_inputs.inputs"
UNHIDDEN = "none"
# What vLLM ships; the others do the same, or ``tracing_context.strategy`` says so.
HIDDEN = "tls"


def say_inputs(run: Run) -> list[Sentence]:
    """One sentence for all builds on which hiding the context does the same."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    cells: dict[tuple[str, str, str], list[str]] = {}
    for build in run.builds:
        unhidden, hidden = (_by_inputs(run, build, way) for way in (UNHIDDEN, HIDDEN))
        if not unhidden or unhidden.keys() != hidden.keys():
            continue
        gained = sorted({key[0] for key in hidden if _takes(hidden[key], unhidden[key])})
        lost = sorted({key[0] for key in hidden if _takes(unhidden[key], hidden[key])})
        touched = sorted({name for cell in unhidden.values() for name in cell.metrics["leaks"]})
        key = (", ".join(gained), ", ".join(lost), ", ".join(touched))
        groups.setdefault(key, []).append(build.label)
        cells.setdefault(key, []).extend(
            cell.id for each in (unhidden, hidden) for cell in each.values()
        )
    return [
        Sentence(
            title=f"tracing context: what hiding it does on {', '.join(labels)}",
            text=f"Inputs that compile_fx takes only then: {gained or 'none'}. Inputs that it then "
            f"refuses: {lost or 'none'}. What it otherwise changes in Dynamo's own context: "
            f"{touched or 'nothing'}.",
            cells=tuple(cells[gained, lost, touched]),
        )
        for (gained, lost, touched), labels in groups.items()
    ]


def _by_inputs(run: Run, build: Build, way: str) -> dict[tuple[str, str], Cell]:
    return {
        (cell.params["inputs"], cell.params["batch"]): cell
        for cell in cells_of(run, build, PROBE, way=way)
        if "compiles" in cell.metrics
    }


def _takes(one: Cell, other: Cell) -> bool:
    """Whether the inputs compile the first way and not the second."""
    return bool(one.metrics["compiles"]) and not other.metrics["compiles"]

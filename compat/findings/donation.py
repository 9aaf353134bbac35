"""What donating the graph saves: copies, seconds, memory."""

from __future__ import annotations

from collections.abc import Mapping

from compat.findings.lookup import cells_of
from compat.findings.model import Sentence
from compat.runs.model import Cell, Run

TIME = "donation_cost.time"
MEMORY = "donation_cost.memory"
AFTERWARDS = "donation.afterwards"


def say_copies(run: Run) -> list[Sentence]:
    """How many copies of the graph donation saves, where both ways were counted."""
    copies = {
        (cell.build, cell.device, cell.params["path"]): cell
        for cell in run.cells
        if cell.probe == "donation.copies" and "copies" in cell.metrics
    }
    groups: dict[tuple[int, int], list[str]] = {}
    cells: list[str] = []
    for build in run.builds:
        kept = copies.get((build.id, build.device.kind, "standalone"))
        donated = copies.get((build.id, build.device.kind, "donated"))
        if kept and donated:
            saved = (kept.metrics["copies"], donated.metrics["copies"])
            groups.setdefault(saved, []).append(build.label)
            cells += [kept.id, donated.id]
    return [
        Sentence(
            title=f"donation: {before} → {after} copies of the graph",
            text=f"With donate_graph_module=True standalone_compile copies the graph {after} times "
            f"instead of {before} on {', '.join(labels)}.",
            cells=tuple(cells),
        )
        for (before, after), labels in groups.items()
    ]


def say_cost(run: Run) -> list[Sentence]:
    """What was measured on the newest build that has donation."""
    for build in reversed(run.builds):
        times = [cell for cell in cells_of(run, build, TIME) if "copy_s" in cell.metrics]
        memory = [cell for cell in cells_of(run, build, MEMORY) if "kept_mb" in cell.metrics]
        if times or memory:
            return [
                Sentence(
                    title=f"donation: what it saves on {build.label}",
                    text=" ".join([*map(_say_time, times), *map(_say_memory, memory)]),
                    cells=tuple(cell.id for cell in (*times, *memory)),
                )
            ]
    return []


def _say_time(cell: Cell) -> str:
    seen = cell.metrics
    copy = f"Copying a graph of {cell.params['nodes']} nodes takes {seen['copy_s']:.3g} s"
    if seen["interval_s"] is None:
        return f"{copy}, compiling it {seen['compile_s']:.3g} s."
    if not seen["measurable"]:
        return f"{copy}; compiling it, {seen['compile_s']:.3g} s, shows no measurable difference."
    low, high = seen["interval_s"]
    whole = f"compiling it, {seen['compile_s']:.3g} s, gets shorter by"
    return f"{copy}; {whole} {low:.3g} to {high:.3g} s."


def _say_memory(cell: Cell) -> str:
    seen = cell.metrics
    return (
        f"Compiling a module that owns {seen['buffer_mb']} MB of buffers raises the peak memory by "
        f"{seen['kept_mb']} MB, and by {seen['donated_mb']} MB when it is donated."
    )


def say_donor(run: Run) -> list[Sentence]:
    """What may be done with a graph after it was donated, one sentence for all alike builds."""
    groups: dict[tuple[str, str], list[str]] = {}
    cells: dict[tuple[str, str], list[str]] = {}
    for build in run.builds:
        seen = [
            cell
            for cell in cells_of(run, build, AFTERWARDS, flag="donated")
            if "works" in cell.metrics and cell.metrics["works_before"]
        ]
        uses = dict.fromkeys(cell.params["use"] for cell in seen)
        works = {
            use: all(cell.metrics["works"] for cell in seen if cell.params["use"] == use)
            for use in uses
        }
        if not works:
            continue
        key = (_listed(works, True), _listed(works, False))
        groups.setdefault(key, []).append(build.label)
        cells.setdefault(key, []).extend(cell.id for cell in seen)
    return [
        Sentence(
            title=f"donation: the graph afterwards on {', '.join(labels)}",
            text=f"What still works with a graph that was donated: {fits or 'nothing'}. What no "
            f"longer does: {breaks or 'nothing of what was tried'}.",
            cells=tuple(cells[fits, breaks]),
        )
        for (fits, breaks), labels in groups.items()
    ]


def _listed(works: Mapping[str, bool], verdict: bool) -> str:
    return ", ".join(use for use, fits in works.items() if fits is verdict)

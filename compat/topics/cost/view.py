"""Cost in words, tables and charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from compat.document.parts import Chart, Code, Drawing, Section, Sentence, Spread, Table, Text
from compat.runs.answers import Change
from compat.runs.ids import BuildId
from compat.topics.cost.answers import CALLS
from compat.topics.cost.finding import Cost, Step
from compat.topics.cost.records import CompileTime, PathTime, Work
from compat.topics.matrix import Matrix
from compat.topics.words import glyphs, labels, unmeasured


def say(_: Matrix, cost: Cost) -> Iterable[Sentence]:
    """Where compiling began to take more or less work; else, how much at most."""
    lines: dict[tuple[str, str], list[Step]] = {}
    for step in cost.steps:
        lines.setdefault(step.after.line, []).append(step)
    for steps in lines.values():
        if moved := [step for step in steps if step.change is not Change.SAME]:
            yield from _say_moved(moved)
        else:
            yield _say_steady(steps)


def _say_moved(steps: Sequence[Step]) -> Iterable[Sentence]:
    between: dict[tuple[BuildId, BuildId, Change], list[Step]] = {}
    for step in steps:
        between.setdefault((step.before, step.after, step.change), []).append(step)
    for (before, after, change), those in between.items():
        much = "more" if change is Change.WORSE else "less"
        text = "; ".join(
            f"{step.ratio:.2g} times as many on {_where(step)}, {step.calls:,} instead of "
            f"{step.calls_before:,}"
            for step in those
        )
        yield Sentence(
            title=f"cost: compiling takes {much} work on {after.label} than on {before.label}",
            text=f"Calls of Python functions: {text}.",
            cells=tuple(cell for step in those for cell in step.cells),
        )


def _say_steady(steps: Sequence[Step]) -> Sentence:
    most = max(steps, key=lambda step: max(step.ratio, 1 / step.ratio))
    builds = dict.fromkeys(build for step in steps for build in (step.before, step.after))
    return Sentence(
        title=f"cost: compiling takes about as much work on {labels(builds)}",
        text=f"From one build to the next the calls of Python functions change by less than "
        f"{CALLS.noise:.0%}: the most from {most.before.label} to {most.after.label}, "
        f"{most.ratio:.2f} times as many on {_where(most)}.",
        cells=tuple(dict.fromkeys(cell for step in steps for cell in step.cells)),
    )


def _where(step: Step) -> str:
    return f"{step.path} ({_graph(step.layers)})"


def _graph(layers: str) -> str:
    return f"{layers} MLP" if layers == "1" else f"{layers} MLPs"


def show(matrix: Matrix, _: Cost) -> Iterable[Section]:
    """What was counted, by graph and path, and what was timed on a GPU."""
    yield Section(
        title="Cost",
        intro="The work of one compilation in fresh caches, without Dynamo's part and once "
        "everything is imported: how many Python functions it calls, which is the same each time, "
        "and, where the machine lets torch count them, how many instructions it executes.",
        tables=[
            _work_table(matrix, "calls", lambda seen: seen.calls),
            _work_table(matrix, "instructions", lambda seen: seen.instructions),
        ],
    )
    yield Section(
        title="Compile time on the GPU",
        intro="Seconds to capture, compile and first run a transformer block in fresh caches, the "
        "paths in turns. They are information and turn nothing red.",
        tables=[_time_table(matrix)],
    )


def _work_table(matrix: Matrix, what: str, take: Callable[[Work], int | None]) -> Table:
    """Graph and path × build; without rows where nothing was counted."""
    builds = [build.id for build in matrix.builds if matrix.seen(Work, build.id)]
    rows: list[Sequence[Text]] = []
    for layers in matrix.values(Work, "layers"):
        for path in matrix.values(Work, "path"):
            seen = [matrix.seen(Work, build, layers=layers, path=path) for build in builds]
            known = [
                [take(each.record) for each in cells if each.record is not None] for cells in seen
            ]
            if any(value is not None for values in known for value in values):
                shown = [
                    ", ".join(f"{value:,}" for value in values if value is not None)
                    or glyphs(each.cell for each in cells if each.record is None)
                    for values, cells in zip(known, seen, strict=True)
                ]
                rows.append([_graph(layers), Code(path), *shown])
    return Table(headers=["graph", f"{what}, on", *builds], rows=rows)


def _time_table(matrix: Matrix) -> Table:
    rows: list[Sequence[Text]] = [
        [
            build.label,
            Code(time.path),
            f"{time.median_s:.2f}",
            f"{time.min_s:.2f} to {time.max_s:.2f}",
            str(time.repeats),
            str(hits),
        ]
        for build, time, hits in _timed(matrix)
    ]
    headers = ["build", "path", "median s", "least to most s", "repeats", "cache hits"]
    return Table(headers=headers, rows=rows)


def _timed(matrix: Matrix) -> list[tuple[BuildId, PathTime, int]]:
    """By build and path, in the order of the run; and how often a cache had something."""
    return [
        (build.id, time, record.hits)
        for build in matrix.builds
        for record in matrix.records(CompileTime, build.id)
        for time in record.paths
    ]


def draw(matrix: Matrix, _: Cost) -> Iterable[Chart]:
    """Calls by path and build; on a GPU, seconds too."""
    for line in dict.fromkeys(build.id.line for build in matrix.builds):
        yield _draw_calls(matrix, line)
    yield _draw_time(matrix)


def _draw_calls(matrix: Matrix, line: tuple[str, str]) -> Chart:
    device, python = line
    builds = [
        build.id
        for build in matrix.builds
        if build.id.line == line and matrix.records(Work, build.id)
    ]
    found = {
        (build, seen.cell.params.get("path", ""), seen.cell.params.get("layers", "")): seen.record
        for build in builds
        for seen in matrix.seen(Work, build)
        if seen.record is not None
    }
    ways = dict.fromkeys((path, layers) for _, path, layers in found)
    series = {
        f"{path}, {_graph(layers)}": [
            float(record.calls) if (record := found.get((build, path, layers))) else None
            for build in builds
        ]
        for path, layers in ways
    }
    rows: list[Sequence[Text]] = [
        [build.label, Code(path), _graph(layers), f"{record.calls:,}"]
        for (build, path, layers), record in found.items()
    ]
    return Chart(
        title=f"Work of one compilation: {device}" + (f", Python {python}" if python else ""),
        text="How many Python functions one compilation calls, by path and by the size of the "
        f"graph: the same each time on one build.{unmeasured(matrix, line, builds)}",
        drawing=Drawing.LINES,
        labels=[build.label for build in builds],
        series=series,
        unit="calls",
        table=Table(headers=["build", "path", "graph", "calls"], rows=rows),
    )


def _draw_time(matrix: Matrix) -> Chart:
    timed = _timed(matrix)
    found = {(build, time.path): time for build, time, _ in timed}
    builds = list(dict.fromkeys(build for build, _ in found))
    paths = dict.fromkeys(path for _, path in found)
    series = {
        path: [
            Spread(value=time.median_s, low=time.min_s, high=time.max_s)
            if (time := found.get((build, path)))
            else None
            for build in builds
        ]
        for path in paths
    }
    return Chart(
        title="Compile time on the GPU, by path",
        text="Seconds to capture, compile and first run a transformer block in fresh caches: the "
        "median of several, with the least and the most."
        + unmeasured(matrix, ("cuda", ""), builds),
        drawing=Drawing.BARS,
        labels=[build.label for build in builds],
        series=series,
        unit="seconds",
        table=_time_table(matrix),
    )

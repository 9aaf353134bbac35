"""What a run measured, drawn: each chart is an SVG without style or script, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compat.findings.donation import MEMORY, TIME
from compat.findings.drift import NOISE
from compat.findings.lookup import cells_of
from compat.findings.model import DriftFinding, Findings
from compat.report.drawing import bars, lines, short
from compat.runs.model import Cell, Run


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One drawing.

    Attributes:
        text: How to read it.
        svg: The drawing; empty where there is nothing to draw.
        headers: Of the table with the same numbers.
        rows: Of the table, as text.
    """

    title: str
    text: str
    svg: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


def charts(run: Run, findings: Findings) -> list[Chart]:
    """The charts that this run has numbers for."""
    found = [
        _compile_time(run),
        *(_graph_time(run, device) for device in _devices(run)),
        *(_memory(run, probe, where) for probe, where in _MEMORY_PROBES.items()),
        _drift(findings.drift),
    ]
    return [chart for chart in found if chart.svg]


_MEMORY_PROBES = {MEMORY: "the process", "cuda.donation_memory": "the GPU"}


def _compile_time(run: Run) -> Chart:
    """Seconds by path and build, on a GPU."""
    seen = {
        build.label: {
            path: values
            for cell in cells_of(run, build, "cuda.compile_time")
            for path, values in cell.metrics.items()
            if isinstance(values, Mapping)
        }
        for build in run.builds
    }
    seen = {label: paths for label, paths in seen.items() if paths}
    paths = list(dict.fromkeys(path for each in seen.values() for path in each))
    series = {
        path: [
            {
                "value": each[path]["median_s"],
                "ci": {"low": each[path]["min_s"], "high": each[path]["max_s"]},
            }
            if path in each
            else None
            for each in seen.values()
        ]
        for path in paths
    }
    return Chart(
        title="Compile time on the GPU, by path",
        text="Seconds to capture, compile and first run a transformer block in fresh caches: the "
        "median of several, with the least and the most.",
        svg=bars(list(seen), series, "seconds"),
        headers=("build", "path", "median s", "least s", "most s", "repeats"),
        rows=[
            [
                label,
                path,
                *(short(values[key]) for key in ("median_s", "min_s", "max_s")),
                str(values["repeats"]),
            ]
            for label, each in seen.items()
            for path, values in each.items()
        ],
    )


def _devices(run: Run) -> list[str]:
    return list(dict.fromkeys(build.device.kind for build in run.builds))


def _graph_time(run: Run, device: str) -> Chart:
    """Seconds to compile a graph, and to copy it, by its size."""
    cells = [each for each in _measured(run, TIME, "compile_s") if each[1].device == device]
    sizes = list(dict.fromkeys(cell.params["nodes"] for _, cell in cells))
    labels = list(dict.fromkeys(label for label, _ in cells))
    found = {(label, cell.params["nodes"]): cell.metrics for label, cell in cells}
    series = {
        f"{word} {size} nodes": [
            found[label, size][key] if (label, size) in found else None for label in labels
        ]
        for word, key in (("compile", "compile_s"), ("copy", "copy_s"))
        for size in sizes
    }
    return Chart(
        title=f"Compiling a graph, and copying it: {device}",
        text="Seconds by the number of nodes, on a logarithmic scale. The copy is what donating "
        "the graph saves.",
        svg=lines(labels, series, "seconds"),
        headers=("build", "nodes", "compile s", "copy s"),
        rows=[
            [
                label,
                cell.params["nodes"],
                short(cell.metrics["compile_s"]),
                short(cell.metrics["copy_s"]),
            ]
            for label, cell in cells
        ],
    )


def _memory(run: Run, probe: str, where: str) -> Chart:
    """By how much compiling raises peak memory, the graph kept and donated."""
    cells = _measured(run, probe, "kept_mb")
    labels = [label for label, _ in cells]
    series = {
        word: [cell.metrics[f"{word}_mb"] for _, cell in cells] for word in ("kept", "donated")
    }
    return Chart(
        title=f"Memory that donation saves: {where}",
        text=f"By how many MB compiling a module that owns 256 MB raises the peak memory of "
        f"{where}, its graph kept or donated.",
        svg=bars(labels, series, "MB"),
        headers=("build", "kept MB", "donated MB"),
        rows=[
            [label, short(cell.metrics["kept_mb"]), short(cell.metrics["donated_mb"])]
            for label, cell in cells
        ],
    )


def _drift(drift: Sequence[DriftFinding]) -> Chart:
    """How far numbers moved between neighbouring builds, by dtype, in units of its noise."""
    steps = list(dict.fromkeys((each.before, each.after) for each in drift))
    dtypes = list(dict.fromkeys(each.dtype for each in drift if each.dtype in NOISE))
    series = {
        dtype: [
            max(
                (
                    each.compiled / NOISE[dtype]
                    for each in drift
                    if (each.before, each.after) == step
                    and each.dtype == dtype
                    and each.compiled is not None
                ),
                default=None,
            )
            for step in steps
        ]
        for dtype in dtypes
    }
    return Chart(
        title="Numeric drift from build to build",
        text="The farthest that any model's compiled outputs moved from the build before, as a "
        "share of what rounding explains: above 1 is more than noise. No bar: not at all.",
        svg=bars([after for _, after in steps], series, "share of noise"),
        headers=("from", "to", "device", "model", "dtype", "compiled", "eager", "more than noise"),
        rows=[
            [
                each.before,
                each.after,
                each.device,
                each.model,
                each.dtype,
                _moved(each.compiled),
                _moved(each.eager),
                "yes" if each.jump else "no",
            ]
            for each in drift
            if each.compiled != 0 or each.eager != 0
        ],
    )


def _measured(run: Run, probe: str, name: str) -> list[tuple[str, Cell]]:
    """The cells of ``probe`` that recorded ``name``, each with the label of its build."""
    return [
        (build.label, cell)
        for build in run.builds
        for cell in cells_of(run, build, probe)
        if name in cell.metrics
    ]


def _moved(value: float | None) -> str:
    return "cannot be told" if value is None else f"{value:.2g}"

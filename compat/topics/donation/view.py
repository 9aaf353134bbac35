"""Donation in words, tables and charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from compat.document.parts import Chart, Code, Drawing, Section, Sentence, Table, Text
from compat.runs.ids import BuildId, CellId
from compat.topics.donation.finding import DONATED, KEPT, Donation, Fitness, Saving, Timed, Way
from compat.topics.donation.records import (
    Afterwards,
    Copies,
    DeviceMemory,
    Donor,
    Flag,
    Memory,
    Outputs,
    Reuse,
    Time,
)
from compat.topics.matrix import Matrix, Seen
from compat.topics.words import glyphs, labels, unmeasured

R = TypeVar("R")

_FORMS = {
    "tuple": "a graph that returns a tuple",
    "bare": "a graph that returns its only output bare",
}


def say(_: Matrix, donation: Donation) -> Iterable[Sentence]:
    """The copies it saves, what those cost, and what it does to the donor."""
    yield from _say_copies(donation)
    yield from map(_say_saving, donation.savings)
    yield from _say_fitness(donation)


def _say_copies(donation: Donation) -> Iterable[Sentence]:
    """One sentence for all builds of a device and a Python that count alike."""
    alike: dict[tuple[int, int, tuple[str, str]], dict[BuildId, tuple[CellId, ...]]] = {}
    for each in donation.copying:
        key = (each.kept, each.donated, each.build.line)
        alike.setdefault(key, {})[each.build] = each.cells
    for (kept, donated, _), cells in alike.items():
        yield Sentence(
            title=f"donation: {kept} → {donated} copies of the graph on {labels(cells)}",
            text=f"standalone_compile copies the graph {_times(kept)}, and {_times(donated)} with "
            f"donate_graph_module=True.",
            cells=tuple(cell for each in cells.values() for cell in each),
        )


def _times(number: int) -> str:
    return {0: "not at all", 1: "once"}.get(number, f"{number} times")


def _say_saving(saving: Saving) -> Sentence:
    said = [*map(_say_time, saving.times), *map(_say_memory, saving.memory)]
    return Sentence(
        title=f"donation: what it saves on {saving.build.label}",
        text=" ".join(said),
        cells=saving.cells,
    )


def _say_time(timed: Timed) -> str:
    seen = timed.record
    copy = f"Copying a graph of {timed.nodes} nodes takes {seen.copy_s:.3g} s"
    compiling = f"compiling it {seen.compile_s:.3g} s"
    if seen.interval_s is None or seen.measurable is None:
        return f"{copy}, {compiling}. What donation saves was not measured: one pair only."
    low, high = seen.interval_s
    if not seen.measurable:
        return (
            f"{copy}, {compiling}. Saving not resolved (95 % interval {low:+.3g}…{high:+.3g} s, "
            f"{seen.pairs} pairs)."
        )
    return (
        f"{copy}, {compiling}. Donation saves {low:.3g} to {high:.3g} s of that (95 % interval, "
        f"{seen.pairs} pairs)."
    )


def _say_memory(seen: Memory) -> str:
    return (
        f"Compiling a module that owns {seen.buffer_mb} MB of buffers raises the peak memory by "
        f"{seen.kept_mb} MB; when the graph is donated, by {seen.donated_mb} MB."
    )


def _say_fitness(donation: Donation) -> Iterable[Sentence]:
    """One sentence for all builds of a device and a Python of which the same is true."""
    alike: dict[tuple[str, tuple[str, str]], list[Fitness]] = {}
    for each in donation.fitness:
        alike.setdefault((_describe(each), each.build.line), []).append(each)
    for (text, _), those in alike.items():
        yield Sentence(
            title=f"donation: the graph afterwards on {labels(each.build for each in those)}",
            text=text,
            cells=tuple(cell for each in those for cell in each.cells),
        )


def _describe(fitness: Fitness) -> str:
    fits = _grouped((way, _form(way)) for way in fitness.fits)
    losses = _grouped((way, f"{_form(way)}: {_what_came(way.record)}") for way in fitness.losses)
    said = [
        f"After donation these uses of the graph work: {fits or 'none that was tried'}.",
        f"These break: {losses or 'none that was tried'}.",
    ]
    if fitness.never:
        never = _grouped((way, _form(way)) for way in fitness.never)
        said.append(f"These fail without donation too: {never}.")
    if fitness.unknown:
        said.append(f"Not known: {fitness.unknown} of the uses.")
    return " ".join(said)


def _grouped(ways: Iterable[tuple[Way, str]]) -> str:
    """Uses by what is said of them: ``call, pickle (a graph that returns a tuple)``."""
    uses: dict[str, list[str]] = {}
    for way, what in ways:
        uses.setdefault(what, []).append(way.use)
    return "; ".join(f"{', '.join(those)} ({what})" for what, those in uses.items())


def _form(way: Way) -> str:
    return _FORMS.get(way.output, way.output)


def _what_came(seen: Afterwards) -> str:
    """What came of using a graph after it was compiled, where that is not what it was before."""
    if seen.failure:
        return seen.failure
    if seen.returned != seen.returned_before:
        return f"{seen.returned} comes back instead of {seen.returned_before}"
    return f"outputs are {_off(seen.max_abs)}"


def _off(max_abs: float | None) -> str:
    return "not finite" if max_abs is None else f"off by {max_abs:.2g}"


def show(matrix: Matrix, donation: Donation) -> Iterable[Section]:
    """What was counted, what it leaves of the donor, and what was measured."""
    yield _overview(matrix)
    yield _afterwards(matrix, donation)
    yield Section(
        title="What donation saves",
        intro="Seconds that a copy of the graph takes, that a compilation takes, and that donation "
        "saves of it: the mean and the 95 % interval of several pairs, in turns. *Measurable*: the "
        "interval leaves zero out. Memory: by how much compiling a module that owns 256 MB raises "
        "the peak.",
        tables=[_times_table(matrix), _memory_table(matrix), _device_table(matrix)],
    )


def _overview(matrix: Matrix) -> Section:
    rows: list[Sequence[Text]] = []
    for build in matrix.builds:
        copies = [
            _shown(matrix.seen(Copies, build.id, path=path), lambda seen: str(seen.copies))
            for path in (KEPT, DONATED, "compile_fx")
        ]
        row = [
            _shown(matrix.seen(Flag, build.id), lambda seen: f"{seen.passed} of {seen.calls}"),
            *copies,
            _shown(matrix.seen(Outputs, build.id), _say_outputs),
            _shown(matrix.seen(Donor, build.id, path=DONATED), _say_donor),
            _shown(matrix.seen(Reuse, build.id), _say_reuse),
        ]
        if any(row):
            rows.append([build.label, *row])
    headers = [
        "build",
        "calls that pass the flag",
        "copies, kept",
        "copies, donated",
        "copies, compile_fx",
        "outputs",
        "donor",
        "donor compiled again",
    ]
    return Section(
        title="Donation",
        intro="`standalone_compile` copies the graph it is given unless it may keep it "
        "(`donate_graph_module=True`). Copies are counted. *Outputs*: of a donated graph, compared "
        "with a kept one. *Donor compiled again* asks what vLLM relies on: one graph, donated once "
        "for each batch size.",
        tables=[Table(headers=headers, rows=rows)],
    )


def _shown(seen: Sequence[Seen[R]], say: Callable[[R], str]) -> str:
    """What the cells recorded, each once; how they ended where they recorded nothing."""
    said = dict.fromkeys(say(each.record) for each in seen if each.record is not None)
    unknown = [each.cell for each in seen if each.record is None]
    return ", ".join([*said, *filter(None, [glyphs(unknown)])])


def _say_outputs(seen: Outputs) -> str:
    if seen.bitwise:
        return "the same bits"
    tuned = " (kernels are tuned anew)" if seen.tuned else ""
    return f"{_off(seen.max_abs)}{tuned}"


def _say_donor(seen: Donor) -> str:
    if not seen.code_changed:
        return "as it was"
    return f"rewritten, {seen.nodes_before} → {seen.nodes_after} nodes"


def _say_reuse(seen: Reuse) -> str:
    return f"{_times(seen.compilations)}, {_off(seen.max_abs)}"


def _afterwards(matrix: Matrix, donation: Donation) -> Section:
    builds = [each.build for each in donation.fitness]
    ways = dict.fromkeys(
        (each.cell.params.get("use", ""), each.cell.params.get("output", ""))
        for each in matrix.everywhere(Afterwards, flag=DONATED)
    )
    rows: list[Sequence[Text]] = [
        [
            Code(use),
            _FORMS.get(output, output),
            *(
                _shown(
                    matrix.seen(Afterwards, build, flag=DONATED, use=use, output=output), _say_use
                )
                for build in builds
            ),
        ]
        for use, output in ways
        if builds
    ]
    return Section(
        title="A graph that was donated",
        intro="What may be done with it afterwards: to call it, to compile it again without and "
        "with donation, to copy and to pickle it, and then to call what comes of that. It works "
        "where that raises nothing, computes the same and returns it in the same structure as "
        "before.",
        tables=[Table(headers=["use", "of", *builds], rows=rows)],
    )


def _say_use(seen: Afterwards) -> str:
    if seen.works:
        return "✅"
    before = "" if seen.works_before else "not before either: "
    return f"❌ {before}{_what_came(seen)}"


def _times_table(matrix: Matrix) -> Table:
    rows = [
        [
            each.cell.build.label,
            each.cell.params.get("nodes", ""),
            f"{seen.copy_s:.3g}",
            f"{seen.compile_s:.3g}",
            f"{seen.saved_s:.3g}",
            "" if seen.interval_s is None else "{:.3g} to {:.3g}".format(*seen.interval_s),
            str(seen.pairs),
            {True: "yes", False: "no", None: "cannot be told"}[seen.measurable],
        ]
        for each, seen in _measured(matrix, Time)
    ]
    headers = ["build", "nodes", "copy s", "compile s", "saved s", "95 %", "pairs", "measurable"]
    return Table(headers=headers, rows=rows)


def _memory_table(matrix: Matrix) -> Table:
    rows = [
        [each.cell.build.label, f"{seen.kept_mb} MB", f"{seen.donated_mb} MB"]
        for each, seen in _measured(matrix, Memory)
    ]
    return Table(headers=["build", "the process, kept", "donated"], rows=rows)


def _device_table(matrix: Matrix) -> Table:
    rows = [
        [
            each.cell.build.label,
            f"{seen.kept_mb} MB",
            f"{seen.donated_mb} MB",
            f"{seen.kept_reserved_mb} MB",
            f"{seen.donated_reserved_mb} MB",
        ]
        for each, seen in _measured(matrix, DeviceMemory)
    ]
    headers = ["build", "the GPU, allocated, kept", "donated", "reserved, kept", "donated"]
    return Table(headers=headers, rows=rows)


def _measured(matrix: Matrix, kind: type[R]) -> list[tuple[Seen[R], R]]:
    """The cells of ``kind`` that have a record, by build in the order of the run."""
    return [
        (each, each.record)
        for build in matrix.builds
        for each in matrix.seen(kind, build.id)
        if each.record is not None
    ]


def draw(matrix: Matrix, _: Donation) -> Iterable[Chart]:
    """Seconds by the size of the graph, and peak memory, kept and donated."""
    for line in dict.fromkeys(build.id.line for build in matrix.builds):
        measured = [each for each in _measured(matrix, Time) if each[0].cell.build.line == line]
        gap = unmeasured(matrix, line, [each.cell.build for each, _ in measured])
        yield _draw_time(line, measured, gap)
    process, gpu = _measured(matrix, Memory), _measured(matrix, DeviceMemory)
    yield _draw_memory("the process", process, _gaps(matrix, [each for each, _ in process]))
    yield _draw_memory("the GPU", gpu, _gaps(matrix, [each for each, _ in gpu]))


def _gaps(matrix: Matrix, measured: Sequence[Seen[Any]]) -> str:
    """What is missing of the devices and Pythons that something was measured on."""
    builds = [each.cell.build for each in measured]
    lines = dict.fromkeys(build.line for build in builds)
    return "".join(
        unmeasured(matrix, line, [build for build in builds if build.line == line])
        for line in lines
    )


def _draw_time(
    line: tuple[str, str], measured: Sequence[tuple[Seen[Time], Time]], gap: str
) -> Chart:
    device, python = line
    found = {
        (each.cell.build.label, each.cell.params.get("nodes", "")): record
        for each, record in measured
    }
    builds = list(dict.fromkeys(label for label, _ in found))
    sizes = list(dict.fromkeys(nodes for _, nodes in found))
    parts: dict[str, Callable[[Time], float]] = {
        "compile": lambda record: record.compile_s,
        "copy": lambda record: record.copy_s,
    }
    series = {
        f"{part} {nodes} nodes": [
            take(found[label, nodes]) if (label, nodes) in found else None for label in builds
        ]
        for part, take in parts.items()
        for nodes in sizes
    }
    rows = [
        [label, nodes, f"{record.compile_s:.3g}", f"{record.copy_s:.3g}"]
        for (label, nodes), record in found.items()
    ]
    return Chart(
        title=f"Compiling a graph, and copying it: {device}"
        + (f", Python {python}" if python else ""),
        text="Seconds by the number of nodes, on a logarithmic scale. The copy is what donating "
        f"the graph saves.{gap}",
        drawing=Drawing.LINES,
        labels=builds,
        series=series,
        unit="seconds",
        table=Table(headers=["build", "nodes", "compile s", "copy s"], rows=rows),
    )


def _draw_memory(
    where: str,
    measured: Sequence[tuple[Seen[Memory], Memory]]
    | Sequence[tuple[Seen[DeviceMemory], DeviceMemory]],
    gap: str,
) -> Chart:
    found = [(each.cell.build.label, record) for each, record in measured]
    return Chart(
        title=f"Memory that donation saves: {where}",
        text=f"By how many MB compiling a module that owns 256 MB raises the peak memory of "
        f"{where}, its graph kept or donated.{gap}",
        drawing=Drawing.BARS,
        labels=[label for label, _ in found],
        series={
            "kept": [float(record.kept_mb) for _, record in found],
            "donated": [float(record.donated_mb) for _, record in found],
        },
        unit="MB",
        table=Table(
            headers=["build", "kept MB", "donated MB"],
            rows=[[label, str(seen.kept_mb), str(seen.donated_mb)] for label, seen in found],
        ),
    )

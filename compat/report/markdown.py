"""The report as markdown: a pure function of a run and its findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from types import MappingProxyType
from urllib.parse import quote

import jinja2
from tabulate import tabulate

from compat.findings.artifacts import ACROSS, DAMAGED, PLACED, load_of
from compat.findings.baselines import PREVIOUS, STABLE
from compat.findings.compare import Comparison
from compat.findings.lookup import cells_of, is_on, metric
from compat.findings.model import Agreement, Answer, DriftFinding, Findings, Load, Met, Verdict
from compat.report.comparison import comparison_markdown
from compat.report.escape import code, plain
from compat.report.repeat import repeat_command, repeat_commands
from compat.runs.model import SAVED_BY, Build, Cell, Outcome, Run, Status

# One glyph an outcome, each of its own shape, so that unknown looks like nothing else.
GLYPHS = {
    Outcome.PASS: "✅",
    Outcome.FAIL: "❌",
    Outcome.ERROR: "💥",
    Outcome.CRASH: "☠️",
    Outcome.TIMEOUT: "⏰",
    Outcome.UNSUPPORTED: "➖",
    Outcome.SKIP: "⏭️",
    Outcome.NOT_RUN: "❔",
}
MEANINGS = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "an assertion of the probe failed",
    Outcome.ERROR: "an exception that the probe did not expect",
    Outcome.CRASH: "the probe's process died",
    Outcome.TIMEOUT: "the probe hung",
    Outcome.UNSUPPORTED: "the build lacks the capability, and that is no fault",
    Outcome.SKIP: "no such device, or no way to ask here",
    Outcome.NOT_RUN: "nothing is known: the build could not be had, the machine lacked something, "
    "or the run ended before it",
}
# The worst outcome of several stands for all of them.
_WORST_FIRST = (
    Outcome.CRASH,
    Outcome.TIMEOUT,
    Outcome.ERROR,
    Outcome.FAIL,
    Outcome.NOT_RUN,
    Outcome.SKIP,
    Outcome.PASS,
    Outcome.UNSUPPORTED,
)
_GIT_LENGTH = 10
NO_COMPARISONS: Mapping[str, Comparison] = MappingProxyType({})


def render(
    run: Run, findings: Findings, comparisons: Mapping[str, Comparison] = NO_COMPARISONS
) -> str:
    """``reports/README.md``."""
    commands = repeat_commands(run)
    compared = {name: comparison_markdown(each, commands) for name, each in comparisons.items()}
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701  (markdown; every value is escaped by the tables)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = resources.files("compat.report").joinpath("report.md.jinja").read_text("utf-8")
    return environment.from_string(template).render(
        run=run,
        findings=findings,
        overview=overview(run, findings),
        previous=compared.get(PREVIOUS),
        stable=compared.get(STABLE),
        expectations=_expectations(findings),
        controls=_controls(findings),
        gates=_gates(run, findings),
        donation=_donation(run),
        tracing=_tracing(run, findings),
        parity=_parity(run, findings),
        drift=_drift(findings),
        inputs=_inputs(run),
        stand_in=_stand_in(run),
        artifacts=_checks(run, "artifacts.reload"),
        damaged=_loads(run, DAMAGED, PLACED),
        across=_across(run),
        settings=_checks(run, "settings.standalone_switch"),
        surface=_surface(findings),
        devices=_devices(findings),
        compile_time=_compile_time(run),
        device_memory=_device_memory(run),
        trouble=_trouble(run, findings),
        provenance=_provenance(run),
        sources=_sources(run),
        legend=_table(["", "outcome", "meaning"], _legend()),
        probes=_table(["probe", "what it asks"], _descriptions(run)),
        counts=_counts(run),
        plain=plain,
        code=code,
    )


def overview(run: Run, findings: Findings) -> str:
    """Build × path: how the parity cells ended."""
    paths = list(dict.fromkeys(path for each in findings.paths.values() for path in each))
    rows = [
        [
            f"{_name(build)} {plain(', '.join(_other_names(build)))}".strip(),
            *(_summary(findings.paths[build.label].get(path, {})) for path in paths),
            _counted(cell.outcome for cell in run.cells if is_on(cell, build)),
        ]
        for build in run.builds
    ]
    return _table(["build", *map(code, paths), "all probes"], rows)


def _summary(counts: Mapping[str, int]) -> str:
    outcomes = {Outcome(name): number for name, number in counts.items()}
    worst = next((each for each in _WORST_FIRST if each in outcomes), None)
    if worst is None:
        return ""
    total = sum(outcomes.values())
    number = outcomes[worst]
    return GLYPHS[worst] + ("" if number == total else f" {number} of {total}")


def _counted(outcomes: Iterable[Outcome]) -> str:
    seen = list(outcomes)
    return " ".join(
        f"{GLYPHS[outcome]} {seen.count(outcome)}" for outcome in Outcome if outcome in seen
    )


def _gates(run: Run, findings: Findings) -> str:
    words = {
        Verdict.USED: "✅ used",
        Verdict.MISSED: "🟡 missed",
        Verdict.BROKEN: "❌ broken",
        Verdict.ABSENT: "➖ absent",
        Verdict.UNKNOWN: "❔",
    }
    rows = [
        [
            code(gate.feature),
            code(gate.gate or "") or "none",
            _since(gate.available_since, gate.absent_until),
            *(words[gate.verdicts[build.label]] for build in run.builds),
        ]
        for gate in findings.gates
    ]
    return _table(["feature", "gate", "available since", *_labels(run)], rows)


def _since(first: str | None, last_without: str | None) -> str:
    if first is None:
        return "not seen"
    return plain(first) if last_without else f"≤ {plain(first)}"


def _donation(run: Run) -> str:
    rows = []
    for build in run.builds:

        def seen(probe: str, name: str, build: Build = build, **params: str) -> str:
            return _value(cells_of(run, build, probe, **params), name)

        rows.append(
            [
                _name(build),
                seen("donation.flag", "passed", batch="static"),
                seen("donation.copies", "copies", path="standalone"),
                seen("donation.copies", "copies", path="donated"),
                seen("donation.copies", "copies", path="compile_fx"),
                seen("donation.outputs", "bitwise"),
                seen("donation.donor", "code_changed", path="donated"),
                _glyphs(cells_of(run, build, "donation.reuse")),
            ]
        )
    return _table(
        [
            "build",
            "flag passed",
            "copies, kept",
            "copies, donated",
            "copies, compile_fx",
            "outputs bitwise equal",
            "donor rewritten",
            "donor compiled again",
        ],
        rows,
    )


def _tracing(run: Run, findings: Findings) -> str:
    words = {Answer.YES: "yes", Answer.NO: "no", Answer.UNKNOWN: "❔"}
    works = {Answer.YES: "✅", Answer.NO: "❌", Answer.UNKNOWN: "❔"}
    rows = [
        [
            _name(build),
            words[workaround.needed[build.label]],
            *(works[answers[build.label]] for answers in workaround.works.values()),
            _glyphs(cells_of(run, build, "tracing_context.restored")),
            _glyphs(cells_of(run, build, "tracing_context.fallback")),
        ]
        for workaround in findings.workarounds
        for build in run.builds
    ]
    strategies = [name for workaround in findings.workarounds for name in workaround.works]
    return _table(["build", "needed", *map(code, strategies), "restores", "falls back"], rows)


def _parity(run: Run, findings: Findings) -> str:
    words = {
        Agreement.BITWISE: "✅ =",
        Agreement.CLOSE: "✅ ≈",
        Agreement.DIFFER: "❌",
        Agreement.UNKNOWN: "❔",
    }
    found = {(each.model, each.dtype, each.batch, each.build): each for each in findings.parity}
    rows = []
    for model, dtype, batch in dict.fromkeys(key[:3] for key in found):
        row = [plain(model), plain(dtype), plain(batch)]
        for build in run.builds:
            each = found.get((model, dtype, batch, build.label))
            number = f" {each.max_abs:.1e}" if each and each.paths else ""
            row.append(words[each.agreement] + number if each else "")
        rows.append(row)
    return _table(["model", "dtype", "batch", *_labels(run)], rows)


def _drift(findings: Findings) -> str:
    """One row for each model and dtype, one column for each pair of neighbouring builds."""
    found = {
        (each.model, each.dtype, each.device, each.before, each.after): each
        for each in findings.drift
    }
    steps = dict.fromkeys((key[3], key[4]) for key in found)
    rows = []
    for model, dtype, device in dict.fromkeys(key[:3] for key in found):
        row = [plain(model), plain(dtype), device]
        for before, after in steps:
            each = found.get((model, dtype, device, before, after))
            row.append("" if each is None else _moved(each))
        rows.append(row)
    columns = [plain(f"{before} → {after}") for before, after in steps]
    return _table(["model", "dtype", "device", *columns], rows)


def _moved(drift: DriftFinding) -> str:
    if drift.compiled is None:
        return "❗ not finite, or another shape"
    if drift.compiled == 0:
        return "="
    return ("❗ " if drift.jump else "") + f"{drift.compiled:.1e}"


def _inputs(run: Run) -> str:
    """What compile_fx does with which inputs, by way of hiding the context."""
    probe = "context_inputs.inputs"
    keys = dict.fromkeys(
        (cell.params["inputs"], cell.params["way"]) for cell in run.cells if cell.probe == probe
    )
    rows = [
        [
            plain(inputs),
            code(way),
            *(
                _compiles(cells_of(run, build, probe, inputs=inputs, way=way))
                for build in run.builds
            ),
        ]
        for inputs, way in keys
    ]
    return _table(["inputs", "hidden by", *_labels(run)], rows)


def _compiles(cells: Sequence[Cell]) -> str:
    """Whether it compiles for all batches, and how much of the outer context it touches."""
    if any("compiles" not in cell.metrics for cell in cells) or not cells:
        return _glyphs(cells)
    if any(cell.outcome is not Outcome.PASS for cell in cells):
        return _glyphs(cells)
    if not all(cell.metrics["compiles"] for cell in cells):
        return "refuses"
    touched = max(len(cell.metrics["leaks"]) for cell in cells)
    return "✅" + (f", touches {touched}" if touched else "")


def _stand_in(run: Run) -> str:
    """Which members of the ShapeEnv stand-in a build reads, and which of these it needs."""
    probe = "shape_env.needs"
    members = dict.fromkeys(cell.params["member"] for cell in run.cells if cell.probe == probe)
    rows = [
        [
            code(member),
            *(_need(cells_of(run, build, probe, member=member)) for build in run.builds),
        ]
        for member in members
    ]
    unknown = [
        plain(" ".join(metric(cells_of(run, build, "shape_env.reads"), "unknown") or []))
        for build in run.builds
    ]
    if any(unknown):
        rows.append(["**not in the stand-in**", *unknown])
    return _table(["member", *_labels(run)], rows)


def _need(cells: Sequence[Cell]) -> str:
    needed, read = metric(cells, "needed"), metric(cells, "read")
    if needed is None:
        return _glyphs(cells)
    return "needed" if needed else "read" if read else "no"


def _checks(run: Run, probe: str) -> str:
    """One row for each check of ``probe``, one column for each build."""
    checks = dict.fromkeys(tuple(cell.params.values()) for cell in run.cells if cell.probe == probe)
    rows = [
        [
            plain(" ".join(values)),
            *(
                _glyphs(
                    [
                        cell
                        for cell in cells_of(run, build, probe)
                        if tuple(cell.params.values()) == values
                    ]
                )
                for build in run.builds
            ),
        ]
        for values in checks
    ]
    return _table(["", *_labels(run)], rows)


def _loads(run: Run, *probes: str) -> str:
    """One row for each way an artifact is mistreated, one column for each build."""
    checks = dict.fromkeys(
        (cell.probe, tuple(cell.params.values())) for cell in run.cells if cell.probe in probes
    )
    rows = [
        [
            plain(" ".join(values)),
            *(
                _load(
                    [
                        cell
                        for cell in cells_of(run, build, probe)
                        if tuple(cell.params.values()) == values
                    ]
                )
                for build in run.builds
            ),
        ]
        for probe, values in checks
    ]
    return _table(["", *_labels(run)], rows)


def _across(run: Run) -> str:
    """One row for each build that saved and kind, one column for each build that loads."""
    keys = dict.fromkeys(
        (cell.params["kind"], cell.params[SAVED_BY]) for cell in run.cells if cell.probe == ACROSS
    )
    rows = [
        [
            plain(kind),
            plain(saved_by),
            *(
                _load(cells_of(run, build, ACROSS, kind=kind, saved_by=saved_by))
                if build.id != saved_by
                else ""
                for build in run.builds
            ),
        ]
        for kind, saved_by in sorted(keys)
    ]
    return _table(["kind", "saved by", *(f"in {label}" for label in _labels(run))], rows)


def _load(cells: Sequence[Cell]) -> str:
    """How loads of an artifact ended, in a word each; how the probe did where that is unknown."""
    words = {
        Load.RIGHT: "right",
        Load.REFUSED: "refused",
        Load.REFUSED_UNCLEARLY: "refused?",
        Load.WRONG: "❌ wrong",
        Load.CRASHED: "☠️ crashed",
    }
    loads = dict.fromkeys(map(load_of, cells))
    return _glyphs(cells) if Load.UNKNOWN in loads else ", ".join(words[load] for load in loads)


def _surface(findings: Findings) -> str:
    rows = [
        [
            code(change.name),
            plain(f"{change.before} → {change.after}"),
            code(change.was),
            code(change.became),
        ]
        for change in findings.surface
    ]
    return _table(["name", "between", "was", "became"], rows)


def _compile_time(run: Run) -> str:
    """Seconds by build and path: the median, the least and the most of several compilations."""
    rows = []
    for build in run.builds:
        for cell in cells_of(run, build, "cuda.compile_time"):
            for path, seen in cell.metrics.items():
                if isinstance(seen, Mapping):
                    spread = f"{seen['min_s']:.2f} to {seen['max_s']:.2f}"
                    median, repeats = f"{seen['median_s']:.2f}", str(seen["repeats"])
                    rows.append([_name(build), code(path), median, spread, repeats])
    return _table(["build", "path", "median", "least to most", "repeats"], rows)


def _device_memory(run: Run) -> str:
    """By how much compiling raises the peak of device memory, donated and not."""
    rows = [
        [
            _name(build),
            *(
                f"{cell.metrics[name]} MB" if name in cell.metrics else _glyphs([cell])
                for name in ("kept_mb", "donated_mb", "kept_reserved_mb", "donated_reserved_mb")
            ),
        ]
        for build in run.builds
        for cell in cells_of(run, build, "cuda.donation_memory")
    ]
    headers = ["allocated, kept", "allocated, donated", "reserved, kept", "reserved, donated"]
    return _table(["build", *headers], rows)


def _devices(findings: Findings) -> str:
    """Where a GPU does something else than a CPU."""
    rows = [
        [code(each.check), plain(each.cpu), plain(each.cuda), plain(", ".join(each.builds))]
        for each in findings.devices
    ]
    return _table(["check", "on the CPU", "on the GPU", "builds"], rows)


def _expectations(findings: Findings) -> str:
    """What is known to end badly, and which of these entries should be looked at."""
    words = {Met.UNUSED: "**unused**: none ended so", Met.UNASKED: "not asked in this run"}
    rows = [
        [
            code(each.probe),
            plain(each.builds),
            words.get(each.met) or f"{len(each.cells)} cells",
            f"{plain(each.reason)} [Link]({quote(each.link, safe=':/#?=&')})",
            each.review_by + (" **overdue**" if each.overdue else ""),
        ]
        for each in findings.expectations
    ]
    return _table(["probe", "builds", "seen", "why", "review by"], rows)


def _controls(findings: Findings) -> str:
    rows = [[code(cell), plain(reason)] for cell, reason in findings.failed_controls.items()]
    return _table(["control that failed", "what it is for"], rows)


def _trouble(run: Run, findings: Findings) -> str:
    """Every cell that is flaky or ended badly, and those not run in a build that was."""
    ok = [build for build in run.builds if build.status is Status.OK]
    expected = set(findings.expected)
    quiet = {Outcome.PASS, Outcome.UNSUPPORTED, Outcome.SKIP}
    rows = [
        [
            f"{GLYPHS[cell.outcome]} {cell.outcome.value}"
            + (", expected" if cell.id in expected else ""),
            code(cell.id),
            _what_happened(cell),
            plain(cell.signature),
            code(repeat_command(cell, run.builds)),
        ]
        for cell in run.cells
        if cell.flaky
        or (
            cell.outcome not in quiet
            and (cell.outcome is not Outcome.NOT_RUN or any(is_on(cell, build) for build in ok))
        )
    ]
    return _table(["outcome", "cell", "what happened", "signature", "to repeat it"], rows)


def _what_happened(cell: Cell) -> str:
    if cell.first is None or not cell.flaky:
        return plain(cell.reason)
    first = f"flaky: at first {cell.first.outcome.value}, {cell.first.reason}"
    return plain("; then ".join(filter(None, [first, cell.reason])))


def _provenance(run: Run) -> str:
    rows = [
        [
            _name(build),
            plain(", ".join(build.aliases)),
            plain(build.version),
            plain(" ".join(filter(None, [build.channel, build.variant]))),
            code(build.git_version[:_GIT_LENGTH]),
            plain(build.triton),
            plain(build.python),
            plain(
                " ".join(
                    filter(None, [build.device.kind, build.device.name, build.device.driver or ""])
                )
            ),
            code(build.wheel.filename) if build.wheel else "",
            code(build.wheel.sha256[:_GIT_LENGTH]) if build.wheel else "",
            plain("; ".join(filter(None, [build.note, build.reason]))),
        ]
        for build in run.builds
    ]
    return _table(
        [
            "build",
            "asked for as",
            "version",
            "channel",
            "git",
            "Triton",
            "Python",
            "device",
            "wheel",
            "sha256",
            "note",
        ],
        rows,
    )


def _sources(run: Run) -> str:
    """The executions that saw the cells, with the number of these."""
    rows = [
        [
            code(source.id),
            plain(source.harness.version),
            code(source.harness.commit[:_GIT_LENGTH] + "+" * source.harness.commit.endswith("+")),
            plain(f"{source.host.system}, {source.host.cpu}, {source.host.cores} cores"),
            str(sum(cell.seen_in == source.id for cell in run.cells)),
        ]
        for source in run.sources
    ]
    return _table(["seen in", "harness", "at", "host", "cells"], rows)


def _legend() -> list[list[str]]:
    return [[GLYPHS[outcome], outcome.value, MEANINGS[outcome]] for outcome in Outcome]


def _descriptions(run: Run) -> list[list[str]]:
    return [[code(name), plain(text)] for name, text in run.descriptions.items()]


def _counts(run: Run) -> str:
    return _counted(cell.outcome for cell in run.cells)


def _value(cells: Sequence[Cell], name: str) -> str:
    """A recorded metric; the outcome where none was recorded."""
    value = metric(cells, name)
    if value is None:
        return _glyphs(cells)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(str(value))


def _glyphs(cells: Sequence[Cell]) -> str:
    """How cells ended, and whether those that compared bits found them equal."""
    counts = Counter(cell.outcome.value for cell in cells)
    compared = {cell.metrics["bitwise"] for cell in cells if "bitwise" in cell.metrics}
    return _summary(counts) + ("" if not compared else " =" if compared == {True} else " ≈")


def _name(build: Build) -> str:
    return f"**{plain(build.label)}**"


def _other_names(build: Build) -> list[str]:
    return [alias for alias in build.aliases if alias != build.id]


def _labels(run: Run) -> list[str]:
    return [plain(build.label) for build in run.builds]


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table, or an empty string where there is nothing to show."""
    if not rows:
        return ""
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)

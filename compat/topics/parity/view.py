"""Parity and drift in words, tables and a chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from compat.document.parts import Chart, Code, Drawing, Section, Sentence, Table, Text
from compat.runs.ids import BuildId
from compat.runs.model import Cell
from compat.topics.matrix import Matrix
from compat.topics.parity.answers import STEPS, noise_of
from compat.topics.parity.finding import (
    TUNES_LATER,
    Agreement,
    Combination,
    Drift,
    PathsAgree,
)
from compat.topics.words import NOT_KNOWN, glyphs, labels, unmeasured

Line = tuple[str, str]

_WORDS = {
    Agreement.BITWISE: "✅ =",
    Agreement.CLOSE: "✅ ≈",
    Agreement.DIFFER: "❌",
    Agreement.UNKNOWN: NOT_KNOWN,
}


def say(matrix: Matrix, found: PathsAgree) -> Iterable[Sentence]:
    """For each device and Python: whether all paths agree, and which outputs moved."""
    for line in _lines(matrix):
        combinations = [each for each in found.combinations if each.build.line == line]
        if combinations:
            yield _say_agreement(line, combinations)
    for each in found.drift:
        if each.jump:
            yield Sentence(
                title=f"outputs: {each.model} in {each.dtype} moves from {each.before.label} to "
                f"{each.after.label}",
                text=f"On {each.after.device} the compiled paths move by {_said(each.compiled)}, "
                f"where {STEPS} rounding steps of the dtype are {noise_of(each.dtype):.2g}; "
                f"without a compiler they move by {_said(each.eager)}.",
                cells=each.cells,
            )


def _lines(matrix: Matrix) -> list[Line]:
    return list(dict.fromkeys(build.id.line for build in matrix.builds))


def _named(line: Line) -> str:
    device, python = line
    return f"{device}, Python {python}" if python else device


def _say_agreement(line: Line, combinations: Sequence[Combination]) -> Sentence:
    """What holds of the known combinations, and how many are not known."""
    by_agreement = {
        agreement: [each for each in combinations if each.agreement is agreement]
        for agreement in Agreement
    }
    differ, unknown = by_agreement[Agreement.DIFFER], by_agreement[Agreement.UNKNOWN]
    known = len(combinations) - len(unknown)
    agree = known - len(differ)
    if differ:
        verdict = "some paths compute something else"
    elif not known:
        verdict = "not known"
    elif unknown:
        verdict = f"all paths agree in {agree} combinations, {len(unknown)} are not known"
    else:
        verdict = "all paths agree"
    said = [
        f"Of {len(combinations)} combinations of build, model, dtype and batch, the compiled paths "
        f"agree with eager in {agree}; the outputs are bitwise equal in "
        f"{len(by_agreement[Agreement.BITWISE])}."
    ]
    if differ:
        names = ", ".join(f"{_model(each)} on {each.build.label}" for each in differ)
        said.append(f"They do not in {len(differ)}: {names}.")
    if unknown:
        builds = labels(each.build for each in unknown)
        said.append(
            f"{len(unknown)} are not known, since a path there did not come to its end or left no "
            f"record: on {builds}."
        )
    said += _say_extent(combinations)
    return Sentence(
        title=f"outputs on {_named(line)}: {verdict}",
        text=" ".join(said),
        cells=tuple(cell for each in differ or combinations for cell in each.cells),
    )


def _say_extent(combinations: Sequence[Combination]) -> Iterable[str]:
    """Kernels, repetition, and the largest error with all builds that have it."""
    kernels = [each.same_kernels for each in combinations]
    apart_from = "" if combinations[0].build.device == "cpu" else f", {TUNES_LATER} left out"
    yield (
        f"They generate the same kernels in {kernels.count(True)} of "
        f"{len(kernels) - kernels.count(None)} combinations{apart_from}."
    )
    repeats = [each.repeats for each in combinations]
    if repeats.count(None) < len(repeats):
        yield (
            f"Run a second time, outputs are bitwise equal to the first in {repeats.count(True)} "
            f"of {len(repeats) - repeats.count(None)} combinations."
        )
    if apart := [each for each in combinations if each.max_abs is not None]:
        most = max(each.max_abs or 0.0 for each in apart)
        worst = [each for each in apart if each.max_abs == most]
        yield (
            f"The largest difference from eager is {most:.2g}: {_model(worst[0])} "
            f"({labels(each.build for each in worst)})."
        )
    judged = [each for each in combinations if each.share is not None]
    if judged:
        most = max(each.share or 0.0 for each in judged)
        worst = [each for each in judged if f"{each.share:.3g}" == f"{most:.3g}"]
        first = worst[0]
        yield (
            f"The largest error is {most:.2g} of what is allowed: {_model(first)} on {first.path} "
            f"({labels(each.build for each in worst)}), a root mean square error of "
            f"{_steps(first.error)} rounding steps where eager's is {_steps(first.eager_error)}, "
            f"the worst element {_steps(first.worst_steps)} steps off."
        )
    left_out = sorted({name for each in combinations for name in each.left_out})
    if left_out:
        yield f"Not compared on purpose: {', '.join(left_out)}."


def _model(each: Combination) -> str:
    said = f"{each.model} {each.dtype} {each.batch}"
    return f"{said} ({', '.join(each.contract)})" if each.contract else said


def _steps(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2g}"


def _said(moved: float | None) -> str:
    if moved is None:
        return "what cannot be told (another shape, not finite, or not run)"
    return f"{moved:.2g} of the output's root mean square"


def show(matrix: Matrix, found: PathsAgree) -> Iterable[Section]:
    """Build × path; model × build; model × step from build to build, a table for each device."""
    yield Section(
        title="Paths",
        intro="How the cells ended that run a model through a path and compare it with eager, and "
        "the median of the seconds to the first result.",
        tables=[_path_table(found)],
    )
    yield Section(
        title="Parity",
        intro="Over all compiled paths: `=` the very same bits, `≈` all as near to float64 as "
        "rounding explains; then the largest difference from eager, and the largest error as a "
        "share of what is allowed. What else is not as eager returns it is named.",
        tables=[_parity_table(line, found) for line in _lines(matrix)],
    )
    yield Section(
        title="Drift from build to build",
        intro="How far the compiled paths' outputs moved, in units of the output's root mean "
        "square, seen in a few sampled values: `=` not at all, ❗ by more than the dtype's usual "
        "noise.",
        tables=[_drift_table(line, found) for line in _lines(matrix)],
    )


def _path_table(found: PathsAgree) -> Table:
    paths = list(dict.fromkeys(path for each in found.paths.values() for path in each))
    seconds: dict[tuple[BuildId, str], list[float]] = {}
    for each in found.combinations:
        for path, value in each.compile_s.items():
            seconds.setdefault((each.build, path), []).append(value)
    rows = [
        [build.label, *(_ended(by_path, path, seconds.get((build, path))) for path in paths)]
        for build, by_path in found.paths.items()
        if any(by_path.values())
    ]
    return Table(headers=["build", *map(Code, paths)], rows=rows)


def _ended(by_path: Mapping[str, Sequence[Cell]], path: str, seconds: list[float] | None) -> str:
    said = glyphs(by_path.get(path, ()))
    return f"{said} {median(seconds):.1f} s" if seconds else said


def _parity_table(line: Line, found: PathsAgree) -> Table:
    combinations = {
        (each.model, each.dtype, each.batch, each.build): each
        for each in found.combinations
        if each.build.line == line
    }
    builds = list(dict.fromkeys(key[3] for key in combinations))
    models = dict.fromkeys(key[:3] for key in combinations)
    rows: list[list[Text]] = [
        [*model, *(_agrees(combinations.get((*model, build))) for build in builds)]
        for model in models
    ]
    headers = ["model", "dtype", "batch", *builds]
    return Table(headers=headers, rows=rows)


def _agrees(each: Combination | None) -> str:
    if each is None:
        return ""
    said = [_WORDS[each.agreement]]
    if each.max_abs is not None:
        said.append(f"{each.max_abs:.1e}")
    if each.share is not None:
        said.append(f"({each.share:.2f})")
    return " ".join([*said, *each.contract])


def _drift_table(line: Line, found: PathsAgree) -> Table:
    """One row for each model and dtype, one column for each step from build to build."""
    drift = {
        (each.model, each.dtype, each.before, each.after): each
        for each in found.drift
        if each.after.line == line
    }
    steps = dict.fromkeys(key[2:] for key in drift)
    rows: list[list[Text]] = [
        [model, dtype, *(_moved(drift.get((model, dtype, *step))) for step in steps)]
        for model, dtype in dict.fromkeys(key[:2] for key in drift)
    ]
    columns = [f"{before.name_and_python} → {after.name_and_python}" for before, after in steps]
    return Table(headers=["model", "dtype", *columns], rows=rows)


def _moved(drift: Drift | None) -> str:
    if drift is None:
        return ""
    if drift.compiled is None:
        return "❗ not finite, or another shape"
    if drift.compiled == 0:
        return "="
    return ("❗ " if drift.jump else "") + f"{drift.compiled:.1e}"


def draw(matrix: Matrix, found: PathsAgree) -> Iterable[Chart]:
    """How far numbers moved between neighbouring builds, by dtype, in units of its noise."""
    for line in _lines(matrix):
        drift = [each for each in found.drift if each.after.line == line and noise_of(each.dtype)]
        steps = list(dict.fromkeys((each.before, each.after) for each in drift))
        gap = unmeasured(matrix, line, [build for step in steps for build in step])
        yield Chart(
            title=f"Numeric drift from build to build: {_named(line)}",
            text="The farthest that any model's compiled outputs moved from the build before, as a "
            "share of what rounding explains: above 1 is more than noise. No bar: not at all."
            + gap,
            drawing=Drawing.BARS,
            labels=[after.label for _, after in steps],
            series={
                dtype: [_farthest(drift, dtype, step) for step in steps]
                for dtype in dict.fromkeys(each.dtype for each in drift)
            },
            unit="share of noise",
            table=_numbers_table(drift),
        )


def _farthest(drift: Sequence[Drift], dtype: str, step: tuple[BuildId, BuildId]) -> float | None:
    shares = [
        each.compiled / noise_of(dtype)
        for each in drift
        if (each.before, each.after) == step and each.dtype == dtype and each.compiled is not None
    ]
    return max(shares, default=None)


def _numbers_table(drift: Sequence[Drift]) -> Table:
    return Table(
        headers=("from", "to", "model", "dtype", "compiled", "eager", "more than noise"),
        rows=[
            [
                each.before.label,
                each.after.label,
                each.model,
                each.dtype,
                _number(each.compiled),
                _number(each.eager),
                "yes" if each.jump else "no",
            ]
            for each in drift
            if each.compiled != 0 or each.eager != 0
        ],
    )


def _number(value: float | None) -> str:
    return "cannot be told" if value is None else f"{value:.2g}"

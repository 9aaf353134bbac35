"""Do all paths compute the same numbers."""

from __future__ import annotations

from collections import Counter

from compat.findings.lookup import cells_of
from compat.findings.model import Agreement, Answer, ParityFinding, Sentence
from compat.runs.model import Build, Cell, Outcome, Run

PROBES = ("parity.outputs", "real_models.outputs", "real_models.embeddings")
REFERENCE = "eager"


def parity_cells(run: Run, build: Build, **params: str) -> list[Cell]:
    """The cells on ``build`` that ran one model through one path."""
    return [cell for probe in PROBES for cell in cells_of(run, build, probe, **params)]


def find_parity(run: Run) -> list[ParityFinding]:
    """One finding for each build, model, dtype and batch."""
    keys = dict.fromkeys(
        (cell.params["model"], cell.params["dtype"], cell.params["batch"])
        for cell in run.cells
        if cell.probe in PROBES
    )
    return [
        _find(build, key, cells)
        for build in run.builds
        for key in keys
        if (cells := parity_cells(run, build, model=key[0], dtype=key[1], batch=key[2]))
    ]


def _find(build: Build, key: tuple[str, str, str], cells: list[Cell]) -> ParityFinding:
    compiled = [
        cell
        for cell in cells
        if cell.params["path"] != REFERENCE and cell.outcome is not Outcome.UNSUPPORTED
    ]
    measured = [cell for cell in compiled if "digest" in cell.metrics]
    differences = [
        (float(cell.metrics["max_abs"]), float(cell.metrics["max_rel"])) for cell in measured
    ]
    model, dtype, batch = key
    return ParityFinding(
        build=build.label,
        model=model,
        dtype=dtype,
        batch=batch,
        agreement=_agreement(compiled),
        paths=tuple(cell.params["path"] for cell in measured),
        max_abs=max((each[0] for each in differences), default=0.0),
        max_rel=max((each[1] for each in differences), default=0.0),
        kernels=_same_kernels(measured),
        repeats=_repeats(measured),
    )


def _same_kernels(measured: list[Cell]) -> Answer:
    digests = {cell.metrics.get("kernels_digest") for cell in measured}
    if not measured or None in digests:
        return Answer.UNKNOWN
    return Answer.of(len(digests) == 1)


def _repeats(measured: list[Cell]) -> Answer:
    repeats = {cell.metrics.get("repeats_bitwise") for cell in measured}
    if not measured or None in repeats:
        return Answer.UNKNOWN
    return Answer.of(all(repeats))


def _agreement(compiled: list[Cell]) -> Agreement:
    if any(cell.outcome is Outcome.FAIL for cell in compiled):
        return Agreement.DIFFER
    if not compiled or any(cell.outcome is not Outcome.PASS for cell in compiled):
        return Agreement.UNKNOWN
    digests = {cell.metrics["digest"] for cell in compiled}
    return Agreement.BITWISE if len(digests) == 1 else Agreement.CLOSE


def count_paths(run: Run) -> dict[str, dict[str, dict[str, int]]]:
    """By build, then by path: how often its parity cells ended in each outcome."""
    return {
        build.label: {
            path: dict(Counter(cell.outcome.value for cell in parity_cells(run, build, path=path)))
            for path in dict.fromkeys(
                cell.params["path"] for cell in run.cells if cell.probe in PROBES
            )
        }
        for build in run.builds
    }


def say_parity(run: Run, parity: list[ParityFinding]) -> list[Sentence]:
    """One sentence for the run: all agree, or which do not."""
    known = [each for each in parity if each.agreement is not Agreement.UNKNOWN]
    if not known:
        return []
    differ = [each for each in known if each.agreement is Agreement.DIFFER]
    if differ:
        names = ", ".join(
            f"{each.model} {each.dtype} {each.batch} on {each.build}" for each in differ
        )
        return [
            Sentence(
                title="outputs: some paths compute something else",
                text=f"Beyond the dtype's tolerance: {names}.",
                cells=tuple(
                    cell.id
                    for cell in run.cells
                    if cell.probe in PROBES and cell.outcome is Outcome.FAIL
                ),
            )
        ]
    builds = len({each.build for each in known})
    bitwise = sum(each.agreement is Agreement.BITWISE for each in known)
    worst = max(known, key=lambda each: each.max_abs)
    compared = [each for each in known if each.kernels is not Answer.UNKNOWN]
    same = sum(each.kernels is Answer.YES for each in compared)
    kernels = f"They generate the same kernels in {same} of {len(compared)}. " if compared else ""
    run_twice = [each for each in known if each.repeats is not Answer.UNKNOWN]
    steady = sum(each.repeats is Answer.YES for each in run_twice)
    repeats = (
        f"Run again, each gives its own bits once more in {steady} of {len(run_twice)}. "
        if run_twice
        else ""
    )
    return [
        Sentence(
            title="outputs: all paths agree",
            text=f"On {builds} builds every compiled path that ran is within tolerance of eager. "
            f"In {bitwise} of the {len(known)} combinations of build, model, dtype and batch in "
            f"which all paths ran, the compiled ones give the very same bits. {kernels}{repeats}"
            f"The largest difference from eager is {worst.max_abs:.2g} ({worst.model}, "
            f"{worst.dtype}, {worst.build}).",
            cells=tuple(
                cell.id
                for cell in run.cells
                if cell.probe in PROBES and cell.outcome is Outcome.PASS
            ),
        )
    ]

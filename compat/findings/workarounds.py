"""Which workarounds are still needed, and which ways of doing them still work."""

from __future__ import annotations

from compat.findings.lookup import all_passed, cells_of, metric
from compat.findings.model import Answer, Sentence, WorkaroundFinding
from compat.runs.model import Build, Outcome, Run

NEEDED = "tracing_context.needed"
STRATEGY = "tracing_context.strategy"
RESTORED = "tracing_context.restored"
FAKE_MODE = "gates.shared_fake_mode"
PATCH_TARGET = "gates.patch_target"


def find_workarounds(run: Run) -> list[WorkaroundFinding]:
    """The tracing-context workaround, if the run asked about it."""
    if not any(cell.probe == NEEDED for cell in run.cells):
        return []
    needed: dict[str, Answer] = {}
    failures: dict[str, str] = {}
    for build in run.builds:
        cells = [cell for cell in cells_of(run, build, NEEDED) if "needed" in cell.metrics]
        yes = [cell for cell in cells if cell.metrics["needed"]]
        complete = len(cells) == len(cells_of(run, build, NEEDED)) > 0
        needed[build.label] = Answer.of(True if yes else (False if complete else None))
        if yes:
            failures[build.label] = yes[0].metrics["failure"]
    strategies = dict.fromkeys(
        cell.params["strategy"] for cell in run.cells if cell.probe == STRATEGY
    )
    control = next((label for label, answer in needed.items() if answer is Answer.YES), None)
    return [
        WorkaroundFinding(
            name="tracing_context",
            needed=needed,
            failures=failures,
            works={
                strategy: {build.label: _works(run, build, strategy) for build in run.builds}
                for strategy in strategies
            },
            deletable_from=_deletable_from(needed) if control else None,
            control=control,
        )
    ]


def _works(run: Run, build: Build, strategy: str) -> Answer:
    """A strategy works when what it hides compiles, and the context comes back."""
    cells = [
        *cells_of(run, build, STRATEGY, strategy=strategy),
        *cells_of(run, build, RESTORED, strategy=strategy),
    ]
    return Answer.of(all_passed(cells))


def _deletable_from(needed: dict[str, Answer]) -> str | None:
    """The oldest build such that it and all after it, as far as known, do not need it."""
    known = {label: answer for label, answer in needed.items() if answer is not Answer.UNKNOWN}
    since = None
    for label, answer in reversed(known.items()):
        if answer is Answer.YES:
            break
        since = label
    return since


def say_workarounds(run: Run, workarounds: list[WorkaroundFinding]) -> list[Sentence]:
    """Where the workaround can go, and whether that was seen or only not disproved."""
    sentences = []
    for workaround in workarounds:
        where = [label for label, answer in workaround.needed.items() if answer is Answer.YES]
        cells = tuple(
            cell.id for cell in run.cells if cell.probe == NEEDED and cell.outcome is Outcome.PASS
        )
        if workaround.control is None:
            sentences.append(
                Sentence(
                    title="tracing context: no control in this run",
                    text="No build in this run needs the workaround, so nothing here shows that "
                    "the probe can see the crash. Add 2.10 to the builds.",
                    cells=cells,
                )
            )
            continue
        broken = sorted(
            {
                f"{strategy} on {label}"
                for strategy, answers in workaround.works.items()
                for label, answer in answers.items()
                if answer is Answer.NO
            }
        )
        rest = (
            f"From {workaround.deletable_from} on it is not needed for what vLLM passes, fakes of "
            f"one foreign mode, and can be deleted there. "
            if workaround.deletable_from
            else "The newest build still needs it. "
        )
        tried = [
            strategy
            for strategy, answers in workaround.works.items()
            if Answer.YES in answers.values()
        ]
        if broken:
            how = f"These ways of doing it fail: {', '.join(broken)}."
        elif tried:
            how = f"All ways of doing it work where they were tried: {', '.join(tried)}."
        else:
            how = "No way of doing it was tried in this run."
        sentences.append(
            Sentence(
                title="tracing context: the workaround is needed on " + ", ".join(where),
                text=f"There compile_fx fails inside Dynamo's context unless it is hidden. "
                f"{rest}{how}",
                cells=cells,
            )
        )
    return sentences


def say_fake_mode(run: Run) -> list[Sentence]:
    """From which build on the patch of FakeTensorMode can go, and where it works until then."""
    argument, patched = (_passing(run, way) for way in ("argument", "monkeypatch"))
    missed = [
        build.label
        for build in run.builds
        if metric(cells_of(run, build, PATCH_TARGET, way="string"), "reaches") is False
    ]
    if not argument and not patched:
        return []
    can_go = (
        f"fake_mode= does the same from {argument[0]} on: the patch can go once that is the oldest "
        f"build."
        if argument
        else "No build in this run takes fake_mode= instead."
    )
    works = f"The patch works on {', '.join(patched)}." if patched else "The patch works nowhere."
    by_name = f"Patched by its dotted name it misses the module on {', '.join(missed)}."
    return [
        Sentence(
            title="fake_mode: the monkeypatch of FakeTensorMode",
            text=" ".join([can_go, works, *([by_name] if missed else [])]),
            cells=tuple(cell.id for cell in run.cells if cell.probe in {FAKE_MODE, PATCH_TARGET}),
        )
    ]


def _passing(run: Run, way: str) -> list[str]:
    return [
        build.label for build in run.builds if all_passed(cells_of(run, build, FAKE_MODE, way=way))
    ]

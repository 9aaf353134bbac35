"""Gates in words and tables."""

from __future__ import annotations

from collections.abc import Iterable

from compat.document.parts import Code, Section, Sentence, Table
from compat.runs.ids import BuildId
from compat.topics.gates.finding import FakeModePatch, Gate, Gates, Verdict
from compat.topics.matrix import Matrix
from compat.topics.words import labels

_WORDS = {
    Verdict.USED: "✅ used",
    Verdict.MISSED: "🟡 missed",
    Verdict.BROKEN: "❌ broken",
    Verdict.ABSENT: "➖ absent",
    Verdict.UNKNOWN: "❔",
}


def say(_: Matrix, gates: Gates) -> Iterable[Sentence]:
    """Which gates should move, and what each build loses or risks until then."""
    for gate in gates.gates:
        ships = f"ships the gate {gate.floor}" if gate.floor else "ships no gate"
        if broken := gate.those(Verdict.BROKEN):
            text = f"Downstream {ships}; {labels(broken)} lack the feature and raise a TypeError."
            yield _sentence(gate, "the gate opens too early", text, broken)
        if missed := gate.those(Verdict.MISSED):
            title = "the gate opens late" if gate.floor else "downstream ships no gate"
            why = f"Downstream {ships}, so it" if gate.floor else "Downstream"
            text = f"{why} does not use the feature, which is there on {labels(missed)}."
            yield _sentence(gate, title, text, missed)
    if gates.fake_mode is not None:
        yield from _say_fake_mode(gates.fake_mode)


def _sentence(gate: Gate, title: str, text: str, builds: list[BuildId]) -> Sentence:
    cells = tuple(cell for build in builds for cell in gate.cells[build])
    return Sentence(title=f"{gate.feature}: {title}", text=text, cells=cells)


def _say_fake_mode(patch: FakeModePatch) -> Iterable[Sentence]:
    """Where the patch of FakeTensorMode works, and where a parameter does the same."""
    takes = [build for build, works in patch.argument.items() if works]
    patched = [build for build, works in patch.patch.items() if works]
    if not takes and not patched:
        return
    said = [
        f"fake_mode= does the same on {labels(takes)}."
        if takes
        else "No build in this run takes fake_mode= instead.",
        f"The patch works on {labels(patched)}." if patched else "The patch works nowhere.",
    ]
    if patch.missed_by_name:
        where = labels(patch.missed_by_name)
        said.append(f"A patch by the dotted name misses the module on {where}.")
    yield Sentence(
        title="fake_mode: the patch of FakeTensorMode", text=" ".join(said), cells=patch.cells
    )


def show(matrix: Matrix, gates: Gates) -> Iterable[Section]:
    """Feature × build."""
    rows = [
        [
            Code(gate.feature),
            Code(gate.floor) if gate.floor else "none",
            *(_WORDS[gate.verdicts[build.id]] for build in matrix.builds),
        ]
        for gate in gates.gates
    ]
    headers = ["feature", "gate", *(build.id for build in matrix.builds)]
    yield Section(
        title="Gates",
        intro="The gate is the version rule that vLLM ships; the capability was asked of the "
        "build. *Missed*: the build has the feature and the gate keeps it off. *Broken*: the gate "
        "is open and the build lacks the feature.",
        tables=[Table(headers=headers, rows=rows)],
    )

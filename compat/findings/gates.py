"""Gate against capability, feature by feature."""

from __future__ import annotations

from compat.findings.lookup import cells_of, metric
from compat.findings.model import GateFinding, Sentence, Verdict
from compat.runs.model import Run

PROBE = "gates.capability"


def find_gates(run: Run) -> list[GateFinding]:
    """One finding for each feature that the gates probe asked about."""
    features = dict.fromkeys(cell.params["feature"] for cell in run.cells if cell.probe == PROBE)
    return [_find(run, feature) for feature in features]


def _find(run: Run, feature: str) -> GateFinding:
    everywhere = [cell for cell in run.cells if cell.params.get("feature") == feature]
    has: dict[str, bool] = {}
    verdicts: dict[str, Verdict] = {}
    for build in run.builds:
        cells = cells_of(run, build, PROBE, feature=feature)
        gate, capability = metric(cells, "gate"), metric(cells, "capability")
        if gate is None or capability is None:
            verdicts[build.label] = Verdict.UNKNOWN
            continue
        has[build.label] = capability
        verdicts[build.label] = {
            (True, True): Verdict.USED,
            (False, True): Verdict.MISSED,
            (True, False): Verdict.BROKEN,
            (False, False): Verdict.ABSENT,
        }[gate, capability]
    labels = list(has)
    since = next((label for label in labels if has[label]), None)
    before = labels[: labels.index(since)] if since else labels
    return GateFinding(
        feature=feature,
        gate=metric(everywhere, "floor"),
        source=metric(everywhere, "source") or "",
        available_since=since,
        absent_until=before[-1] if before else None,
        verdicts=verdicts,
    )


def say_gates(run: Run, gates: list[GateFinding]) -> list[Sentence]:
    """Which gates should move, and what each build loses or risks until then."""
    sentences = []
    for gate in gates:
        missed = _with(gate, Verdict.MISSED)
        broken = _with(gate, Verdict.BROKEN)
        rule = f"says {gate.gate}" if gate.gate else "does not exist: downstream never uses it"
        if broken:
            sentences.append(
                _sentence(
                    run,
                    gate,
                    f"{gate.feature}: the gate opens too early",
                    f"The gate {rule}, and {', '.join(broken)} did not have the feature: passing "
                    f"it is a TypeError there.",
                    broken,
                )
            )
        if missed:
            title = "the gate opens late" if gate.gate else "no gate is shipped"
            sentences.append(
                _sentence(
                    run,
                    gate,
                    f"{gate.feature}: {title}",
                    f"The gate {rule}; {', '.join(missed)} had the feature and did not get to use "
                    f"it.",
                    missed,
                )
            )
    return sentences


def _with(gate: GateFinding, verdict: Verdict) -> list[str]:
    return [label for label, seen in gate.verdicts.items() if seen is verdict]


def _sentence(run: Run, gate: GateFinding, title: str, text: str, labels: list[str]) -> Sentence:
    cells = [
        cell.id
        for build in run.builds
        if build.label in labels
        for cell in cells_of(run, build, PROBE, feature=gate.feature)
    ]
    return Sentence(title=title, text=text, cells=tuple(cells))

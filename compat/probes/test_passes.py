"""What a downstream's passes are shown, and what becomes of what they do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from compat.probes.conftest import Record
from compat.probes.downstream import caching, patterns, rewriting, shown, writing
from compat.probes.downstream.trials import attempt_all, none_wrong, some
from compat.runs.signature import signature_of
from compat.topics.reach.records import Census, Shown, Trials

FULL = pytest.mark.full


def test_census(device: str, record: Record) -> None:
    """Which operators, and how many, each custom pass is shown of two dozen graphs.

    Nothing is lowered: the last pass stops the compilation. A downstream's patterns are written
    for what they are shown.
    """
    graphs: dict[str, Shown] = {}
    meta: dict[str, set[str]] = {}
    for name, asked in shown.GRAPHS.items():
        try:
            passes = shown.show(asked, device)
        except Exception as error:  # noqa: BLE001  (it is recorded)
            graphs[name] = Shown(raised=signature_of(error), passes={})
            continue
        graphs[name] = Shown(raised="", passes={key: each.counts for key, each in passes.items()})
        for key, each in passes.items():
            meta[key] = meta.get(key, set(each.meta)) & set(each.meta)
    record(Census(graphs=graphs, meta={key: tuple(sorted(each)) for key, each in meta.items()}))
    product = graphs["linear"]
    assert not product.raised, f"the last pass is not reached: {product.raised}"
    assert calls_of(product.passes[shown.LAST], "mm"), "no pass is shown a product of matrices"


def calls_of(counts: Mapping[str, int], ending: str) -> int:
    """How many calls there are of operators of aten whose names end so."""
    return sum(
        number
        for name, number in counts.items()
        if name.startswith("aten.") and name.split(".")[1].endswith(ending)
    )


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=FULL if kind != "uuid" else ()) for kind in caching.KINDS]
)
def test_kept(kind: str, device: str, record: Record, tmp_path: Path) -> None:
    """A custom pass that changed gets its own result, and one that did not does not run again.

    With a uuid, without one, and with None for it, by config key. How often each runs, on cold
    caches, on warm ones, after the change, and back, is an answer.
    """
    found = attempt_all(caching.passes_kept(kind, tmp_path, device))
    record(Trials(trials=found))
    none_wrong(found)
    assert found[f"{kind}.{shown.LAST}"].ended == "right", found[f"{kind}.{shown.LAST}"].said


@pytest.mark.parametrize("part", ["few", pytest.param("rest", marks=FULL)])
def test_fire(part: str, device: str, record: Record) -> None:
    """A downstream's patterns, traced on this build or written once, fire on what they are for.

    Those over an operator that writes into an argument are compiled as well, and have to compute
    what is computed without a compiler.
    """
    found = attempt_all(some(patterns.patterns(device), patterns.FEW, part))
    record(Trials(trials=found))
    none_wrong(found)
    assert any(each.ended == "right" for each in found.values()), "no pattern fires"


@pytest.mark.parametrize("part", ["few", pytest.param("rest", marks=FULL)])
def test_rewrite(part: str, device: str, record: Record) -> None:
    """What a custom pass finds around it, what it may do to a graph, and who is told if it raises.

    A node without meta, a constant, an operator of its own, a call that writes in place.
    """
    found = attempt_all(some(rewriting.rewrites(device), rewriting.FEW, part))
    record(Trials(trials=found))
    none_wrong(found)
    assert any(each.ended == "right" for each in found.values()), "no pass may do anything"


@pytest.mark.parametrize("part", ["few", pytest.param("rest", marks=FULL)])
def test_operators(part: str, device: str, record: Record) -> None:
    """Operators that write into arguments compute what they compute without a compiler.

    Into a part of what is given, into several, into lists of them, of unusual dtypes; and which
    strides an operator sees, and what becomes of a fake kernel that lies.
    """
    asked = {**writing.writes(device), **writing.dtypes(device), **writing.layouts(device)}
    found = attempt_all(some(asked, writing.FEW, part))
    record(Trials(trials=found))
    none_wrong(found)
    assert any(each.ended == "right" for each in found.values()), "no operator is compiled"

"""What a downstream's passes are shown, and what becomes of what they do."""

from __future__ import annotations

from collections.abc import Mapping

from compat.probes.conftest import Record
from compat.probes.downstream import shown
from compat.runs.signature import signature_of
from compat.topics.reach.records import Census, Shown


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

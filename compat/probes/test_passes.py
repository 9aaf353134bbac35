"""What a downstream's code in the compiler is shown, and what becomes of what it does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from compat.probes.conftest import Record
from compat.probes.downstream import families, shown
from compat.probes.downstream.trials import attempt_all, none_wrong
from compat.runs.signature import signature_of
from compat.topics.reach.records import Census, Shown, Trials

FULL = pytest.mark.full


@pytest.mark.parametrize("part", ["few", pytest.param("rest", marks=FULL)])
def test_census(part: str, device: str, record: Record) -> None:
    """Which operators, and how many, each custom pass is shown of two dozen graphs.

    Nothing is lowered: the last pass stops the compilation. A downstream's patterns are written
    for what they are shown.
    """
    graphs: dict[str, Shown] = {}
    meta: dict[str, set[str]] = {}
    for name, asked in shown.GRAPHS.items():
        if (name in shown.FEW) is not (part == "few"):
            continue
        try:
            passes = shown.show(asked, device)
        except Exception as error:  # noqa: BLE001  (it is recorded)
            graphs[name] = Shown(raised=signature_of(error), passes={})
            continue
        graphs[name] = Shown(raised="", passes={key: each.counts for key, each in passes.items()})
        for key, each in passes.items():
            meta[key] = meta.get(key, set(each.meta)) & set(each.meta)
    record(Census(graphs=graphs, meta={key: tuple(sorted(each)) for key, each in meta.items()}))
    product = graphs["linear" if part == "few" else "mlp"]
    assert not product.raised, f"the last pass is not reached: {product.raised}"
    assert calls_of(product.passes[shown.LAST], "mm"), "no pass is shown a product of matrices"


def calls_of(counts: Mapping[str, int], ending: str) -> int:
    """How many calls there are of operators of aten whose names end so."""
    return sum(
        number
        for name, number in counts.items()
        if name.startswith("aten.") and name.split(".")[1].endswith(ending)
    )


@pytest.mark.full
def test_few(device: str, record: Record, tmp_path: Path) -> None:
    """A few of what passes, patterns, operators, patches and splits of a downstream do, at once.

    In one process, for that what Inductor does once takes longer than any of them: passes on warm
    caches, patterns over unusual dtypes, operators that write into arguments, functions given to
    AOTAutograd, pieces of split graphs, Inductor's own partition.
    """
    found = attempt_all(families.few(tmp_path, device))
    record(Trials(trials=found))
    assert found.keys() == families.FEW, f"not asked: {families.FEW - found.keys()}"
    none_wrong(found)
    not_right = [name for name in ALWAYS if found[name].ended != "right"]
    assert not not_right, "; ".join(f"{name}: {found[name].said}" for name in not_right)


# What every build has done right so far, and no downstream can do without.
ALWAYS = (
    "uuid.post_grad_custom_post_pass",
    "writing_by_hand.float32",
    "writes.fresh",
    "given.compile_fx.inductor",
    "in_order.chain",
)


@pytest.mark.parametrize("family", [pytest.param(name, marks=FULL) for name in families.FAMILIES])
def test_trials(family: str, device: str, record: Record, tmp_path: Path) -> None:
    """All else that is asked of a family: whether it computes what it does without a compiler."""
    found = attempt_all(families.rest(family, tmp_path, device))
    record(Trials(trials=found))
    none_wrong(found)
    assert any(each.ended == "right" for each in found.values()), "nothing works"

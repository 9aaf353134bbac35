"""Cells of passes, patches and pieces, made by hand."""

from __future__ import annotations

from compat.runs.model import Cell
from compat.topics.reach.records import Census, Drive, Patch, Patches, Shown, Trial, Trials
from tests.topics.cells import make_cell

LAST = "post_grad_custom_post_pass"
PATCHED = "torch._dynamo.backends.common.aot_module_simplified"


def make_census(products: int = 1, *, raised: str = "", last: int | None = None) -> Census:
    """A graph with so many products; the last pass may be shown another number of them."""
    passes = {
        "joint_custom_pre_pass": {"aten.mm.default": products, "aten.add.Tensor": 2},
        LAST: {"aten.mm.default": products if last is None else last, "aten.add.Tensor": 2},
    }
    shown = Shown(raised=raised, passes={} if raised else passes)
    return Census(graphs={"mlp": shown}, meta={LAST: ("stack_trace", "val")})


def make_patches(*saw: str, there: bool = True, raised: str = "") -> Patches:
    patch = Patch(there=there, saw=saw)
    return Patches(drives={"compiled": Drive(raised=raised, patches={PATCHED: patch})})


def make_trials(ended: str = "right", said: str = "") -> Trials:
    return Trials(trials={"plain.chain": Trial(ended=ended, said=said)})


def census_cell(build: str, census: Census | None = None) -> Cell:
    return make_cell(build, census or make_census(), probe="passes.census")


def patches_cell(build: str, patches: Patches) -> Cell:
    return make_cell(build, patches, probe="patches.reached")


def trials_cell(build: str, trials: Trials, probe: str = "passes.few") -> Cell:
    return make_cell(build, trials, probe=probe)

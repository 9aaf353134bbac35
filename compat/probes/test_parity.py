"""Do all paths compute the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.probes.agreement import TOLERANCES, difference, digest
from compat.probes.conftest import Record, Require
from compat.probes.driving import DTYPES, PATHS, drive, initialized, make_batches, run_eagerly
from compat.probes.models import MODELS, make_model


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("batch", ["static", "dynamic"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("model", MODELS)
def test_outputs(
    model: str,
    dtype: str,
    batch: str,
    path: str,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """A path computes what the model computes without any compiler, within the dtype's tolerance.

    With a dynamic batch, both the compilation for the range and the one for a single size count.
    """
    for feature in {"donated": ["donate_graph_module"], "aot": ["aot"]}.get(path, []):
        require(feature)
    module = make_model(model, DTYPES[dtype], device)
    batches = make_batches(batch, DTYPES[dtype], device)
    driven = drive(module, initialized(PATHS[path](), tmp_path), batches)
    tolerance = TOLERANCES[DTYPES[dtype]]
    seen = difference(driven.outputs, run_eagerly(module, batches), tolerance)
    record(
        max_abs=seen.max_abs,
        max_rel=seen.max_rel,
        digest=digest(driven.outputs),
        compile_s=round(driven.compile_s, 3),
        pieces=len(driven.backend.pieces),
    )
    assert seen.within_tolerance, (
        f"outputs are off by {seen.max_abs:.3g} (relative {seen.max_rel:.3g}); "
        f"tolerated: {tolerance.absolute:.3g} + {tolerance.relative:.3g} relative"
    )

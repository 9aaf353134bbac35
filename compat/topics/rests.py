"""On what it rests what a topic says of builds: models, dtypes, batches and kinds of inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from compat.runs.ids import BuildId
from compat.runs.model import Cell
from compat.topics.words import labels

# What a probe compiles that has no parameter for it.
_ELSE = {"model": "mlp", "dtype": "float32"}


def rests_on(cells: Iterable[Cell], **otherwise: str) -> str:
    """What the cells asked, as ``mlp and block in float32; static; real inputs``, by build.

    Builds that were asked the same share a text; where all were, no build is named.

    Args:
        cells: Of one question, on any builds.
        otherwise: What a cell without a parameter of that name has asked.
    """
    by_build: dict[BuildId, list[Mapping[str, str]]] = {}
    for cell in cells:
        by_build.setdefault(cell.build, []).append({**_ELSE, **otherwise, **cell.params})
    groups: dict[str, list[BuildId]] = {}
    for build, params in by_build.items():
        groups.setdefault(_of(params), []).append(build)
    if len(groups) == 1:
        return next(iter(groups))
    told = (f"{said} ({labels(builds)})" for said, builds in groups.items())
    return "; ".join(told) or "nothing"


def _of(params: Sequence[Mapping[str, str]]) -> str:
    models: dict[str, list[str]] = {}
    for each in params:
        models.setdefault(each["dtype"], []).append(each["model"])
    dtypes: dict[str, list[str]] = {}
    for dtype, names in models.items():
        dtypes.setdefault(_listed(names), []).append(dtype)
    said = ", ".join(f"{names} in {_listed(those)}" for names, those in dtypes.items())
    batches = [each["batch"] for each in params if "batch" in each]
    inputs = [each["inputs"] for each in params if "inputs" in each]
    if batches:
        said += f", {_listed(batches)} shapes"
    if inputs:
        said += f", {_listed(inputs)} inputs"
    return said


def _listed(names: Iterable[str]) -> str:
    *others, last = dict.fromkeys(names)
    return f"{', '.join(others)} and {last}" if others else last

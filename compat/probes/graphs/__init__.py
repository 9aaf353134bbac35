"""Small graphs that once went wrong: computed something else, did not compile, or crashed.

Each is a function with a link to its public report; each module is a kind of them.
"""

from __future__ import annotations

from compat.probes.graphs import (
    attention,
    dtypes,
    higher_order,
    indexing,
    random_numbers,
    reductions,
    views,
)
from compat.probes.graphs.graph import Graph

_KINDS = (attention, indexing, views, dtypes, reductions, higher_order, random_numbers)

GRAPHS = {
    each.name: each for kind in _KINDS for each in vars(kind).values() if isinstance(each, Graph)
}

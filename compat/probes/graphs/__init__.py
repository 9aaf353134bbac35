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

_BY_KIND = [[each for each in vars(kind).values() if isinstance(each, Graph)] for kind in _KINDS]

GRAPHS = {each.name: each for kind in _BY_KIND for each in kind}
# Of each kind the first ones are asked on every path,
FIRST = frozenset(each.name for kind in _BY_KIND for each in kind[:2])
# and the very first at default depth: a graph takes a second or two to compile.
QUICK = frozenset(kind[0].name for kind in _BY_KIND)

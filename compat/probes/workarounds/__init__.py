"""What the workarounds that downstreams ship guard against, each as a trial."""

from __future__ import annotations

from compat.probes.workarounds import caching, capture, lowering

TRIALS = {**capture.TRIALS, **lowering.TRIALS, **caching.TRIALS}

# Asked in the default depth: gates that were got wrong, and what compiles nothing. The others each
# take the second or two of a first compilation.
FIRST = frozenset(
    (
        "scalar-mask",
        "unsupported-dtype",
        "runtime-builtins",
        "pre-grad-passes",
        "cache-value-error",
        "pickled-slices",
        "pickled-symbols",
        "float8-rows",
    )
)

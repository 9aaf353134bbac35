"""What the workarounds that downstreams ship guard against, each as a trial."""

from __future__ import annotations

from compat.probes.workarounds import caching, capture, lowering

TRIALS = {**capture.TRIALS, **lowering.TRIALS, **caching.TRIALS}

# Asked in the default depth: what landed or moved lately. The others have been the same for long.
FIRST = frozenset(
    (
        "fake-mode-patch",
        "scalar-mask",
        "unsupported-dtype",
        "cache-value-error",
        "runtime-builtins",
        "opaque-strides",
        "pre-grad-passes",
        "size-asserts",
        "view-of-input",
        "saveable",
        "pickled-slices",
        "pickled-symbols",
        "float8-rows",
    )
)

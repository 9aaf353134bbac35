"""Records of: what of a compilation reaches a downstream's code in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from compat.topics.naming import check_names

RIGHT, OTHERWISE, WRONG, RAISES = "right", "otherwise", "wrong", "raises"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the custom passes are shown of one graph.

    Attributes:
        raised: Why compilation did not come to the last pass: a signature; empty where it did.
        passes: By pass, in the order in which they run: how often each operator is in the graph.
    """

    raised: str
    passes: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, kw_only=True)
class Census:
    """What the custom passes are shown.

    Attributes:
        graphs: By graph.
        meta: By pass: what stands in the meta of every call of an operator, in all graphs.
    """

    graphs: Mapping[str, Shown]
    meta: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        check_names(chain(self.graphs, self.meta))


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A function of torch that downstreams replace.

    Attributes:
        there: Whether the build has it.
        saw: Each way in which the replacement was called, positional arguments as dots and the
            keywords in order; empty where it was never called.
    """

    there: bool
    saw: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Drive:
    """One thing that a user does while all patches are in place.

    Attributes:
        raised: A signature, or empty.
        patches: By dotted name of what is replaced.
    """

    raised: str
    patches: Mapping[str, Patch]

    def __post_init__(self) -> None:
        check_names(self.patches)


@dataclass(frozen=True, kw_only=True)
class Patches:
    """What the replacements see, by what the user does."""

    drives: Mapping[str, Drive]

    def __post_init__(self) -> None:
        check_names(self.drives)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One thing that a downstream does.

    Attributes:
        ended: ``right``; ``otherwise``, not as wanted and no wrong number; ``wrong``, something
            else computed without a word; or ``raises``.
        said: What was seen besides, or the signature of what was raised.
    """

    ended: str
    said: str


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Several things that a downstream does, by dotted name."""

    trials: Mapping[str, Trial]

    def __post_init__(self) -> None:
        check_names(self.trials)


RECORDS: Mapping[str, type] = {
    "passes.census": Census,
    "passes.few": Trials,
    "passes.trials": Trials,
    "patches.reached": Patches,
}

"""What an adapter offers: the seam between the questions and the projects they are asked of.

It runs inside a build, on Python 3.10, and imports no torch, so that records can use it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

Json = Any


class Place(str, Enum):
    """Where a graph is compiled, seen from Dynamo."""

    INSIDE = "inside"
    """While Dynamo still traces: its tracing context is there."""

    OUTSIDE = "outside"
    """After Dynamo has finished, in no tracing context."""


EVERYWHERE = frozenset(Place)
INSIDE = frozenset({Place.INSIDE})
OUTSIDE = frozenset({Place.OUTSIDE})
NOWHERE: frozenset[Place] = frozenset()


@dataclass(frozen=True, kw_only=True)
class PathSpec:
    """One way in which a subject compiles.

    Attributes:
        about: What is driven, in a few words.
        baseline: Whether it compiles nothing: the subject's own reference.
        needs: Keywords of ``standalone_compile`` without which a build does not have the path.
        saves: Whether it leaves artifacts that a new process can load.
        places: Where it can compile.
        single: Where it can compile for a single size.
        loads: Where it can load what it saved.
        again: Where it can compile a second time beside the caches of the first: a project may
            load what is there then.
        environment: Variables to be set before anything of the subject is imported.
    """

    about: str
    baseline: bool = False
    needs: tuple[str, ...] = ()
    saves: bool = False
    places: frozenset[Place] = EVERYWHERE
    single: frozenset[Place] = EVERYWHERE
    loads: frozenset[Place] = EVERYWHERE
    again: frozenset[Place] = EVERYWHERE
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A keyword that a subject passes to torch on some builds only: one of its gates.

    Attributes:
        function: Whose keyword it is: ``standalone_compile`` or ``compile_fx``.
        keyword: Its name.
        paths: Where the gate stands.
        source: Where the rule comes from.
    """

    function: str
    keyword: str
    paths: tuple[str, ...]
    source: str


class Verdict(str, Enum):
    """What a gate did on a build."""

    USED = "used"
    """The subject passed the keyword and the build takes it."""

    MISSED = "missed"
    """The build takes the keyword and the subject did not pass it."""

    BROKEN = "broken"
    """The subject passed the keyword and the build does not take it."""

    ABSENT = "absent"
    """The build does not take the keyword and the subject did not pass it."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call into torch's compiler.

    Attributes:
        function: ``standalone_compile`` or ``compile_fx``.
        positional: How many arguments were passed by position.
        keywords: All that were passed by keyword. What JSON does not know is its type's name.
        within: The recorded function that made the call; empty where the subject did.
        ended: ``returned``, or the type of what was raised.
    """

    function: str
    positional: int
    keywords: Mapping[str, Json]
    within: str
    ended: str


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What reached torch while a model was driven.

    Attributes:
        calls: In the order in which they began. ``compile_fx`` calls itself; that is no call.
        copies: How many graph modules were deep-copied.
        accepted: The keywords that this build's functions take, by function.
        patched: Names of torch that were something else during a compilation than before it.
        counters: Hits and misses of Inductor's and AOTAutograd's caches.
    """

    calls: tuple[Call, ...]
    copies: int
    accepted: Mapping[str, tuple[str, ...]]
    patched: tuple[str, ...]
    counters: Mapping[str, int]

    @property
    def compilations(self) -> int:
        """How often the subject asked torch to compile."""
        return sum(1 for call in self.calls if not call.within)

    def verdict(self, feature: Feature) -> Verdict | None:
        """What the gate of ``feature`` did; None where its function was not called."""
        calls = [c for c in self.calls if c.function == feature.function and not c.within]
        if not calls:
            return None
        passed = any(feature.keyword in call.keywords for call in calls)
        taken = feature.keyword in self.accepted[feature.function]
        return {
            (True, True): Verdict.USED,
            (False, True): Verdict.MISSED,
            (True, False): Verdict.BROKEN,
            (False, False): Verdict.ABSENT,
        }[passed, taken]


@dataclass(frozen=True, kw_only=True)
class Driven:
    """A model that was run through a path.

    Attributes:
        outputs: What each batch gave, exactly as returned.
        seconds: Of the first batch, in which everything is captured and compiled or loaded.
        seen: What reached torch.
        saved: What :meth:`Subject.drive` takes to load it all again; None where nothing is kept.
    """

    outputs: tuple[Any, ...]
    seconds: float
    seen: Seen
    saved: Json = None


class BrokenPathError(Exception):
    """A path did not get to its end.

    Attributes:
        inner_exception: What the project or torch raised.
        seen: What had reached torch by then.
    """

    def __init__(self, inner_exception: Exception, seen: Seen) -> None:
        super().__init__(str(inner_exception))
        self.inner_exception = inner_exception
        self.seen = seen


class Subject(Protocol):
    """A project's compiler interface, driven as the project does.

    Making one imports nothing of the project, so that variables can still be set.

    Attributes:
        modules: What :meth:`drive` imports of the project.
        paths: Its ways to compile, by name.
        features: Its gates, by name.
    """

    modules: Sequence[str]
    paths: Mapping[str, PathSpec]
    features: Mapping[str, Feature]

    def drive(
        self,
        path: str,
        model: Any,
        batches: Sequence[Any],
        cache: Path,
        saved: Json = None,
        *,
        size: int | None = None,
        place: Place = Place.INSIDE,
    ) -> Driven:
        """Capture ``model`` with a dynamic first dimension, compile it, run every batch.

        Args:
            path: A key of ``paths``.
            model: A ``torch.nn.Module`` without gradients.
            batches: One tensor, or a tuple of tensors, each; the batch is the first dimension.
            cache: Everything that is written goes below it.
            saved: What an earlier call gave, perhaps in another process, for the same model,
                cache and size: it is loaded instead of compiled.
            size: The batch size to compile for alone; None compiles for a range.
            place: Where to compile or load.

        Raises:
            BrokenPathError: The project or torch raised something.
        """

"""What is found in a source tree: each thing with its file and line."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from packaging.version import Version


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands: a path below the tree's root with ``/``, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Comparison(str, Enum):
    """How torch's version is compared.

    ``==`` and ``!=`` look at as many numbers as the other side has: ``release[:2] == (2, 5)``.
    """

    AT_LEAST = ">="
    ABOVE = ">"
    BELOW = "<"
    AT_MOST = "<="
    EQUAL = "=="
    UNEQUAL = "!="

    @property
    def swapped(self) -> Comparison:
        """As it is read from the other side."""
        return _SWAPPED.get(self, self)


_SWAPPED = {
    Comparison.AT_LEAST: Comparison.AT_MOST,
    Comparison.AT_MOST: Comparison.AT_LEAST,
    Comparison.ABOVE: Comparison.BELOW,
    Comparison.BELOW: Comparison.ABOVE,
}
_ORDERS: Mapping[Comparison, Callable[[Version, Version], bool]] = {
    Comparison.AT_LEAST: operator.ge,
    Comparison.ABOVE: operator.gt,
    Comparison.BELOW: operator.lt,
    Comparison.AT_MOST: operator.le,
}


@dataclass(frozen=True)
class Rule:
    """The versions for which a check is true."""

    comparison: Comparison
    version: Version

    def __str__(self) -> str:
        return f"{self.comparison.value} {self.version}"

    def holds(self, torch: Version) -> bool:
        """Whether it is true for a torch version, whose local part does not count."""
        public = Version(torch.public)
        if self.comparison in _ORDERS:
            return _ORDERS[self.comparison](public, self.version)
        numbers = self.version.release
        equal = public.release[: len(numbers)] == numbers
        return equal is (self.comparison is Comparison.EQUAL)

    def settled_from(self, oldest: Version) -> bool:
        """Whether ``oldest`` and all that is newer get one and the same answer."""
        if self.comparison in {Comparison.AT_LEAST, Comparison.BELOW}:
            return self.version <= oldest
        if self.comparison in {Comparison.ABOVE, Comparison.AT_MOST}:
            return self.version < oldest
        numbers = self.version.release
        return oldest.release[: len(numbers)] > numbers


@dataclass(frozen=True)
class Condition:
    """A check that has one answer wherever a place is reached."""

    rule: Rule
    answer: bool

    def lets_through(self, torch: Version) -> bool:
        return self.rule.holds(torch) is self.answer


@dataclass(frozen=True, kw_only=True)
class VersionCheck:
    """A place that asks for torch's version.

    Attributes:
        text: The check as it is written.
        rule: None where the version that it is compared with is not written there, or where the
            comparison has no order.
        guards: Keywords that are passed only where the check is true.
    """

    place: Place
    text: str
    rule: Rule | None
    guards: tuple[str, ...] = ()


class Use(str, Enum):
    """What a tree does with a name of torch."""

    IMPORTED = "imported"
    TYPING = "imported for types"  # below TYPE_CHECKING: never when the program runs
    READ = "read"
    CALLED = "called"
    PATCHED = "patched"
    SUBCLASSED = "subclassed"


@dataclass(frozen=True, kw_only=True)
class Call:
    """With what a name is called.

    Attributes:
        positional: How many arguments go by their position.
        keywords: The names of the others.
        whole: Whether that is all: neither ``*args`` nor ``**kwargs`` is passed on.
    """

    positional: int
    keywords: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, kw_only=True)
class NameUse:
    """A name of torch that nobody promised to keep, or any that is patched.

    Attributes:
        path: Dotted, as far as it can be read from the source.
        call: Of a called name; None otherwise.
        guarded: Whether the place expects it not to be there: ``hasattr``, or an ``except`` for
            what is raised then.
        conditions: The version checks around it.
    """

    place: Place
    path: str
    use: Use
    call: Call | None = None
    guarded: bool = False
    conditions: tuple[Condition, ...] = ()


class KeyUse(str, Enum):
    """What a tree does with a key of a torch config module."""

    READ = "read"
    SET = "set"
    PATCHED = "patched"
    PASSED = "passed as an option"


@dataclass(frozen=True, kw_only=True)
class ConfigKey:
    """A key of Inductor's, Dynamo's or functorch's config.

    Attributes:
        module: ``torch._inductor.config``, for one.
        key: With a dot where it is in a group, ``triton.cudagraphs``; empty where it cannot be read
            from the source.
        guarded: As of a name.
        conditions: As of a name.
    """

    place: Place
    module: str
    key: str
    use: KeyUse
    guarded: bool = False
    conditions: tuple[Condition, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.module}.{self.key}"


@dataclass(frozen=True, kw_only=True)
class OperatorUse:
    """An operator that torch itself registers: ``aten.mm``, or an overload, ``aten.mm.default``."""

    place: Place
    path: str


class SwitchUse(str, Enum):
    """What a tree does with an environment variable."""

    READ = "read"
    SET = "set"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class Switch:
    """An environment variable that torch, or its compiler, reads as well.

    Attributes:
        default: What is taken where it is not set, as it is written; empty where nothing is.
    """

    place: Place
    name: str
    use: SwitchUse
    default: str = ""


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """A class that has members of a torch object which it is no subclass of.

    Attributes:
        members: All that the class and its bases in the tree define.
        whole: Whether that is all it has: no base elsewhere, no ``__getattr__``.
    """

    place: Place
    name: str
    members: frozenset[str]
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Tree:
    """All that was found, in the order of files and lines.

    Attributes:
        files: How many Python files were read.
        unreadable: By file: why it is no Python that could be read.
    """

    files: int
    unreadable: Mapping[str, str]
    checks: tuple[VersionCheck, ...]
    names: tuple[NameUse, ...]
    keys: tuple[ConfigKey, ...]
    operators: tuple[OperatorUse, ...]
    switches: tuple[Switch, ...]
    stand_ins: tuple[StandIn, ...]

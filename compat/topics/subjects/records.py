"""Records of: the paths of a subject, and what reached torch while they were driven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.adapters.protocol import Verdict
from compat.topics.naming import check_names


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What importing a subject does to torch and to the environment.

    Attributes:
        patched: The names of torch that stood for something else afterwards.
        environment: The variables that it set or changed, each as ``NAME=value``.
    """

    patched: tuple[str, ...]
    environment: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """A model that a path compiled and ran; up to where it broke, if it did.

    Attributes:
        agrees: Whether all outputs are as right as eager's; None where it broke.
        contract: What else of the outputs differs from eager's.
        compilations: How often the subject asked torch to compile.
        copies: How many graph modules were deep-copied.
        passed: By function of torch: what the subject passed by keyword, each as ``name=value``.
        gates: By feature: what the subject's gate decided.
        patched: The names of torch that stood for something else during a compilation.
        missing: The attributes that torch read from the subject's objects and did not find.
    """

    agrees: bool | None
    contract: tuple[str, ...]
    compilations: int
    copies: int
    passed: Mapping[str, tuple[str, ...]]
    gates: Mapping[str, Verdict]
    patched: tuple[str, ...]
    missing: tuple[str, ...]

    def __post_init__(self) -> None:
        check_names([*self.passed, *self.gates])


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a path compiled, loaded in a new process.

    Attributes:
        agrees: Whether all outputs are as right as eager's.
        compilations: How often the subject asked torch to compile all the same.
    """

    agrees: bool
    compilations: int


@dataclass(frozen=True, kw_only=True)
class Again:
    """A second compilation of the same model, in a new process, beside the caches of the first.

    Attributes:
        agrees: Whether all outputs are as right as eager's.
        compilations: How often the subject asked torch to compile.
        hits: How often torch's caches of compiled graphs had what was asked for,
        misses: and how often not.
    """

    agrees: bool
    compilations: int
    hits: int
    misses: int

    @property
    def served(self) -> bool:
        """Whether nothing was compiled anew: torch was not asked, or its caches had all of it."""
        return self.compilations == 0 or (self.hits > 0 and self.misses == 0)


RECORDS: Mapping[str, type] = {
    "subject.imported": Imported,
    "subject.compiled": Compiled,
    "subject.loaded": Loaded,
    "subject.again": Again,
}

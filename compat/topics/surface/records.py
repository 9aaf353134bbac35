"""Records of: the private names, config keys and operators that subjects use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.topics.naming import check_names


@dataclass(frozen=True, kw_only=True)
class Name:
    """A private name.

    Attributes:
        there: Whether the build has it; None where that cannot be told.
        signature: What it is, with its parameters, or its type; empty where it is not there.
        refused: The parameters that a subject always passes and it does not take.
        unknown: Why it cannot be told whether it is there; empty otherwise.
        subjects: Who uses it.
    """

    there: bool | None
    signature: str
    refused: tuple[str, ...]
    unknown: str = ""
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Used:
    """The names of one part of torch that subjects use and this project's own interface does not.

    Attributes:
        names: By dotted path.
    """

    names: Mapping[str, Name]

    def __post_init__(self) -> None:
        check_names(self.names)


@dataclass(frozen=True, kw_only=True)
class Key:
    """A config key.

    Attributes:
        there: Whether the build has it.
        default: As it is written in Python, or of which key it is an alias; of what is no plain
            value the type alone; empty where the key is gone.
        subjects: Who reads or sets it.
    """

    there: bool
    default: str
    subjects: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Config:
    """The keys of a config module that subjects read or set.

    Attributes:
        keys: By dotted path.
    """

    keys: Mapping[str, Key]

    def __post_init__(self) -> None:
        check_names(self.keys)


@dataclass(frozen=True, kw_only=True)
class Operator:
    """An operator, or one overload of it.

    Attributes:
        there: Whether the build has it.
        schemas: Of its overloads; of a higher-order operator, which has none, its parameters.
        subjects: Who names it.
    """

    there: bool
    schemas: tuple[str, ...]
    subjects: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Operators:
    """The operators of a namespace that subjects name.

    Attributes:
        operators: By name, with the namespace: ``aten.mm.default``.
    """

    operators: Mapping[str, Operator]

    def __post_init__(self) -> None:
        check_names(self.operators)


RECORDS: Mapping[str, type] = {
    "surface.name": Name,
    "surface.used": Used,
    "surface.config": Config,
    "surface.operators": Operators,
}

"""The names, config keys and operators of torch that the matrix watches: ``watched.json``.

They are derived from what subjects ask of torch: ``compat watch`` writes the file. The standard
library only, and Python 3.10: it is read inside builds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from compat.runs.ids import BUILTIN

FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What is watched, each by its dotted path, sorted.

    Attributes:
        subjects: Whose source it is derived from, beside this project's own interface.
        names: By subject that has a name: the keywords that it passes at each call.
        keys: Of config modules: the subjects that read or set them.
        operators: ``aten.mm.default``: the subjects that name them.
    """

    subjects: Sequence[str]
    names: Mapping[str, Mapping[str, Sequence[str]]]
    keys: Mapping[str, Sequence[str]]
    operators: Mapping[str, Sequence[str]]

    @property
    def own(self) -> Sequence[str]:
        """The names that this project's own interface leans on."""
        return [path for path, users in self.names.items() if BUILTIN in users]

    def used(self) -> Mapping[str, Sequence[str]]:
        """The names that only other subjects use, by the part of torch that they are in."""
        return _grouped([path for path in self.names if BUILTIN not in self.names[path]], _part)

    def config_modules(self) -> Mapping[str, Sequence[str]]:
        """The keys of each config module."""
        return _grouped(self.keys, _config_module)

    def namespaces(self) -> Mapping[str, Sequence[str]]:
        """The operators of each namespace."""
        return _grouped(self.operators, lambda path: path.partition(".")[0])


@cache
def watched() -> Watched:
    """What the file holds."""
    return Watched(**json.loads(FILE.read_text(encoding="utf-8")))


def _config_module(key: str) -> str:
    """A key may have dots of its own, ``torch._inductor.config.triton.cudagraphs``."""
    return re.split(r"(?<=\._config)\.|(?<=\.config)\.", key, maxsplit=1)[0]


def _part(path: str) -> str:
    """``torch._inductor``; ``torch`` itself for what lies in no part of it."""
    parts = path.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else parts[0]  # noqa: PLR2004


def _grouped(paths: Iterable[str], group: Callable[[str], str]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(group(path), []).append(path)
    return found

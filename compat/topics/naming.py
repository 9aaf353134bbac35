"""Names in records that become names of answers. The standard library only: builds import this."""

from __future__ import annotations

import re
from collections.abc import Iterable

from compat.runs.ids import ANSWER_NAME

_NAME = re.compile(ANSWER_NAME)


def check_names(names: Iterable[str]) -> None:
    """Hold names to what can stand in an answer's id.

    Raises:
        ValueError: One of them cannot.
    """
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"expected names, joined by dots, not {name[:40]!r}")

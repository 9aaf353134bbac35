"""What a sabotage is, and all of them by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

Break = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Sabotage:
    """What it breaks, and the parts of the ids of the checks that must notice."""

    apply: Break
    checks: tuple[str, ...]


SABOTAGES: dict[str, Sabotage] = {}


def sabotage_of(*checks: str) -> Callable[[Break], Break]:
    def register(function: Break) -> Break:
        assert function.__name__ not in SABOTAGES, f"two sabotages are called {function.__name__}"
        SABOTAGES[function.__name__] = Sabotage(function, checks)
        return function

    return register

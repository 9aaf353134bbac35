"""Which build is compared with which: each with its stable twin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


def stable_twins(
    things: Iterable[T],
    *,
    line: Callable[[T], object],
    is_release: Callable[[T], bool],
    order: Callable[[T], Any],
) -> list[tuple[T, T]]:
    """Each build that is no release behind the newest release; without such, the last two releases.

    Args:
        things: Builds, or what is of one build each.
        line: What builds have in common that may be compared.
        is_release: Whether it is a release.
        order: A key that sorts them, oldest first.
    """
    lines: dict[object, list[T]] = {}
    for each in things:
        lines.setdefault(line(each), []).append(each)
    pairs = []
    for alike in lines.values():
        releases = sorted(filter(is_release, alike), key=order)
        others = [each for each in alike if not is_release(each)]
        if others and releases:
            pairs += [(releases[-1], now) for now in others]
        elif len(releases) > 1:
            pairs.append((releases[-2], releases[-1]))
    return pairs

"""Tells what hangs from what is slow: by processor time, with a generous wall clock behind it.

What hangs uses no processor. On a busy machine what works may take many times as long as on an idle
one, and uses no more processor time than there.
"""

from __future__ import annotations

from dataclasses import dataclass

# What uses less than this part of one processor waits: a thread that polls uses a little.
_IDLE_PART = 0.01
# By the clock; beside twenty busy processes one gets a tenth of two processors.
_PATIENT = 20


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What something may take, in seconds.

    Attributes:
        processor_s: Of processor time, with all its processes.
        idle_s: Of wall clock in a row in which it uses no processor time to speak of.
        wall_s: Of wall clock.
    """

    processor_s: float
    idle_s: float
    wall_s: float

    @classmethod
    def of(cls, timeout_s: float) -> Bounds:
        """What ``--timeout`` stands for."""
        return cls(processor_s=timeout_s, idle_s=timeout_s, wall_s=_PATIENT * timeout_s)


class Patience:
    """With one thing that runs, from now on.

    Args:
        bounds: What it may take.
        now_s: What a clock says that does not go back.
        used_s: The processor time that was used before.
    """

    def __init__(self, bounds: Bounds, now_s: float, used_s: float = 0.0) -> None:
        self._bounds = bounds
        self._began_s = self._busy_s = now_s
        self._used_before_s = self._most_s = self._busy_used_s = used_s

    def verdict(self, now_s: float, used_s: float) -> str:
        """Why it is to be ended, in one line; empty while it may go on."""
        bounds = self._bounds
        # What an orphan used is lost when it ends: then there is less than before.
        if used_s < self._busy_used_s or used_s - self._busy_used_s > _IDLE_PART * bounds.idle_s:
            self._busy_s, self._busy_used_s = now_s, used_s
        self._most_s = max(self._most_s, used_s)
        wall_s, idle_s = now_s - self._began_s, now_s - self._busy_s
        took = f"{self._most_s - self._used_before_s:.1f} s of processor time"
        within = f"in {wall_s:.0f} s of wall clock"
        if idle_s > bounds.idle_s:
            return f"hung: no processor time for {bounds.idle_s:g} s, {took} {within}"
        if self._most_s - self._used_before_s > bounds.processor_s:
            return f"ran away: {took} {within}"
        if wall_s > bounds.wall_s:
            return f"came to no end: {took} {within}"
        return ""

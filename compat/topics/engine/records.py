"""Records of: a released engine that is booted, and what it says in each of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.adapters.engine import Ran
from compat.topics.naming import check_names

# By prompt, by token that was said.
Tokens = tuple[tuple[int, ...], ...]
Numbers = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Started:
    """An engine that was imported.

    Attributes:
        extensions: Its compiled extensions that were loaded.
        patched: The names of torch that stood for something else afterwards.
    """

    extensions: tuple[str, ...]
    patched: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """What an engine said with empty caches.

    Attributes:
        tokens: By request.
        chosen: By request: the log-probabilities of these tokens.
        bits: A digest of the log-probabilities of all tokens, to the last bit.
        off: By request: how far one of them is at most from a float64 run of the same weights.
        strays: How many tokens this run would not have said.
        ran: What ran meanwhile.
    """

    tokens: Mapping[str, Tokens]
    chosen: Mapping[str, Numbers]
    bits: str
    off: Mapping[str, float]
    strays: int
    ran: Ran

    def __post_init__(self) -> None:
        check_names([*self.tokens, *self.chosen, *self.off])


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """What an engine said in a setting, beside what it says with ``standalone_compile``.

    Attributes:
        tokens: Whether all tokens are the same.
        bitwise: Whether the log-probabilities of all tokens are, to the last bit.
        off: How far they are from one another at most.
    """

    tokens: bool
    bitwise: bool
    off: float


@dataclass(frozen=True, kw_only=True)
class Restarted:
    """An engine that was booted a second time, beside what the first boot left in its caches.

    Attributes:
        same: Whether it said the same, to the last bit; None where it raised.
        compilations: How often Inductor generated code.
        asked: How many pieces the engine asked to have compiled, though torch's caches had them.
        loads: How many kept pieces were asked for or counted as loaded.
        hits: How often torch's caches of compiled graphs had what was asked for.
        warned: What its compiler warned of.
        raised: The signature of what it raised instead; empty where it spoke.
        boot_s: Seconds until it could be asked; None where it raised.
    """

    same: bool | None
    compilations: int
    asked: int
    loads: int
    hits: int
    warned: tuple[str, ...]
    raised: str
    boot_s: float | None


RECORDS: Mapping[str, type] = {
    "engine.started": Started,
    "engine.says": Spoken,
    "engine.agrees": Agreed,
    "engine.restarts": Restarted,
}

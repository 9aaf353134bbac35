"""What the adapter of an engine offers: it is booted with a model and asked for tokens.

It is the seam between the questions and the engines. It runs inside a build, on Python 3.10, and
imports no torch, so that records can use it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol


class Way(str, Enum):
    """What is given to a compiler."""

    PIECES = "pieces"
    """The graph, split at the engine's attention."""

    WHOLE = "whole"
    """The graph as it is, with the engine's attention in it."""

    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One way to run a model.

    Attributes:
        about: What it is, in a few words.
        mode: The engine's own name of it.
        way: What it gives to a compiler.
        adaptor: The engine's class that compiles the pieces; empty where there are none.
        environment: Variables to be set before the engine is booted.
    """

    about: str
    mode: str
    way: Way
    adaptor: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """Prompts that are given at the same time.

    Attributes:
        prompts: Each a list of tokens.
        tokens: How many are to be said after each.
    """

    prompts: Sequence[Sequence[int]]
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What ran while an engine spoke, by its own counters and by what reached torch.

    Attributes:
        mode: What the engine's configuration says once it has booted.
        adaptors: By the engine's class: how often it was asked for a compiled piece.
        loads: Likewise: how often it was asked for one that is kept.
        pieces: Into how many pieces to compile the engine split a graph.
        artifacts: How many kept artifacts the engine counts as loaded.
        compilations: How often Inductor generated code, whoever asked for it.
        whole: How many of these graphs had the engine's attention in them.
        hits: How often torch's caches of compiled graphs had what was asked for.
        warned: What the engine's compiler warned of: the same tomorrow, without folders.
        boot_s: Seconds until it could be asked,
        first_s: until the first token was there, and
        rest_s: for all that followed.
        memory_gb: The most memory that its process held.
    """

    mode: str
    adaptors: Mapping[str, int]
    loads: Mapping[str, int]
    pieces: int
    artifacts: int
    compilations: int
    whole: int
    hits: int
    warned: tuple[str, ...]
    boot_s: float
    first_s: float
    rest_s: float
    memory_gb: float


# By prompt, by token that was said: the log-probability of every token there is.
Odds = Sequence[Sequence[Sequence[float]]]


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What an engine said.

    Attributes:
        tokens: By request and prompt.
        odds: By request.
        ran: What ran meanwhile.
    """

    tokens: Mapping[str, Sequence[Sequence[int]]]
    odds: Mapping[str, Odds]
    ran: Ran


class Engine(Protocol):
    """An engine of some release, with its compiled extensions.

    Making one imports nothing of it, so that variables can still be set.

    Attributes:
        modules: What is imported once, ahead of everything that forks.
        folders: Variables that name folders to write to, beside ``HOME``.
        settings: Its ways to run a model, by name.
    """

    modules: Sequence[str]
    folders: Sequence[str]
    settings: Mapping[str, Setting]

    def extensions(self) -> tuple[str, ...]:
        """The compiled extensions that importing it has loaded, by file name.

        Raises:
            ImportError: There are some, and none of them loads here: what the loader says.
        """

    def speak(
        self,
        setting: str,
        model: Path,
        dtype: str,
        requests: Mapping[str, Request],
        cache: Path,
    ) -> Heard:
        """Boot with a model and answer the requests greedily, in a process of its own.

        Args:
            setting: A key of ``settings``.
            model: A folder in the form of ``transformers``, without a tokenizer.
            dtype: In which to compute, as torch calls it.
            requests: What is asked, one after the other.
            cache: Everything that is compiled goes below it.
        """

    def kept(self, setting: str, cache: Path) -> Path | None:
        """A file below ``cache`` with a compiled piece, or with all of them; None without any."""

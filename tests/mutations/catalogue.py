"""Ways to break a real torch build, each with the answers that must be told, and no others may be.

Each breaks torch itself, in the process of a probe, as a change upstream would. What it is asked is
a part of the matrix: what must tell it, and :data:`BASE`, which must keep silent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

Break = Callable[[pytest.MonkeyPatch], None]

# Torch as it is, and once more in processes of their own: nothing may be told of these.
UNBROKEN = ("unbroken", "unbroken-again")

# What follows where a path no longer compiles: its checks, and what is said of all paths together.
PATHS = r"(compile_fx|standalone|aot|donated)\]|donation\."
ALL_PATHS = rf"{PATHS}|eager\]"
# What follows where one path's numbers are others.
SAME_BITS = r"\] same_bits: lost"

# Asked under every mutation.
BASE = (
    "gates.capability",
    "donation.copies",
    "parity.outputs[mlp-float32-static",
)
# The same of a subject that is not builtin.
THROUGH = ("subject.compiled[mine-mlp-range-inside", "subject.loaded[mine-mlp-range-inside")
COMPILED, LOADED = (
    rf"^{probe}\[.* outcome: (lost|worse)" for probe in ("subject.compiled", "subject.loaded")
)
NAMES = ("surface.name", "surface.config", "surface.operators[aten")
DONATION = ("donation.flag", "donation.outputs", "donation.donor", "donation.reuse")
CONTEXT = ("tracing_context.needed", "tracing_context.strategy", "tracing_context.restored[tracing")
NUMBERS = (
    "parity.outputs[mlp-bfloat16-dynamic",
    "parity.outputs[reduction-float32-dynamic",
    "parity.outputs[reduction-bfloat16-dynamic",
)
SAVING = ("artifacts.reload[unpacked", "artifacts.reload[fx-graph-cache", "shape_env.reads")
WORK = ("cost.work",)
# What the breakages that are replayed are linked to.
PYTORCH = "https://github.com/pytorch/pytorch"
VLLM = "https://github.com/vllm-project/vllm"


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One break.

    Attributes:
        asks: Beginnings of the checks that are asked besides :data:`BASE`; the mutation is one more
            parameter, so ``[aot-`` and not ``[aot]``.
        told: Regular expressions, each of which at least one answer that is told must match: the
            answer as ``CHECK NAME``, then ``: CHANGE``, such as ``lost`` or ``worse``.
        also: What may be told besides: it follows from the same break.
        through: What must be told, and nothing else may be, where a backend of somebody's own is
            asked, which compiles with standalone_compile, saves and loads.
        quick: Whether the self-check before a night's run has it.
        since: The first release that has what is broken,
        until: and the first one that no longer has it, or is broken so itself.
        replays: The real breakage that this is, as a link.
    """

    apply: Break
    about: str
    asks: tuple[str, ...]
    told: tuple[str, ...]
    also: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    quick: bool = False
    since: str = ""
    until: str = ""
    replays: str = ""


@dataclass
class Catalogue:
    """All of them, by name."""

    mutations: dict[str, Mutation] = field(default_factory=dict)

    def add(
        self,
        *told: str,
        asks: tuple[str, ...] = (),
        also: tuple[str, ...] = (),
        through: tuple[str, ...] = (),
        quick: bool = False,
        since: str = "",
        until: str = "",
        replays: str = "",
    ) -> Callable[[Break], Break]:
        """Register a function that breaks torch; its name and docstring say how."""

        def register(function: Break) -> Break:
            name = function.__name__
            assert name not in self.mutations, f"two mutations are called {name}"
            assert function.__doc__, f"{name} does not say what it breaks"
            self.mutations[name] = Mutation(
                apply=function,
                about=function.__doc__.strip().partition("\n")[0],
                asks=asks,
                told=told,
                also=also,
                through=through,
                quick=quick,
                since=since,
                until=until,
                replays=replays,
            )
            return function

        return register


CATALOGUE = Catalogue()
mutation = CATALOGUE.add

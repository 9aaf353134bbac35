"""Questions about the switches of the compiler; a new process can ask them with torch alone.

``python -m compat.probes.switches`` prints what the functions that are asked with the compiler
switched off do, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

import torch
import torch._dynamo
import torch._dynamo.config

from compat.probes.attempts import CountingBackend, attempt
from compat.topics.machines.records import Went

Question = Callable[[CountingBackend], Any]

STANCES = ("default", "force_eager", "eager_on_recompile", "fail_on_recompile")
RARE_STANCES = (
    "eager_then_compile",
    "aot_eager_then_compile",
)


def plain(x: torch.Tensor) -> torch.Tensor:
    return x.sin() + 1


def with_break(x: torch.Tensor) -> torch.Tensor:
    y = x.sin()
    torch._dynamo.graph_break()
    return y + 1


@torch.compiler.disable
def disabled(x: torch.Tensor) -> torch.Tensor:
    return x.sin()


def calls_disabled(x: torch.Tensor) -> torch.Tensor:
    return disabled(x) + 1


class Layer(torch.nn.Module):
    """The plain function as a module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return plain(x)


X = torch.arange(3.0)


def compiled(
    function: Callable[..., Any], backend: CountingBackend, fullgraph: bool
) -> Callable[..., Any]:
    result: Callable[..., Any] = torch.compile(
        function, backend=backend, fullgraph=fullgraph, dynamic=False
    )
    return result


def switched_off() -> dict[str, Went]:
    """How calls go where the environment, or the config, switches the compiler off."""
    return _ask(
        {
            **{f"partial.{name}": each for name, each in _ordinary(fullgraph=False).items()},
            **{f"fullgraph.{name}": each for name, each in _ordinary(fullgraph=True).items()},
            "fullgraph.force_eager": lambda backend: _under(
                torch.compiler.set_stance("force_eager"), plain, backend, fullgraph=True
            ),
        }
    )


def switched_off_ahead() -> dict[str, Went]:
    """Likewise of ``aot_compile``, which compiles when it is asked to (pytorch#174607)."""
    return _ask({"aot_compile": _ahead})


def _ahead(backend: CountingBackend) -> Any:
    switch = {"enable_aot_compile": True}
    known = {name: on for name, on in switch.items() if hasattr(torch._dynamo.config, name)}
    with torch._dynamo.config.patch(known):
        function: Any = torch.compile(plain, backend="aot_eager", fullgraph=True)
        loaded = function.aot_compile(((X,), {}))
        backend.calls += loaded is not plain
        return loaded(X)


def _ordinary(*, fullgraph: bool) -> dict[str, Question]:
    def module_compile(backend: CountingBackend) -> Any:
        layer = Layer()
        layer.compile(backend=backend, fullgraph=fullgraph)
        return layer(X)

    def twice(backend: CountingBackend) -> Any:
        function = compiled(plain, backend, fullgraph)
        function(X)
        return function(X)

    return {
        "function": lambda backend: compiled(plain, backend, fullgraph)(X),
        "graph_break": lambda backend: compiled(with_break, backend, fullgraph)(X),
        "module": lambda backend: compiled(Layer(), backend, fullgraph)(X),
        "module_compile": module_compile,
        "twice": twice,
    }


def stances(*, fullgraph: bool) -> dict[str, Went]:
    """How calls go under the stances that people use, and where graph breaks are errors."""
    questions: dict[str, Question] = {
        "calls_disabled": lambda backend: compiled(calls_disabled, backend, fullgraph)(X),
        "error_on_graph_break": lambda backend: _under(
            torch._dynamo.error_on_graph_break(True), with_break, backend, fullgraph
        ),
    }
    for stance in STANCES:
        questions |= _under_stance(stance, fullgraph)
    return _ask(questions)


def rare_stances(*, fullgraph: bool) -> dict[str, Went]:
    """Likewise under the others, where the backend fails, or a function was compiled too often."""
    questions: dict[str, Question] = {
        "force_backend": lambda backend: _under(
            torch.compiler.set_stance("default", force_backend="eager"), plain, backend, fullgraph
        ),
        "recompile_limit": lambda backend: _beyond_the_limit(backend, fullgraph),
        "suppress_errors": lambda _: _with_suppressed_errors(fullgraph),
        "no_error_on_graph_break": lambda backend: _under(
            torch._dynamo.error_on_graph_break(False), with_break, backend, fullgraph
        ),
    }
    for stance in RARE_STANCES:
        questions |= _under_stance(stance, fullgraph)
    return _ask(questions)


def _under_stance(stance: str, fullgraph: bool) -> dict[str, Question]:
    return {
        f"{stance}.first": lambda backend: _under(
            torch.compiler.set_stance(stance), plain, backend, fullgraph
        ),
        f"{stance}.again": lambda backend: _again(stance, plain, backend, fullgraph),
    }


def _under(
    context: AbstractContextManager[Any],
    function: Callable[..., Any],
    backend: CountingBackend,
    fullgraph: bool,
) -> Any:
    with context:
        return compiled(function, backend, fullgraph)(X)


def _again(
    stance: str, function: Callable[..., Any], backend: CountingBackend, fullgraph: bool
) -> Any:
    """Compiled for another shape before the stance is taken."""
    ready = compiled(function, backend, fullgraph)
    ready(torch.arange(5.0))
    backend.calls = 0
    with torch.compiler.set_stance(stance):
        return ready(X)


def _beyond_the_limit(backend: CountingBackend, fullgraph: bool) -> Any:
    def scaled(x: torch.Tensor, factor: float) -> torch.Tensor:
        return x * factor

    ready = compiled(scaled, backend, fullgraph)
    with torch._dynamo.config.patch(recompile_limit=2, specialize_float=True):
        for factor in (2.0, 3.0):
            ready(X, factor)
        backend.calls = 0
        # What plain returns, as all others.
        return ready(X, 4.0) * 0 + plain(X)


def _with_suppressed_errors(fullgraph: bool) -> Any:
    """The backend itself fails."""

    def failing(*_: Any) -> Any:
        raise ValueError("this backend compiles nothing")

    with torch._dynamo.config.patch(suppress_errors=True):
        return torch.compile(plain, backend=failing, fullgraph=fullgraph)(X)


def _ask(questions: Mapping[str, Question]) -> dict[str, Went]:
    found = {}
    for name, question in questions.items():
        torch._dynamo.reset()
        found[name] = attempt(question, plain(X))
    return found


def main() -> None:
    json.dump({name: asdict(went) for name, went in switched_off().items()}, sys.stdout)


if __name__ == "__main__":
    main()

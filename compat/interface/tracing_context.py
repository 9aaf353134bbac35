"""Ways to call the compiler from inside Dynamo without it seeing Dynamo's tracing context.

``compile_fx`` reads the FakeTensorMode of the ambient tracing context; a piece's inputs come
from another mode, and on some builds the two clash (vllm#38015). Each strategy runs a function
with no tracing context and puts back the very same object afterwards, also when it raises.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
import torch._guards
from torch._guards import TracingContext

T = TypeVar("T")


class Run(Protocol):
    """Calls a function in its own way and returns its result."""

    def __call__(self, function: Callable[[], T]) -> T: ...


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """One way to hide the tracing context.

    Attributes:
        name: What reports and arguments call it.
        run: Calls a function without tracing context and returns its result.
    """

    name: str
    run: Run

    def works(self) -> bool:
        """Whether the running build has what the strategy leans on, and it hides the context."""
        try:
            return self.run(TracingContext.try_get) is None
        except (AttributeError, TypeError):
            return False


def _run_with_tls_cleared(function: Callable[[], T]) -> T:
    """Assign ``torch._guards._TLS.tracing_context``: what vLLM 0.33.0 ships."""
    saved = TracingContext.try_get()
    torch._guards._TLS.tracing_context = None
    try:
        return function()
    finally:
        torch._guards._TLS.tracing_context = saved


def _run_under_tracing_none(function: Callable[[], T]) -> T:
    """Use torch's own, private, context manager."""
    with torch._guards.tracing(None):
        return function()


def _run_in_fresh_thread(function: Callable[[], T]) -> T:
    """Use public API only: the context is thread-local, and a new thread has none."""
    # A new thread starts with gradients on; what is compiled depends on that switch.
    grad_enabled = torch.is_grad_enabled()
    context = contextvars.copy_context()

    def in_thread() -> T:
        with torch.set_grad_enabled(grad_enabled):
            return function()

    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(context.run, in_thread).result()


STRATEGIES = {
    strategy.name: strategy
    for strategy in (
        Strategy(name="tls", run=_run_with_tls_cleared),
        Strategy(name="tracing", run=_run_under_tracing_none),
        Strategy(name="thread", run=_run_in_fresh_thread),
    )
}


def choose_strategy() -> Strategy:
    """The first strategy, in the order of ``STRATEGIES``, that works here and now.

    Raises:
        RuntimeError: None of them hides the context.
    """
    for strategy in STRATEGIES.values():
        if strategy.works():
            return strategy
    raise RuntimeError(f"no way to hide the tracing context works: tried {list(STRATEGIES)}")

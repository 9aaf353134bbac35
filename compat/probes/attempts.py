"""How a call of a function that is to be compiled goes, told in words that stay the same."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from compat.probes.agreement import contract_differences
from compat.probes.calls import Call
from compat.runs.signature import normalise, signature_of
from compat.topics.machines.records import Went

_FILE = re.compile(r": '…/[^']*'")


class CountingBackend:
    """Compiles nothing, and counts how often one of its graphs is called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, graph: torch.fx.GraphModule, _: Sequence[Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self.calls += 1
            return graph(*args)

        return call


def attempt(call: Callable[[CountingBackend], Any], want: Any) -> Went:
    """Call something that is to be compiled with the backend, which returns what ``want`` is."""
    backend = CountingBackend()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            result = call(backend)
        except Exception as error:  # noqa: BLE001  (it is the answer)
            return Went(right=None, how=raises(error) + _warns(warned))
    how = "compiled" if backend.calls else "eager"
    return Went(right=same(result, want), how=how + _warns(warned))


def raises(error: Exception) -> str:
    """The signature, without the names of files: those in caches are hashes."""
    return _FILE.sub("", f"raises {signature_of(error)}")


def same(result: Any, want: Any) -> bool:
    """Whether two results are as near as rounding explains, and alike in all else.

    Aliasing of what a call was given is not looked at: neither says what that was.
    """
    try:
        torch.testing.assert_close(result, want)
    except AssertionError:
        return False
    return not contract_differences(Call(result), Call(want))


def _warns(warned: Sequence[warnings.WarningMessage]) -> str:
    """What was warned of, each once."""
    said = {f"{each.category.__name__}: {normalise(str(each.message))}" for each in warned}
    return "".join(f", warns {each}" for each in sorted(said))

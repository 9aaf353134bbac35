"""What reached torch: calls, copies and names that a subject replaced."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import torch._dynamo
import torch._inductor
from torch import fx
from torch._dynamo.utils import counters
from torch._inductor import compile_fx as _compile_fx_module  # noqa: F401  (it is patched)

from compat.adapters.protocol import Call, Json, Seen

# How torch's cache counters are called, by the group they stand in.
_CACHE_COUNTERS = {
    "inductor": ("fxgraph_cache_hit", "fxgraph_cache_miss", "fxgraph_cache_bypass"),
    "aot_autograd": ("autograd_cache_hit", "autograd_cache_miss", "autograd_cache_bypass"),
}

# What state is kept in. Rebinding one is no patch.
_STATE = (bool, int, float, complex, str, bytes, type(None), torch.Tensor)

_TORCH = Path(torch.__file__).parent

Names = Mapping[str, Any]


def names_of_torch() -> Names:
    """What every name of torch's imported modules, and of their classes, stands for now."""
    found: dict[str, Any] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "torch" or module is None:
            continue
        for attribute, value in list(vars(module).items()):
            found[f"{name}.{attribute}"] = value
            if issubclass(type(value), type) and value.__module__ == name:
                for member, inner in list(vars(value).items()):
                    found[f"{name}.{attribute}.{member}"] = inner
    return found


def imported(modules: Iterable[str]) -> tuple[tuple[str, ...], Exception | None]:
    """Import modules: the names of torch that this replaced, and why it ended, if it did early."""
    names, problem = names_of_torch(), None
    try:
        for module in modules:
            importlib.import_module(module)
    except Exception as error:  # noqa: BLE001  (whoever asks hands it on)
        problem = error
    return replaced(names, names_of_torch()), problem


def settle() -> None:
    """Let torch make the replacements in itself that it puts off until Dynamo is first used."""
    torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1))
    torch._dynamo.reset()


def replaced(before: Names, after: Names) -> tuple[str, ...]:
    """The names that stand for another object in ``after``, sorted.

    So does a new one that hides what a class inherits; other new ones, and lost ones, do not.
    """
    return tuple(
        sorted(
            name
            for name, value in after.items()
            if not _is_state(value)
            and (
                before[name] is not value and not _is_state(before[name])
                if name in before
                else _hides_inherited(name, before)
            )
        )
    )


def missing_reads(error: BaseException) -> tuple[str, ...]:
    """Attributes that torch read, and did not find, on objects that are not torch's own.

    Read from the chain of ``error``: what torch asks for and does without is not seen.
    """
    found = []
    for each in _chain(error):
        if isinstance(each, AttributeError) and each.obj is not None and _raised_in_torch(each):
            owner = each.obj if isinstance(each.obj, type) else type(each.obj)
            if owner.__module__.partition(".")[0] not in {"torch", "builtins"}:
                found.append(f"{owner.__module__}.{owner.__qualname__}.{each.name}")
    return tuple(dict.fromkeys(found))


class Watch:
    """Collects what :class:`Seen` holds while it is installed."""

    def __init__(self) -> None:
        self._calls: list[dict[str, Any]] = []
        self._open: list[str] = []
        self._copies = 0
        self._accepted: dict[str, tuple[str, ...]] = {}
        self._patched: set[str] = set()
        self._before: Names = {}
        self._counters = _cache_counters()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Wrap torch's functions wherever its modules hold them."""
        real_copy = fx.GraphModule.__deepcopy__

        @wraps(real_copy)
        def copy(module: fx.GraphModule, memo: Any) -> fx.GraphModule:
            self._copies += 1
            return real_copy(module, memo)

        compile_fx = sys.modules["torch._inductor.compile_fx"].compile_fx
        with ExitStack() as stack:
            for function in (torch._inductor.standalone_compile, compile_fx):
                spy = self._spy(function)
                for module, name in _holders(function):
                    stack.enter_context(patch.object(module, name, spy))
            stack.enter_context(patch.object(fx.GraphModule, "__deepcopy__", copy))
            self._before = names_of_torch()
            yield

    def seen(self) -> Seen:
        now = _cache_counters()
        return Seen(
            calls=tuple(Call(**call) for call in self._calls),
            copies=self._copies,
            accepted=self._accepted,
            patched=tuple(sorted(self._patched)),
            counters={name: now[name] - self._counters[name] for name in now},
        )

    def _notice_patches(self) -> None:
        now = names_of_torch()
        self._patched.update(
            name for name in replaced(self._before, now) if _is_code_of_another(now[name])
        )

    def _spy(self, function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        self._accepted[name] = tuple(inspect.signature(function).parameters)

        @wraps(function)
        def spy(*args: Any, **kwargs: Any) -> Any:
            within = self._open[-1] if self._open else ""
            if within == name:
                return function(*args, **kwargs)
            if not within:
                self._notice_patches()
            call = {
                "function": name,
                "positional": len(args),
                "keywords": {key: as_json(value) for key, value in kwargs.items()},
                "within": within,
                "ended": "returned",
            }
            self._calls.append(call)
            self._open.append(name)
            try:
                return function(*args, **kwargs)
            except BaseException as error:
                call["ended"] = type(error).__name__
                raise
            finally:
                self._open.pop()

        return spy


def as_json(value: Any) -> Json:
    """``value`` for a record; what JSON does not know is its type's name."""
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(inner) for inner in value]
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _holders(function: Callable[..., Any]) -> list[tuple[Any, str]]:
    return [
        (module, name)
        for key, module in list(sys.modules.items())
        if key.partition(".")[0] == "torch" and module is not None
        for name, value in list(vars(module).items())
        if value is function
    ]


def _is_state(value: Any) -> bool:
    # isinstance would ask the object, and some of torch's deprecated ones warn when asked.
    return issubclass(type(value), _STATE)


def _is_code_of_another(value: Any) -> bool:
    """Whether it can be called and is not made by torch, which replaces much while it traces."""
    function = getattr(value, "__func__", value)
    code = getattr(function, "__code__", None)
    if code is None:
        return callable(function) and type(function).__module__.partition(".")[0] != "torch"
    return not Path(code.co_filename).is_relative_to(_TORCH)


def _hides_inherited(name: str, before: Names) -> bool:
    owner, _, member = name.rpartition(".")
    bases = before[owner].__mro__[1:] if issubclass(type(before.get(owner)), type) else ()
    return any(member in vars(base) for base in bases)


def _cache_counters() -> dict[str, int]:
    return {
        name: counters[group][name] for group, names in _CACHE_COUNTERS.items() for name in names
    }


def _chain(error: BaseException) -> Iterator[BaseException]:
    """``error``, what it wraps and what it came from, each once."""
    pending: list[BaseException | None] = [error]
    met: set[int] = set()
    while pending:
        each = pending.pop()
        if each is None or id(each) in met:
            continue
        met.add(id(each))
        yield each
        pending += [getattr(each, "inner_exception", None), each.__cause__, each.__context__]


def _raised_in_torch(error: BaseException) -> bool:
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    module: str = trace.tb_frame.f_globals.get("__name__", "")
    return module.partition(".")[0] == "torch"

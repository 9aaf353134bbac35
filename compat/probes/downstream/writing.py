"""Compiles calls of operators that write into arguments, or that are odd in another way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from compat.probes.caches import no_caches
from compat.probes.downstream.operators import LAYOUT_TAGS, OPERATORS
from compat.probes.downstream.trials import compared
from compat.topics.reach.records import OTHERWISE, RIGHT, Trial

DTYPES = (
    *("bool", "uint8", "int8", "int16", "uint16", "uint32", "uint64", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex32"),
    *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
    "float4_e2m1fn_x2",
)


def judged(call: Callable[..., Any], inputs: Callable[[], tuple[Any, ...]], **how: Any) -> Trial:
    """Whether what it returns and leaves in its inputs is what it is without a compiler."""
    given, wanted_given = inputs(), inputs()
    torch._dynamo.reset()
    with torch.no_grad(), no_caches():
        got = torch.compile(call, fullgraph=True, **how)(*given)
        wanted = call(*wanted_given)
    return compared((got, given), (wanted, wanted_given))


def _matrix(*shape: int) -> Callable[[], Tensor]:
    def make() -> Tensor:
        torch.manual_seed(0)
        return torch.randn(shape)

    return make


def _inputs(device: str, *shapes: tuple[int, ...]) -> Callable[[], tuple[Tensor, ...]]:
    return lambda: tuple(_matrix(*shape)().to(device) for shape in shapes)


def _fresh(x: Tensor) -> Tensor:
    out = torch.empty_like(x)
    OPERATORS.attend(x, out)
    return out


def _decorated(x: Tensor, out: Tensor) -> Tensor:
    OPERATORS.decorated(x, out)
    return out @ x


def _part(x: Tensor, cache: Tensor) -> Tensor:
    OPERATORS.attend(x, cache[1])
    return cache[1] @ x


def _columns(x: Tensor, cache: Tensor) -> Tensor:
    OPERATORS.attend(x, cache[:, :, 0])
    return cache[:, :, 0] @ x


def _transposed(x: Tensor) -> Tensor:
    out = torch.empty_like(x)
    OPERATORS.attend(x, out.t())
    return out


def _in_turn(x: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    OPERATORS.attend(x, state)
    first = state @ x
    OPERATORS.attend(first, state)
    return first, state @ x, state


def _several(x: Tensor, second: Tensor) -> Tensor:
    first = torch.empty_like(x)
    OPERATORS.both(x, first, second)
    return first @ second


def _same_twice(x: Tensor, state: Tensor) -> Tensor:
    OPERATORS.both(x, state, state)
    return state @ x


def _overlapping(x: Tensor, state: Tensor) -> Tensor:
    OPERATORS.both(x, state[:4], state[2:6])
    return state @ x


def _returning(x: Tensor, seen: Tensor) -> Tensor:
    return OPERATORS.counted(OPERATORS.counted(x, seen), seen)


def _list(x: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
    first, second = torch.empty_like(x), torch.empty_like(x)
    OPERATORS.each(x, [first, given, second])
    return first @ given, second


def _list_of_views(x: Tensor, given: Tensor) -> Tensor:
    OPERATORS.each(x, list(given.unbind(0)))
    return given[1] @ given[2]


def _none(x: Tensor) -> Tensor:
    return OPERATORS.perhaps(x, None)


def _some(x: Tensor, out: Tensor) -> Tensor:
    return OPERATORS.perhaps(x, out)


def _read_and_written(state: Tensor) -> Tensor:
    OPERATORS.attend(state, state)
    return state @ state


WRITES: Mapping[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "fresh": (_fresh, ((4, 4),)),
    "a_row_of_what_is_given": (_part, ((4, 4), (3, 4, 4))),
    "a_column_of_what_is_given": (_columns, ((4, 4), (4, 4, 3))),
    "a_transposed_view": (_transposed, ((4, 4),)),
    "by_a_decorated_function": (_decorated, ((4, 4), (4, 4))),
    "in_turn": (_in_turn, ((4, 4), (4, 4))),
    "several": (_several, ((4, 4), (4, 4))),
    "the_same_twice": (_same_twice, ((4, 4), (4, 4))),
    "overlapping_views": (_overlapping, ((4, 4), (8, 4))),
    "and_returns": (_returning, ((4, 4), (4, 4))),
    "a_list": (_list, ((4, 4), (4, 4))),
    "a_list_of_views": (_list_of_views, ((4, 4), (3, 4, 4))),
    "perhaps_nothing": (_none, ((4, 4),)),
    "perhaps_something": (_some, ((4, 4), (4, 4))),
    "what_it_reads": (_read_and_written, ((4, 4),)),
}


def writes(device: str) -> dict[str, Callable[[], Trial]]:
    """By what is written into: whether it is what it is without a compiler."""
    return {
        f"writes.{name}": partial(judged, call, _inputs(device, *shapes))
        for name, (call, shapes) in WRITES.items()
    }


def _of_dtype(dtype: torch.dtype, device: str) -> Tensor:
    plain = torch.arange(16).reshape(4, 4) % 2
    if dtype == getattr(torch, "float4_e2m1fn_x2", None):
        return plain.to(torch.uint8).view(dtype).to(device)
    return plain.to(dtype).to(device)


def _copied(x: Tensor) -> Tensor:
    out = torch.empty_like(x)
    OPERATORS.copy_into(x, out)
    return out


def _with_scale(x: Tensor, scale: Tensor) -> Tensor:
    out = torch.empty_like(x)
    OPERATORS.scale_into(OPERATORS.scaled(x, scale), out, scale)
    return out


def _written(dtype: torch.dtype, device: str) -> Trial:
    return judged(_copied, lambda: (_of_dtype(dtype, device),))


def _read(dtype: torch.dtype, device: str) -> Trial:
    return judged(_with_scale, lambda: (_matrix(4, 4)().to(device), _of_dtype(dtype, device)))


def dtypes(device: str) -> dict[str, Callable[[], Trial]]:
    """By dtype: of what is written, and of what is only read beside it."""
    found: dict[str, Callable[[], Trial]] = {}
    for name in DTYPES:
        dtype = getattr(torch, name, None)
        if dtype is None:
            continue
        found[f"written_{name}"] = partial(_written, dtype, device)
        found[f"read_{name}"] = partial(_read, dtype, device)
    return found


def layouts(device: str) -> dict[str, Callable[[], Trial]]:
    """Which strides an operator sees, by its tag, and what becomes of fakes that lie."""
    found: dict[str, Callable[[], Trial]] = {}
    given = {
        "transposed": lambda x, w: (x @ w).t(),
        "sliced": lambda x, w: (x @ w)[:, 1:3],
        "expanded": lambda x, w: (x @ w)[:, :1].expand(4, 6),
    }
    for tag in ("", *LAYOUT_TAGS):
        name = f"strides_{tag}" if tag else "strides"
        if not hasattr(OPERATORS, name):
            continue
        for shape, view in given.items():
            found[f"{name}.{shape}"] = partial(
                _seen_strides,
                getattr(OPERATORS, name),
                view,
                device,
                any_order=tag == "flexible_layout",
            )
    for name in ("transposing", "itself", "halved", "widened"):
        found[f"lies.{name}"] = partial(_lied_to, getattr(OPERATORS, name), device)
    return found


def _lied_to(operator: Callable[..., Any], device: str) -> Trial:
    return judged(lambda x, w: operator(x @ w), _inputs(device, (4, 6), (6, 4)))


def _seen_strides(
    operator: Callable[..., Any], view: Callable[..., Any], device: str, *, any_order: bool
) -> Trial:
    def call(x: Tensor, weight: Tensor) -> Tensor:
        return operator(view(x, weight))

    inputs = _inputs(device, (4, 6), (6, 6))()
    torch._dynamo.reset()
    with torch.no_grad(), no_caches():
        got = torch.compile(call, fullgraph=True)(*inputs).tolist()
        wanted = call(*inputs).tolist()
    ended = RIGHT if any_order or got == wanted else OTHERWISE
    return Trial(ended=ended, said=f"{got} of {wanted}")


# Asked at default depth.
FEW = frozenset(
    (
        "writes.fresh",
        "writes.several",
        "writes.a_list",
        "writes.perhaps_nothing",
        "read_float8_e8m0fnu",
        "written_float8_e8m0fnu",
        "read_float32",
        "strides.transposed",
        "lies.transposing",
    )
)

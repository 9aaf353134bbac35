"""Workarounds for what Inductor makes of a graph."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import torch._library.utils
from torch import fx
from torch._inductor import compile_fx, config, graph, ir, lowering, pattern_matcher, scheduler
from torch._inductor.codegen import cpp
from torch._inductor.exc import OperatorIssue
from torch._inductor.virtualized import V

from compat.probes.caches import no_caches
from compat.probes.workarounds.trial import (
    NeededError,
    Trial,
    agrees,
    captured,
    compiled,
    operator,
    under,
)

_NAMESPACE = "compat_workarounds"


def _merged_rows(positions: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    rows = table[positions]
    merged = rows[2].clone()
    merged[..., 0::3] = rows[0, ..., 0::3]
    merged[..., 1::3] = rows[1, ..., 1::3]
    return merged * 2


def scalar_mask(device: str, _: Path) -> None:
    table = torch.arange(21.0, device=device).reshape(7, 3)
    # More elements than the widest vector has, which else are computed one by one.
    positions = torch.arange(120, device=device).reshape(3, 40) % 7
    piece, inputs = captured(_merged_rows, positions, table)
    with no_caches():
        agrees(compiled(piece, inputs), inputs, _merged_rows(positions, table))


def mask_from_scalar() -> AbstractContextManager[Any]:
    real = cpp.CppVecKernel.indirect_assert

    def indirect_assert(self: Any, var: Any, lower: Any, upper: Any, mask: Any = None) -> Any:
        line = real(self, var, lower, upper, mask)
        if not var.is_vec or not mask or getattr(mask, "is_vec", False):
            return line
        kind = self._get_mask_type(var.dtype)
        return line.replace(f"{kind}({mask})", f"{kind}::from({mask})")

    return patch.object(cpp.CppVecKernel, "indirect_assert", indirect_assert)


def _scaled(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    torch.ops.compat_workarounds.scale_into(x, out, scale)
    return out + 1


def unsupported_dtype(device: str, _: Path) -> None:
    operator(
        f"{_NAMESPACE}::scale_into",
        "(Tensor x, Tensor(a!) out, Tensor scale) -> ()",
        lambda x, out, scale: (out.copy_(x * 3), None)[1],
        lambda x, out, scale: None,
    )
    x = torch.arange(8.0, device=device)
    scale = torch.ones(4, device=device).to(torch.float8_e8m0fnu)
    piece, inputs = captured(_scaled, x, scale)
    with no_caches():
        agrees(compiled(piece, inputs), inputs, x * 3 + 1)


def filter_builtin_operators_only() -> AbstractContextManager[Any]:
    real = pattern_matcher.fallback_node_due_to_unsupported_type

    def filtered(node: fx.Node, *args: Any, **kwargs: Any) -> bool:
        return (
            isinstance(node.target, torch._ops.OpOverload)
            and torch._library.utils.is_builtin(node.target)
            and real(node, *args, **kwargs)
        )

    return patch.object(pattern_matcher, "fallback_node_due_to_unsupported_type", filtered)


_NUMBERS = itertools.count()


def fallback_allow_list(device: str, _: Path) -> None:
    # Of its own each time: an operator is written out once a process.
    name = f"written_{next(_NUMBERS)}"
    _define_double(name)
    x = torch.arange(8.0, device=device)
    double = getattr(torch.ops.compat_workarounds, name)
    piece, inputs = captured(lambda x: double(x + 1) + 1, x)
    written = 0
    real = OperatorIssue.operator_str

    def counted(*args: Any) -> str:
        nonlocal written
        written += 1
        return str(real(*args))

    with no_caches(), patch.object(OperatorIssue, "operator_str", staticmethod(counted)):
        agrees(compiled(piece, inputs), inputs, (x + 1) * 2 + 1)
    if written:
        raise NeededError(f"the arguments of an operator were written out {written} times")


def _define_double(name: str = "double") -> None:
    operator(
        f"{_NAMESPACE}::{name}",
        "(Tensor x) -> Tensor",
        lambda x: x * 2,
        torch.empty_like,
    )


@contextmanager
def own_namespace_allowed() -> Iterator[None]:
    class Allowed:
        def __contains__(self, name: object) -> bool:
            return str(name).startswith(f"{_NAMESPACE}::") or name in lowering.FALLBACK_ALLOW_LIST

    with patch.object(graph, "FALLBACK_ALLOW_LIST", Allowed()):
        yield


def size_asserts(device: str, _: Path) -> None:
    _define_double()
    x = torch.eye(4, device=device)
    piece, inputs = captured(lambda x: torch.ops.compat_workarounds.double(x @ x + 1) + 1, x)
    asserted = 0
    guards = torch._C._dynamo.guards

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            nonlocal asserted
            asserted += 1
            return real(*args)

        return counted

    with no_caches(), ExitStack() as patched:
        # A later build checks several at once, by a function of its own.
        for name in dir(guards):
            if name.startswith("assert_"):
                patched.enter_context(patch.object(guards, name, counting(getattr(guards, name))))
        artifact = compiled(piece, inputs)
        agrees(artifact, inputs, (x @ x + 1) * 2 + 1)
        first, asserted = asserted, 0
        agrees(artifact, inputs, (x @ x + 1) * 2 + 1)
    if asserted:
        raise NeededError(f"{asserted} checks at the second call, {first} at the first")


def asserts_off() -> AbstractContextManager[Any]:
    off: AbstractContextManager[Any] = config.patch(
        size_asserts=False, alignment_asserts=False, scalar_asserts=False
    )
    return off


def _opaque_name() -> Any:
    """The opaque type of a layer's name, registered once a process."""
    global _Name  # noqa: PLW0603
    if _Name is None:
        from torch._library.opaque_object import register_opaque_type
        from torch._opaque_base import OpaqueBase

        class LayerName(OpaqueBase):
            def __init__(self, value: str) -> None:
                self.value = value

            def __eq__(self, other: object) -> bool:
                return isinstance(other, LayerName) and self.value == other.value

            def __hash__(self) -> int:
                return hash(self.value)

            def __fx_repr__(self) -> tuple[str, dict[str, type]]:
                return f"LayerName({self.value!r})", {"LayerName": LayerName}

        # Its name becomes that of a type in a schema, where a local one cannot stand.
        LayerName.__qualname__ = "LayerName"
        register_opaque_type(LayerName, typ="value", hoist=True)
        _Name = LayerName
    return _Name


_Name: Any = None


def opaque_strides(device: str, _: Path) -> None:
    kind = _opaque_name()

    def scale(x: torch.Tensor, name: Any) -> torch.Tensor:
        return x * 2

    scale.__annotations__ = {"x": torch.Tensor, "name": kind, "return": torch.Tensor}
    schema = torch.library.infer_schema(scale, mutates_args=())
    if not hasattr(torch.ops.compat_workarounds, "named"):
        torch.library.define(
            f"{_NAMESPACE}::named", schema, tags=(torch.Tag.needs_fixed_stride_order,)
        )
        torch.library.impl(f"{_NAMESPACE}::named", "default", scale)
        torch.library.register_fake(f"{_NAMESPACE}::named", lambda x, name: torch.empty_like(x))
    layer = kind("layer")
    x = torch.arange(8.0, device=device)
    piece, inputs = captured(lambda x: torch.ops.compat_workarounds.named(x + 1, layer) + 1, x)
    with no_caches():
        agrees(compiled(piece, inputs), inputs, (x + 1) * 2 + 1)


def no_hoisted_opaque_types() -> str:
    try:
        from torch._library.opaque_object import register_opaque_type
    except ImportError:
        return "opaque types"
    takes = inspect.signature(register_opaque_type).parameters
    return "" if "hoist" in takes else "hoisted opaque types"


def tensors_only() -> AbstractContextManager[Any]:
    def constrain(fx_node: fx.Node, *args: Any, **kwargs: Any) -> Any:
        def one(arg: Any, fx_arg: Any) -> Any:
            if isinstance(arg, dict):
                return {key: one(each, fx_arg[key]) for key, each in arg.items()}
            value = fx_arg.meta.get("val") if isinstance(arg, ir.IRNode) else None
            if not isinstance(value, torch.Tensor):
                return arg
            order = ir.get_stride_order(value.stride(), V.graph.sizevars.shape_env)
            return ir.ExternKernel.require_stride_order(arg, order)

        return (
            tuple(map(one, args, fx_node.args)),
            {key: one(each, fx_node.kwargs[key]) for key, each in kwargs.items()},
        )

    return patch.object(lowering, "constrain_to_fx_strides", constrain)


def _compile_fx_on(piece: fx.GraphModule, given: fx.GraphModule, inputs: list[Any]) -> None:
    before = (piece.print_readable(print_output=False), str(piece.graph))
    with torch.no_grad():
        compile_fx.compile_fx(given, inputs)
    after = (piece.print_readable(print_output=False), str(piece.graph))
    if before != after:
        raise NeededError("compile_fx changed the caller's graph")


def _trained(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.gelu(x @ x).sum(-1).view(-1)


def graph_is_changed(device: str, _: Path) -> None:
    piece, inputs = captured(_trained, torch.eye(4, device=device))
    with no_caches():
        _compile_fx_on(piece, piece, inputs)


def graph_is_copied(device: str, _: Path) -> None:
    import copy

    piece, inputs = captured(_trained, torch.eye(4, device=device))
    with no_caches():
        _compile_fx_on(piece, copy.deepcopy(piece), inputs)


def partition_rule(device: str, _: Path) -> None:
    operator(
        f"{_NAMESPACE}::double_into",
        "(Tensor x, Tensor(a!) out) -> ()",
        lambda x, out: (out.copy_(x * 2), None)[1],
        lambda x, out: None,
    )

    def around(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        torch.ops.compat_workarounds.double_into(x + 1, out)
        return out * 2

    x = torch.arange(8.0, device=device)
    piece, inputs = captured(around, x)
    settings = {
        "graph_partition": True,
        "custom_should_partition_ops": [f"{_NAMESPACE}::double_into"],
    }
    with no_caches():
        artifact = compiled(piece, inputs, options={"config_patches": settings})
        agrees(artifact, inputs, (x + 1) * 4)


def always_partition_there() -> AbstractContextManager[Any]:
    real: Callable[..., bool] = scheduler.Scheduler.should_partition

    def should_partition(self: Any, node: Any, *args: Any, **kwargs: Any) -> bool:
        kernel = node.node
        if isinstance(kernel, ir.FallbackKernel) and (
            kernel.op_overload.name() in config.custom_should_partition_ops
        ):
            return True
        return real(self, node, *args, **kwargs)

    return patch.object(scheduler.Scheduler, "should_partition", should_partition)


TRIALS = {
    "scalar-mask": Trial(without=scalar_mask, with_it=under(mask_from_scalar, scalar_mask)),
    "unsupported-dtype": Trial(
        without=unsupported_dtype,
        with_it=under(filter_builtin_operators_only, unsupported_dtype),
    ),
    "fallback-allow-list": Trial(
        without=fallback_allow_list,
        with_it=under(own_namespace_allowed, fallback_allow_list),
    ),
    "size-asserts": Trial(without=size_asserts, with_it=under(asserts_off, size_asserts)),
    "opaque-strides": Trial(
        without=opaque_strides,
        with_it=under(tensors_only, opaque_strides),
        lacks=no_hoisted_opaque_types,
    ),
    "graph-copy": Trial(without=graph_is_changed, with_it=graph_is_copied),
    "partition-rule": Trial(
        without=partition_rule, with_it=under(always_partition_there, partition_rule)
    ),
}

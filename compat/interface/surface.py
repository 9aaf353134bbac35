"""The private part of torch that the interface leans on: one table, a row per name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PrivateName:
    """A name below ``torch`` without a promise of stability.

    Attributes:
        path: ``module:attribute.attribute``.
        parameters: The keywords that the interface always passes.
    """

    path: str
    parameters: tuple[str, ...] = ()

    def resolve(self) -> Any:
        """The object itself.

        Raises:
            ImportError: The module is gone.
            AttributeError: The module is there and the attribute is not.
        """
        module, _, attributes = self.path.partition(":")
        found: Any = importlib.import_module(module)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
        return found


PRIVATE_NAMES = (
    PrivateName("torch._inductor:standalone_compile", ("dynamic_shapes", "options")),
    PrivateName("torch._inductor:CompiledArtifact.load", ("path", "format")),
    PrivateName("torch._inductor:CompiledArtifact.save", ("path", "format")),
    PrivateName("torch._inductor.standalone_compile:FakeTensorMode"),
    PrivateName("torch._inductor.compile_fx:compile_fx", ("inner_compile", "config_patches")),
    PrivateName("torch._inductor.compile_fx:compile_fx_inner"),
    PrivateName("torch._inductor.compile_fx:graph_returns_tuple"),
    PrivateName("torch._inductor.config:save_config_portable"),
    PrivateName("torch._inductor.codecache:CacheBase.get_system"),
    PrivateName("torch._inductor.codecache:torch_key"),
    PrivateName("torch._inductor.codecache:FxGraphCache._get_shape_env"),
    PrivateName("torch._inductor.codecache:FxGraphCache._check_can_cache"),
    PrivateName("torch._inductor.codecache:FxGraphCache._lookup_graph"),
    PrivateName("torch._inductor.output_code:CompiledFxGraph"),
    PrivateName("torch._inductor.output_code:CompiledFxGraphConstantsWithGm"),
    PrivateName("torch._functorch._aot_autograd.autograd_cache:AOTAutogradCache._get_shape_env"),
    PrivateName("torch._functorch.config:save_config_portable"),
    PrivateName("torch._functorch.config:bundled_autograd_cache"),
    PrivateName("torch._functorch.config:enable_autograd_cache"),
    PrivateName("torch._functorch.config:enable_remote_autograd_cache"),
    PrivateName("torch._dynamo.utils:get_metrics_context"),
    PrivateName("torch._guards:_TLS"),
    PrivateName("torch._guards:tracing"),
    PrivateName("torch._guards:TracingContext.try_get"),
    PrivateName("torch._prims_common:compute_required_storage_length"),
    PrivateName("torch._subclasses.fake_tensor:FakeTensorMode", ("shape_env",)),
    PrivateName("torch.fx.experimental.symbolic_shapes:is_symbolic"),
    PrivateName("torch.fx.passes.split_module:split_module", ("keep_original_order",)),
)


def describe(found: Any) -> str:
    """What ``found`` is, in one line that changes when a caller has to: kind and parameters.

    Annotations and default values are left out: rewriting them breaks nobody.
    """
    if not callable(found):
        return f"value of type {type(found).__module__}.{type(found).__qualname__}"
    if inspect.isclass(found):
        return f"class{_parameters(found)}"
    return f"function{_parameters(found)}"


def accepts(function: Callable[..., Any], parameter: str) -> bool:
    """Whether ``function`` can be called with the keyword ``parameter``."""
    parameters = inspect.signature(function).parameters
    takes_any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return parameter in parameters or takes_any_keyword


def _parameters(function: Callable[..., Any]) -> str:
    try:
        signature = inspect.signature(function)
    except ValueError:
        return "(…)"
    bare = [
        parameter.replace(
            annotation=inspect.Parameter.empty,
            default=inspect.Parameter.empty if parameter.default is parameter.empty else ...,
        )
        for parameter in signature.parameters.values()
    ]
    return str(inspect.Signature(bare)).replace("Ellipsis", "…").replace("=...", "=…")

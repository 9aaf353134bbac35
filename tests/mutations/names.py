"""Names, parameters, defaults and operators that change."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import pytest
import torch
import torch._dynamo.config
import torch._functorch.config
import torch._guards
import torch._inductor
import torch._inductor.config
from torch._inductor import codecache
from torch._inductor import compile_fx as inductor

from tests.mutations.catalogue import (
    ALL_PATHS,
    COMPILED,
    CONTEXT,
    DONATION,
    NAMES,
    PATHS,
    PYTORCH,
    mutation,
)
from tests.probes.sabotages import seam as sabotages


def _without(patch: pytest.MonkeyPatch, owner: Any, name: str, parameter: str) -> None:
    """Let a function no longer take a parameter."""
    real = getattr(owner, name)
    signature = inspect.signature(real)
    kept = [each for each in signature.parameters.values() if each.name != parameter]

    def narrower(*args: Any, **keywords: Any) -> Any:
        if parameter in keywords:
            raise TypeError(f"{name}() got an unexpected keyword argument '{parameter}'")
        return real(*args, **keywords)

    narrower.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    patch.setattr(owner, name, narrower)


@mutation(
    r"surface.name\[torch._guards.tracing.*: lost",
    asks=NAMES,
    also=("surface", PATHS),
    through=(COMPILED,),
    quick=True,
)
def tracing_is_gone(patch: pytest.MonkeyPatch) -> None:
    """torch._guards.tracing is removed."""
    patch.delattr(torch._guards, "tracing")


@mutation(
    r"surface.name\[torch._guards._TLS.*: (lost|worse)", asks=NAMES, also=("surface", ALL_PATHS)
)
def tls_is_renamed(patch: pytest.MonkeyPatch) -> None:
    """torch._guards._TLS goes by another name."""
    patch.setattr(torch._guards, "_TLS_STATE", torch._guards._TLS, raising=False)
    patch.delattr(torch._guards, "_TLS")


@mutation(
    r"surface.name\[torch._guards.TracingContext.*: (lost|worse)",
    asks=NAMES,
    also=("surface", ALL_PATHS),
)
def try_get_is_gone(patch: pytest.MonkeyPatch) -> None:
    """TracingContext.try_get is removed."""
    patch.delattr(torch._guards.TracingContext, "try_get")


@mutation(
    r"surface.name\[torch._inductor.standalone_compile\] signature: changed",
    r"gates.capability\[aot.*: lost",
    asks=("surface.name",),
    also=("gates", PATHS),
)
def standalone_compile_is_gone(patch: pytest.MonkeyPatch) -> None:
    """torch._inductor.standalone_compile is removed."""
    patch.delattr(torch._inductor, "standalone_compile")


@mutation(
    r"surface.name\[torch._inductor.standalone_compile\] outcome: lost",
    asks=("surface.name",),
    also=("standalone_compile", PATHS),
)
def dynamic_shapes_is_gone(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile no longer takes dynamic_shapes."""
    _without(patch, torch._inductor, "standalone_compile", "dynamic_shapes")


@mutation(
    r"gates.capability\[aot.*: (lost|worse)",
    asks=("surface.name",),
    also=(r"aot", r"standalone_compile"),
    quick=True,
)
def aot_is_gone(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile no longer takes aot."""
    _without(patch, torch._inductor, "standalone_compile", "aot")


@mutation(
    r"gates.capability\[donate_graph_module.*: (lost|worse)",
    asks=("surface.name", *DONATION),
    also=(r"donat", r"aot\]", r"standalone_compile"),
    quick=True,
    since="2.12",
    replays=f"{PYTORCH}/pull/179910",
)
def donate_graph_module_is_gone(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile does not take donate_graph_module, as in 2.11 and before."""
    _without(patch, torch._inductor, "standalone_compile", "donate_graph_module")


@mutation(
    r"gates.capability\[fake_mode\] .*: lost",
    asks=("surface.name",),
    also=(r"gates.capability\[fake_mode", r"standalone_compile"),
    since="2.13",
    replays=f"{PYTORCH}/pull/176562",
)
def fake_mode_is_gone(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile does not take fake_mode, as in 2.12 and before."""
    _without(patch, torch._inductor, "standalone_compile", "fake_mode")


@mutation(
    r"surface.used\[torch.cuda\] there.torch.cuda._annotate_cuda_graph_trace.annotate_trace: lost",
    asks=("surface.used[torch.cuda-",),
    also=(r"surface.used\[torch.cuda\] .*_annotate_cuda_graph_trace",),
    until="2.15",
    replays="https://github.com/pytorch/torchtitan/blob/main/torchtitan/experiments/graph_trainer"
    "/cudagraph.py",
)
def annotations_of_cuda_graphs_are_gone(patch: pytest.MonkeyPatch) -> None:
    """torch.cuda._annotate_cuda_graph_trace is removed, as in 2.15."""
    patch.setitem(sys.modules, "torch.cuda._annotate_cuda_graph_trace", None)
    patch.delattr(torch.cuda, "_annotate_cuda_graph_trace", raising=False)


@mutation(r"surface.name\[torch._inductor.standalone_compile.*", asks=("surface.name",))
def standalone_compile_takes_one_more(patch: pytest.MonkeyPatch) -> None:
    """standalone_compile takes one more optional parameter."""
    real = torch._inductor.standalone_compile
    signature = inspect.signature(real)
    more = inspect.Parameter("more", inspect.Parameter.KEYWORD_ONLY, default=None)
    last = [each for each in signature.parameters.values() if each.kind is each.VAR_KEYWORD]
    others = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]

    def wider(*args: Any, **keywords: Any) -> Any:
        return real(*args, **keywords)

    wider.__signature__ = signature.replace(parameters=[*others, more, *last])  # type: ignore[attr-defined]
    patch.setattr(torch._inductor, "standalone_compile", wider)


@mutation(
    r"surface.name\[torch._inductor.compile_fx.*: (lost|worse|changed)",
    asks=("surface.name",),
    also=("compile_fx", PATHS),
)
def config_patches_is_renamed(patch: pytest.MonkeyPatch) -> None:
    """compile_fx calls its config_patches by another name."""
    _without(patch, inductor, "compile_fx", "config_patches")


@mutation(
    r"surface.config\[torch._functorch.config.*: (lost|worse)",
    asks=("surface.config",),
    also=("surface", PATHS),
)
def a_config_key_is_gone(patch: pytest.MonkeyPatch) -> None:
    """torch._functorch.config.bundled_autograd_cache is removed."""
    sabotages.a_key_of_the_interface_is_gone(patch)


@mutation(r"surface.config\[torch._dynamo.config", asks=("surface.config",), quick=True)
def a_default_moves(patch: pytest.MonkeyPatch) -> None:
    """The default of torch._dynamo.config.recompile_limit moves."""
    sabotages.a_default_moves(patch)


@mutation(asks=("surface.config",))
def a_setting_of_the_process_moves(patch: pytest.MonkeyPatch) -> None:
    """Somebody sets a config value: no default moves, and nothing may be told."""
    patch.setattr(torch._dynamo.config, "recompile_limit", 77)


@mutation(
    r"surface.operators\[aten.*: (lost|worse|changed)",
    asks=("surface.operators[aten",),
    also=("surface.operators", PATHS),
)
def an_operator_is_gone(patch: pytest.MonkeyPatch) -> None:
    """aten::mm is removed."""
    sabotages.an_operator_is_gone(patch)


@mutation(
    r"surface.name\[torch._inductor.codecache.*: (lost|worse)", asks=NAMES, also=("surface", PATHS)
)
def the_graph_cache_is_renamed(patch: pytest.MonkeyPatch) -> None:
    """torch._inductor.codecache.FxGraphCache goes by another name."""
    patch.delattr(codecache, "FxGraphCache")


@mutation(
    r"surface.name\[torch._inductor.codecache.torch_key.*: (lost|worse)",
    asks=NAMES,
    also=("surface", PATHS),
)
def torch_key_is_gone(patch: pytest.MonkeyPatch) -> None:
    """torch._inductor.codecache.torch_key, which keys of caches hold, is removed."""
    patch.delattr(codecache, "torch_key")


@mutation(r"surface.name\[torch._inductor.CompiledArtifact.*", asks=NAMES, also=("surface",))
def save_takes_another_parameter(patch: pytest.MonkeyPatch) -> None:
    """CompiledArtifact.save calls its path by another name."""
    real = torch._inductor.CompiledArtifact.save

    def save(self: Any, *, where: str, format: str = "binary") -> None:
        real(self, path=where, format=format)

    patch.setattr(torch._inductor.CompiledArtifact, "save", save)


@mutation(r"gates.capability.*", asks=CONTEXT[:1], also=(r"gates", r"donation", r"parity"))
def the_version_lies(patch: pytest.MonkeyPatch) -> None:
    """torch.__version__ says 2.9.0, and all gates are shut."""
    patch.setattr(torch, "__version__", torch.torch_version.TorchVersion("2.9.0"))

"""The workarounds that downstreams ship, one row each. The standard library only.

What the rows say of a downstream was read in its files: gates are the rules as they stand there,
written as specifiers. Whether a build needs a workaround is no part of the table: it is measured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

_OPERATOR = re.compile(r"^([<>=!~]=?)")


class Measured(str, Enum):
    """Where it is measured whether a build needs a workaround."""

    PROBE = "workarounds.needed"
    TRACING_CONTEXT = "tracing_context.needed"
    STAND_IN = "shape_env.needs"
    NOWHERE = "nowhere"


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A downstream's release that has a workaround, and the file that it is in."""

    project: str
    release: str
    file: str

    @property
    def label(self) -> str:
        return f"{self.project} {self.release}"


@dataclass(frozen=True, kw_only=True)
class Workaround:
    """Something that a downstream does because of a PyTorch build.

    Attributes:
        name: The parameter of the probe that measures it.
        does: What it changes.
        guards: What goes wrong without it.
        asked: What the probe tries it with; empty where another topic measures it.
        gate: The builds that the first of ``shipped`` applies it to, as a specifier; empty where it
            asks for no version.
        upstream: The public report, or the change that makes it unnecessary.
        members: Of the ShapeEnv stand-in: those that it adds; all where there are none.
        unmeasured: Why it is measured nowhere.
    """

    name: str
    does: str
    guards: str
    asked: str = ""
    shipped: tuple[Shipped, ...]
    gate: str = ""
    upstream: str
    measured: Measured = Measured.PROBE
    members: tuple[str, ...] = ()
    unmeasured: str = ""

    @property
    def ships(self) -> Mapping[str, str]:
        """By subject: the gate as shipped, with blanks where a narrow column may break it."""
        parts = self.gate.split(",")
        rule = ", ".join(_OPERATOR.sub(r"\1 ", each) for each in parts) or "always"
        return {f"{each.project.lower()}-{each.release}": rule for each in self.shipped}


def _vllm(file: str) -> Shipped:
    return Shipped(project="vLLM", release="0.33.0", file=f"vllm/{file}")


def _sglang(file: str) -> Shipped:
    return Shipped(project="SGLang", release="0.5.23", file=f"sglang/srt/{file}")


def _torchtitan(file: str) -> Shipped:
    return Shipped(project="torchtitan", release="0.3.0", file=f"torchtitan/{file}")


def _pytorch(number: int, kind: str = "issues") -> str:
    return f"https://github.com/pytorch/pytorch/{kind}/{number}"


def _vllm_issue(number: int) -> str:
    return f"https://github.com/vllm-project/vllm/issues/{number}"


_INTERFACE = _vllm("compilation/compiler_interface.py")
_OVERRIDE = _vllm("env_override.py")
_CACHING = _vllm("compilation/caching.py")

_MEASURED = (
    Workaround(
        name="tracing-context",
        does="hides Dynamo's tracing context from compile_fx",
        guards="compile_fx refuses fake tensors of another mode",
        shipped=(_INTERFACE,),
        upstream="https://github.com/vllm-project/vllm/pull/38015",
        measured=Measured.TRACING_CONTEXT,
    ),
    Workaround(
        name="shape-env-stand-in",
        does="hands Inductor's cache an object in the place of a ShapeEnv",
        guards="saving or loading a piece that has no ShapeEnv",
        shipped=(_INTERFACE, _sglang("compilation/compiler_interface.py")),
        upstream="https://github.com/vllm-project/vllm/blob/main/vllm/compilation/compiler_interface.py",
        measured=Measured.STAND_IN,
    ),
    Workaround(
        name="var-to-hint-override",
        does="gives the ShapeEnv stand-in var_to_hint_override",
        guards="the cache key reads a member that the stand-in did not have",
        shipped=(_INTERFACE,),
        upstream=_vllm_issue(41940),
        measured=Measured.STAND_IN,
        members=("var_to_hint_override",),
    ),
    Workaround(
        name="fake-mode-patch",
        does="makes standalone_compile take the mode of its fake inputs for its own",
        guards="fake inputs with from_example_inputs: two modes that do not match",
        asked="a sine and a product, and a transformer block, in float32, static shapes, with "
        "fakes of a foreign mode",
        shipped=(_INTERFACE,),
        upstream=_pytorch(176562),
    ),
    Workaround(
        name="scalar-mask",
        does="writes VecMask::from around a scalar mask of a bounds check",
        guards="C++ that does not compile where rows picked by index are put together",
        asked="rows that are picked by index and put together, in float32, static shapes",
        shipped=(_OVERRIDE,),
        gate=">=2.11.0,<2.12.0.dev0",
        upstream=_pytorch(178148, "pull"),
    ),
    Workaround(
        name="unsupported-dtype",
        does="takes custom operators out of the pattern matcher's filter of dtypes",
        guards="a mutating custom operator with a float8_e8m0fnu argument does not compile",
        asked="one custom operator over float32 with a scale in float8_e8m0fnu, static shapes",
        shipped=(_OVERRIDE,),
        gate="<2.16.0.dev0",
        upstream=_pytorch(196013, "pull"),
    ),
    Workaround(
        name="fallback-allow-list",
        does="counts every operator of its own namespace to FALLBACK_ALLOW_LIST",
        guards="all arguments of a custom operator are written out for a log that nobody reads",
        asked="one custom operator in float32, static shapes",
        shipped=(_OVERRIDE,),
        upstream="https://github.com/vllm-project/vllm/blob/main/vllm/env_override.py",
    ),
    Workaround(
        name="cache-value-error",
        does="makes a cache key that raises ValueError bypass the cache",
        guards="the compilation fails where the cache key cannot be pickled",
        asked="the key of a graph with one addition, and an object that cannot be pickled",
        shipped=(_OVERRIDE,),
        gate=">=2.10.0,<2.11.0",
        upstream=_pytorch(176557, "pull"),
    ),
    Workaround(
        name="runtime-builtins",
        does="adds builtins to what a function that is compiled ahead of time keeps",
        guards="such a function that uses a builtin does not load",
        asked="a sum in float32, static shapes, returned together with a builtin",
        shipped=(_OVERRIDE,),
        gate=">=2.10.0,<2.12.0.dev0",
        upstream=_pytorch(177558, "pull"),
    ),
    Workaround(
        name="opaque-strides",
        does="passes over arguments that are no tensors when strides are constrained",
        guards="a custom operator with a hoisted opaque argument does not compile",
        asked="one custom operator with an opaque argument, in float32, static shapes",
        shipped=(_OVERRIDE,),
        gate=">=2.11.0.dev0,<2.12.0.dev0",
        upstream=_pytorch(175973),
    ),
    Workaround(
        name="pre-grad-passes",
        does="turns the pre-grad passes off",
        guards="they run although the result comes from the cache",
        asked="a sine and a product in float32, static shapes, compiled twice",
        shipped=(_INTERFACE,),
        gate="<2.12.0.dev0",
        upstream=_pytorch(174502),
    ),
    Workaround(
        name="size-asserts",
        does="turns assertions in generated code off",
        guards="sizes and strides are checked at each call, not at the first one only",
        asked="a matrix product and a custom operator in float32, static shapes",
        shipped=(_vllm("config/compilation.py"),),
        gate="<2.12.0.dev0",
        upstream=_pytorch(177719),
    ),
    Workaround(
        name="view-of-input",
        does="copies a view before it is returned",
        guards="a graph that returns a view of its input under dynamic shapes is not saved",
        asked="a relu and a view of its input in float32, two dynamic sizes",
        shipped=(_vllm("model_executor/models/voxtral_realtime.py"),),
        gate="<2.11",
        upstream=_pytorch(174299),
    ),
    Workaround(
        name="float8-rows",
        does="converts weights in float8 before it picks rows of them on the CPU",
        guards="rows of a float8 tensor on the CPU cannot be picked",
        asked="four rows in float8_e4m3fn, without a compiler",
        shipped=(_vllm("model_executor/models/llama4.py"),),
        gate="<2.11.0",
        upstream=_vllm_issue(32862),
    ),
    Workaround(
        name="graph-copy",
        does="copies a graph before compile_fx gets it",
        guards="compile_fx changes the caller's graph",
        asked="a matrix product, GELU and a sum in float32, static shapes",
        shipped=(_INTERFACE, _sglang("compilation/compiler_interface.py")),
        upstream=_pytorch(138980),
    ),
    Workaround(
        name="bare-result",
        does="takes the only element out of what a loaded artifact returns",
        guards="an artifact of a graph that returns a tensor returns a list once it was loaded",
        asked="a sine and a product in float32, static shapes, saved as a folder",
        shipped=(_INTERFACE,),
        upstream="https://github.com/vllm-project/vllm/blob/main/vllm/compilation/compiler_interface.py",
    ),
    Workaround(
        name="saveable",
        does="looks into the private _artifacts to tell whether an artifact can be saved",
        guards="artifacts have no is_saveable",
        asked="a sine and a product in float32, static shapes",
        shipped=(_INTERFACE,),
        upstream="https://github.com/vllm-project/vllm/blob/main/vllm/compilation/compiler_interface.py",
    ),
    Workaround(
        name="pickled-slices",
        does="registers slice with pytree while a graph is pickled",
        guards="GraphPickler refuses a graph that slices by a symbolic size",
        asked="half of the rows of a tensor in float32, as many as a dynamic size says",
        shipped=(_CACHING,),
        upstream="https://github.com/vllm-project/vllm/blob/main/vllm/compilation/caching.py",
    ),
    Workaround(
        name="pickled-symbols",
        does="adds sympy functions and fake modes to what GraphPickler can pickle",
        guards="GraphPickler refuses a graph with symbolic arithmetic",
        asked="half of the rows of a tensor in float32, as many as a dynamic size says",
        shipped=(_CACHING,),
        upstream="https://github.com/vllm-project/vllm/blob/main/vllm/compilation/caching.py",
    ),
    Workaround(
        name="atomic-save",
        does="writes an artifact beside its place and moves it there",
        guards="another process loads an artifact that is half written",
        asked="a sine and a product in float32, static shapes, saved as one file",
        shipped=(_INTERFACE,),
        gate="<2.10.0",
        upstream=_pytorch(162432, "pull"),
    ),
    Workaround(
        name="partition-rule",
        does="partitions at a listed operator without a look at its origin",
        guards="Inductor's partition at a mutating custom operator fails an assertion",
        asked="one mutating custom operator in float32, static shapes",
        shipped=(_OVERRIDE,),
        gate="==2.9.0",
        upstream=_vllm_issue(26678),
    ),
    Workaround(
        name="nested-trace",
        does="turns error_on_nested_fx_trace off",
        guards="make_fx refuses a function that torch.compile has wrapped",
        asked="a sine in float32, static shapes",
        shipped=(_torchtitan("experiments/graph_trainer/make_fx_tracer.py"),),
        upstream="https://github.com/pytorch/torchtitan/tree/main/torchtitan/experiments/graph_trainer",
    ),
    Workaround(
        name="fake-mode-in-dynamo",
        does="keeps Dynamo out of FakeTensorMode.__init__",
        guards="Dynamo traces into the constructor",
        asked="a function that makes a FakeTensorMode and adds to a tensor in float32",
        shipped=(_torchtitan("distributed/compile.py"),),
        upstream=_pytorch(178887),
    ),
)


def _unmeasured(
    name: str, does: str, shipped: Shipped, upstream: str, why: str, gate: str = ""
) -> Workaround:
    return Workaround(
        name=name,
        does=does,
        guards="",
        shipped=(shipped,),
        gate=gate,
        upstream=upstream,
        measured=Measured.NOWHERE,
        unmeasured=why,
    )


_NOT_MEASURED = (
    _unmeasured(
        "memory-plan-reuse",
        "replaces memory_plan_reuse",
        _OVERRIDE,
        _pytorch(165514, "pull"),
        "its gate is for a release older than all builds here, and its report has no small graph",
        gate="==2.9.0",
    ),
    _unmeasured(
        "partition-signature",
        "replaces get_graph_partition_signature",
        _OVERRIDE,
        _pytorch(165815, "pull"),
        "its gate is for a release older than all builds here, and its report needs nvfp4 kernels",
        gate="==2.9.0",
    ),
    _unmeasured(
        "raw-stream",
        "puts get_raw_stream among the builtins",
        _OVERRIDE,
        _vllm_issue(30905),
        "autotuning of several sizes on a GPU, on 2.9 alone",
        gate=">=2.9.0,<2.9.2",
    ),
    _unmeasured(
        "auto-functionalized-v1",
        "turns enable_auto_functionalized_v2 off",
        _vllm("config/compilation.py"),
        _pytorch(147924),
        "its own passes match the first version: no build makes that unnecessary",
    ),
    _unmeasured(
        "compile-threads",
        "sets TORCHINDUCTOR_COMPILE_THREADS to 1",
        _OVERRIDE,
        _vllm_issue(10480),
        "a choice about processes that a server starts, no property of a build",
    ),
    _unmeasured(
        "nvml-check",
        "sets PYTORCH_NVML_BASED_CUDA_CHECK",
        _OVERRIDE,
        "https://github.com/vllm-project/vllm/pull/15951",
        "needs a GPU and a process that forks before it uses it",
    ),
    _unmeasured(
        "conv3d-as-matmul",
        "computes a convolution as a matrix product",
        _vllm("model_executor/layers/conv.py"),
        _pytorch(166122),
        "guards seconds of cuDNN on a GPU",
        gate=">=2.9.0",
    ),
    _unmeasured(
        "preloaded-libgomp",
        "preloads PyTorch's own libgomp",
        _vllm("platforms/cpu.py"),
        _pytorch(166087),
        "guards seconds of pinned threads",
    ),
    _unmeasured(
        "shared-cuda-tensors",
        "sends a GPU's UUID with a tensor that another process gets",
        _sglang("utils/patch_torch.py"),
        _pytorch(149248, "pull"),
        "needs two GPUs",
    ),
    _unmeasured(
        "lru-cache",
        "turns Dynamo's cache of guards off",
        _torchtitan("distributed/activation_checkpoint.py"),
        _pytorch(166926),
        "needs pipeline stages with checkpoints and flex attention",
    ),
    _unmeasured(
        "recompile-limit",
        "raises recompile_limit",
        _torchtitan("models/gpt_oss/parallelize.py"),
        _pytorch(187073),
        "needs a process group with sharded experts",
    ),
    _unmeasured(
        "symmetric-memory",
        "registers symmetric memory for a process group",
        _torchtitan("distributed/compile.py"),
        _pytorch(193027),
        "needs several GPUs",
    ),
)

WORKAROUNDS = {each.name: each for each in (*_MEASURED, *_NOT_MEASURED)}

"""What is saved, loaded and found in caches."""

from __future__ import annotations

import os
from typing import Any

import pytest
import torch
import torch._inductor
from torch._inductor.codecache import FxGraphCache

from tests.mutations.breaking import Artifact, first_changed
from tests.mutations.catalogue import LOADED, PATHS, PYTORCH, SAVING, VLLM, mutation
from tests.probes.sabotages import seam as sabotages
from tests.probes.sabotages.seam import wrap_standalone_compile

UNPACKED = r"artifacts.reload\[unpacked.*: (lost|worse)"


def _load(patch: pytest.MonkeyPatch, load: Any) -> None:
    real = torch._inductor.CompiledArtifact.load
    patch.setattr(
        torch._inductor.CompiledArtifact,
        "load",
        staticmethod(lambda **keywords: load(real, **keywords)),
    )


@mutation(
    UNPACKED, asks=SAVING, also=(r"artifacts.reload\[unpacked",), through=(LOADED,), quick=True
)
def what_is_loaded_is_off(patch: pytest.MonkeyPatch) -> None:
    """A loaded artifact is off by a tenth of a per cent."""

    def load(real: Any, **keywords: Any) -> Any:
        artifact = real(**keywords)
        return Artifact(
            artifact, lambda *given: first_changed(artifact(*given), lambda each: each * 1.001)
        )

    _load(patch, load)


@mutation(UNPACKED, asks=SAVING, also=(r"artifacts.reload\[unpacked",))
def loading_is_refused(patch: pytest.MonkeyPatch) -> None:
    """CompiledArtifact.load refuses everything."""

    def load(*_: Any, **__: Any) -> Any:
        raise RuntimeError("this artifact is of another build")

    _load(patch, load)


@mutation(UNPACKED, asks=SAVING, also=(r"artifacts.reload\[unpacked",))
def loading_ends_the_process(patch: pytest.MonkeyPatch) -> None:
    """CompiledArtifact.load ends its process."""
    _load(patch, lambda *_, **__: os.abort())


@mutation(
    r"artifacts.reload\[fx-graph-cache.*: (lost|worse)",
    asks=SAVING,
    also=("artifacts.reload", "shape_env.reads"),
)
def the_cache_forgets(patch: pytest.MonkeyPatch) -> None:
    """Inductor's cache of graphs never has what it is asked for."""
    sabotages.cache_forgets(patch)


@mutation(UNPACKED, asks=SAVING, also=("artifacts.reload", PATHS))
def nothing_can_be_saved(patch: pytest.MonkeyPatch) -> None:
    """CompiledArtifact.save raises."""

    def wrapper(real: Any, graph: Any, inputs: Any, **keywords: Any) -> Any:
        artifact = real(graph, inputs, **keywords)

        def save(**_: Any) -> None:
            raise RuntimeError("this artifact cannot be serialized")

        object.__setattr__(artifact, "save", save)
        return artifact

    wrap_standalone_compile(patch, wrapper)


@mutation(
    r"artifacts.reload\[aot\] outcome: lost",
    asks=("artifacts.reload[aot-",),
    also=(r"artifacts.reload\[aot", r"aot\]"),
    replays=f"{PYTORCH}/issues/184550",
)
def nothing_can_be_saved_ahead_of_time(patch: pytest.MonkeyPatch) -> None:
    """What was compiled with aot=True cannot be saved, as on a candidate of 2.12."""
    sabotages.aot_artifacts_are_not_saved(patch)


@mutation(
    r"shape_env.reads.*",
    asks=SAVING,
    also=("shape_env", "artifacts", PATHS),
    replays=f"{PYTORCH}/issues/187728",
)
def the_cache_asks_the_shape_env_for_more(patch: pytest.MonkeyPatch) -> None:
    """Saving a graph calls a method of the ShapeEnv that no stand-in has, as in 2.13.0rc."""
    sabotages.cache_asks_the_shape_env_for_more(patch)


@mutation(r"shape_env.*", asks=(*SAVING, "shape_env.needs[guards"), also=(r"shape_env",))
def the_cache_reads_another_member(patch: pytest.MonkeyPatch) -> None:
    """Saving a graph reads a member of the ShapeEnv that it did not read before."""
    sabotages.cache_needs_another_member(patch)


@mutation(
    r"shape_env.needs\[var_to_hint_override\] needed: ",
    asks=("shape_env.reads", "shape_env.needs[var_to_hint_override"),
    also=(r"shape_env",),
    until="2.11",
    replays=f"{VLLM}/issues/41940",
)
def the_cache_reads_var_to_hint_override(patch: pytest.MonkeyPatch) -> None:
    """Saving a graph reads var_to_hint_override of the ShapeEnv, as from 2.11 on."""
    real = FxGraphCache._save_graph

    def save(*args: Any, **keywords: Any) -> Any:
        len(FxGraphCache._get_shape_env().var_to_hint_override)
        return real(*args, **keywords)

    patch.setattr(FxGraphCache, "_save_graph", staticmethod(save))

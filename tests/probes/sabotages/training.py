"""Ways to break what is compiled with gradients on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch._inductor import CompiledArtifact

from compat.probes.training import capture_lesson
from tests.probes.sabotages.registry import sabotage_of
from tests.probes.sabotages.seam import wrap_standalone_compile


class Skewed(torch.autograd.Function):
    """The same values, and gradients that are two percent too large."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * 1.02


class WithSkewedGradients:
    """An artifact whose outputs are right, and whose gradients are not."""

    def __init__(self, artifact: Any) -> None:
        self._artifact = artifact

    def __call__(self, *args: Any) -> Any:
        return tuple(Skewed.apply(each) for each in self._artifact(*args))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._artifact, name)


class WithoutGradients(WithSkewedGradients):
    """An artifact that cuts its outputs off."""

    def __call__(self, *args: Any) -> Any:
        return tuple(each.detach() for each in self._artifact(*args))


@sabotage_of("training.step[matmul-standalone")
def gradients_are_off(patch: pytest.MonkeyPatch) -> None:
    wrap_standalone_compile(
        patch, lambda real, *args, **kwargs: WithSkewedGradients(real(*args, **kwargs))
    )


@sabotage_of("training.step[matmul-standalone")
def outputs_are_cut_off(patch: pytest.MonkeyPatch) -> None:
    wrap_standalone_compile(
        patch, lambda real, *args, **kwargs: WithoutGradients(real(*args, **kwargs))
    )


class SavedOtherwise(WithSkewedGradients):
    """An artifact that is right, and is saved in a way of our own."""

    def __init__(self, artifact: Any, save: Callable[[str], None]) -> None:
        super().__init__(artifact)
        self._save = save

    def __call__(self, *args: Any) -> Any:
        return self._artifact(*args)

    def save(self, *, path: str, format: str) -> None:
        self._save(path)


def save_otherwise(patch: pytest.MonkeyPatch, save: Callable[[str], None]) -> None:
    """Also on builds that save nothing of what trains."""
    wrap_standalone_compile(
        patch, lambda real, *args, **kwargs: SavedOtherwise(real(*args, **kwargs), save)
    )


@sabotage_of("training.step[matmul-standalone")
def gradients_are_off_once_loaded(patch: pytest.MonkeyPatch) -> None:
    compile_here = torch._inductor.standalone_compile

    def load(*, path: str, format: str) -> Any:
        captured = capture_lesson("matmul", "cpu")
        return WithSkewedGradients(
            compile_here(captured.graph, list(captured.inputs), dynamic_shapes="from_graph")
        )

    save_otherwise(patch, lambda path: Path(path).touch())
    patch.setattr(CompiledArtifact, "load", staticmethod(load))


@sabotage_of("training.step[matmul-standalone")
def what_trains_is_not_saved(patch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise RuntimeError("nothing that trains is saved")

    save_otherwise(patch, refuse)

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
import torch
import torch._inductor.config

from compat.interface.backend import PiecewiseBackend
from compat.interface.compilers import COMPILERS, StandaloneCompiler
from compat.interface.features import FEATURES


@pytest.mark.parametrize("name", ["compile_fx", "standalone", "aot"])
def test_the_hash_follows_inductors_settings(name: str) -> None:
    compiler = COMPILERS[name]()
    before = compiler.compute_hash()
    with torch._inductor.config.patch(max_fusion_size=3):
        assert compiler.compute_hash() != before
    assert compiler.compute_hash() == before
    assert len(before) == 10
    assert int(before, 16) >= 0


def test_options_reach_inductor(tmp_path: Path) -> None:
    compiler = StandaloneCompiler()
    compiler.initialize_cache(tmp_path, disable_cache=True)
    backend = PiecewiseBackend(compiler, options={"max_fusion_size": 3})
    real = torch._inductor.standalone_compile
    torch._dynamo.reset()
    with patch.object(torch._inductor, "standalone_compile", side_effect=real) as spy:
        torch.compile(lambda x: x.sin() + 1, backend=backend, fullgraph=True)(torch.ones(3))
    assert spy.call_args.kwargs["options"] == {"config_patches": {"max_fusion_size": 3}}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_can_be_switched_against_its_gate(feature: str) -> None:
    gate = FEATURES[feature].gate_open()
    assert StandaloneCompiler().uses(feature) is gate
    assert StandaloneCompiler(features={feature: not gate}).uses(feature) is not gate


def test_every_compiler_satisfies_the_protocol() -> None:
    for compiler in (make() for make in COMPILERS.values()):
        for method in ("initialize_cache", "compute_hash", "compile", "load"):
            assert callable(getattr(compiler, method))
        assert isinstance(compiler.name, str)

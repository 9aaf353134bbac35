from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compat.interface.backend import PiecewiseBackend
from compat.interface.compilers import CompileFxCompiler, StandaloneCompiler, make_compiler
from compat.interface.settings import Settings


def test_defaults() -> None:
    assert Settings.from_environment({}) == Settings()


def test_every_variable_is_read() -> None:
    read = Settings.from_environment(
        {
            "COMPAT_USE_STANDALONE_COMPILE": "0",
            "COMPAT_USE_AOT_ARTIFACT": "1",
            "COMPAT_DISABLE_COMPILE_CACHE": "1",
        }
    )
    assert read == Settings(
        use_standalone_compile=False, use_aot_artifact=True, disable_compile_cache=True
    )


def test_another_value_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="COMPAT_USE_AOT_ARTIFACT is 'yes'; expected 0 or 1"):
        Settings.from_environment({"COMPAT_USE_AOT_ARTIFACT": "yes"})


def test_they_choose_the_compiler(tmp_path: Path) -> None:
    assert isinstance(make_compiler(Settings(), tmp_path), StandaloneCompiler)
    legacy = Settings(use_standalone_compile=False)
    assert isinstance(make_compiler(legacy, tmp_path), CompileFxCompiler)


@pytest.mark.parametrize("standalone", [True, False])
@pytest.mark.parametrize("disabled", [True, False])
def test_nothing_is_kept_when_the_cache_is_off(
    standalone: bool, disabled: bool, tmp_path: Path
) -> None:
    settings = Settings(use_standalone_compile=standalone, disable_compile_cache=disabled)
    backend = PiecewiseBackend(make_compiler(settings, tmp_path))
    torch._dynamo.reset()
    with torch.no_grad():
        torch.compile(lambda x: x * 2 + 1, backend=backend, fullgraph=True)(torch.ones(3))
    assert bool(backend.handles) is not disabled
    assert any(tmp_path.iterdir()) is not disabled

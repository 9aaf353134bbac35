"""A pytest plugin that poisons CUDA in the process of one probe. It needs a GPU.

It runs inside a build's environment.
"""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def stray(pointer):  # type: ignore[no-untyped-def]
    tl.store(pointer + (1 << 40), 1.0)


@pytest.fixture(autouse=True)
def poisoned(request: pytest.FixtureRequest) -> None:
    if "compile_fx" in request.node.name:
        stray[(1,)](torch.zeros(1, device="cuda"))
        torch.cuda.synchronize()

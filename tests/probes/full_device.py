"""A pytest plugin under which the device has no memory left when something is compiled.

It runs inside a build's environment.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

SAID = (
    "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 139.81 GiB of "
    "which 1.50 GiB is free."
)


@pytest.fixture(autouse=True)
def full_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError(SAID)

    monkeypatch.setattr(torch._inductor, "standalone_compile", refuse)

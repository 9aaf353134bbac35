"""Inductor's and AOTAutograd's caches, off, or on and kept in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import torch
import torch._functorch.config
import torch._inductor.config


@contextmanager
def no_caches() -> Iterator[None]:
    with (
        torch._inductor.config.patch(fx_graph_cache=False, fx_graph_remote_cache=False),
        torch._functorch.config.patch(enable_autograd_cache=False),
    ):
        yield


@contextmanager
def caches_below(folder: Path) -> Iterator[None]:
    with (
        patch.dict("os.environ", {"TORCHINDUCTOR_CACHE_DIR": str(folder)}),
        torch._inductor.config.patch(fx_graph_cache=True, fx_graph_remote_cache=False),
        torch._functorch.config.patch(enable_autograd_cache=True),
    ):
        yield

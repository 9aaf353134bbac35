"""What all probes of a build share: imported modules and compiled headers, nothing compiled."""

from __future__ import annotations

import importlib
import multiprocessing
import sys
import tempfile

import torch
from torch._inductor import cpu_vec_isa

import compat.interface.backend  # noqa: F401  (imports most of what compiling needs)


def warm_up(device: str) -> None:
    """Prepare this process so that a fork of it compiles without delay.

    Finds the vector instructions, which takes compilations of its own; builds Inductor's
    precompiled headers, which lie below TMPDIR; and imports every torch module that a first
    compilation imports. The compilation itself happens in a fork: this process compiles nothing.
    """
    cpu_vec_isa.pick_vec_isa()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        modules = pool.apply(_modules_of_a_compilation, (device,))
    for module in modules:
        importlib.import_module(module)


def _modules_of_a_compilation(device: str) -> list[str]:
    before = set(sys.modules)
    with tempfile.TemporaryDirectory() as cache, torch._inductor.config.patch(force_disable_caches=True):
        import os

        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
        torch.compile(lambda x: torch.relu(x @ x).sum(-1))(torch.ones(8, 8, device=device))
    return [
        name
        for name in sorted(set(sys.modules) - before)
        if name.startswith("torch.") and getattr(sys.modules[name], "__spec__", None) is not None
    ]

"""What all probes of a build share: a parent process that has already warmed up."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from typing import Any
from unittest.mock import patch

import torch

from compat.worker.handover import go_on_in_a_fork
from compat.worker.patience import Bounds

_FORK = multiprocessing.get_context("fork")
# What every compilation imports. Where a build has them no more, the probes say so.
_COMPILER = (
    "torch._inductor.codecache",
    "torch._inductor.compile_fx",
    "torch._subclasses.fake_tensor",
    "torch.fx.experimental.proxy_tensor",
)


def import_compiler() -> None:
    """Import once what each fork would import else."""
    for name in _COMPILER:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def warm_up(device: str, bounds: Bounds) -> None:
    """Prepare this process so that a fork of it compiles without delay.

    It finds the vector instructions, which takes compilations of its own, fills Inductor's
    precompiled headers, which lie below TMPDIR, and lets Inductor initialise itself. Nothing that
    is compiled here is run, so no thread is started that a fork would miss.

    A fork tries to compile first, and goes on as the worker. A build on which that fails, or goes
    beyond ``bounds``, is probed all the same, only more slowly: the probes say what is wrong with
    it.

    For ``cuda`` the fork ends with the trial: compiling asks the GPU for its properties, and what
    has initialised CUDA cannot be forked any more.
    """
    _find_vector_instructions()
    _import_what_dynamo_puts_off()
    go_on_in_a_fork(_compile_something if device == "cpu" else _compile_and_end, bounds)


def _find_vector_instructions() -> None:
    """Have torch try which vector instructions it can use; it remembers that.

    Up to 2.12 each trial is a Python that imports torch and loads a library
    (torch._inductor.cpu_vec_isa, ``check_build``). A fork of this process has torch already.
    """
    with contextlib.suppress(Exception):
        from torch._inductor import cpu_vec_isa

        with patch.object(subprocess, "check_call", _python_in_a_fork):
            cpu_vec_isa.pick_vec_isa()


def _python_in_a_fork(command: list[str], **options: Any) -> int:
    """``subprocess.check_call``, but ``python -c`` in a fork of this process."""
    match command:
        case [sys.executable, "-c", code]:
            process = _FORK.Process(target=exec, args=(code, {}))
            process.start()
            process.join()
            if process.exitcode:
                raise subprocess.CalledProcessError(process.exitcode, command)
            return 0
    return subprocess.run(command, **options, check=True).returncode


def _import_what_dynamo_puts_off() -> None:
    """Import what Dynamo else imports when it first compiles, in each fork."""
    with contextlib.suppress(Exception):
        from torch.fx.experimental import symbolic_shapes

        torch._dynamo.list_backends()
        symbolic_shapes.uninteresting_files()
        importlib.import_module("torch.distributed.tensor.experimental")


def _compile_and_end() -> None:
    _compile_something()
    os._exit(0)


def _compile_something() -> None:
    from torch._inductor import codecache, compile_fx
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx

    kept = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
        codecache.torch_key()
        with FakeTensorMode():
            example = torch.empty(8, 8)
        graph = make_fx(lambda x: (torch.relu(x @ x).sum(-1),))(example)
        compile_fx.compile_fx(graph, [example])
    if kept is None:
        del os.environ["TORCHINDUCTOR_CACHE_DIR"]
    else:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = kept

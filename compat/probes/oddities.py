"""Machines and processes that are odd: each is set up in a process of its own."""

from __future__ import annotations

import asyncio
import errno
import multiprocessing
import os
import pwd
import shutil
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import torch._inductor.config
from torch._dynamo.utils import counters
from torch._inductor import codecache
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from compat.probes.attempts import raises, same
from compat.probes.permissions import obey_permissions
from compat.probes.reusing import pointwise
from compat.topics.machines.records import Went

_LINEAR = torch.full((4, 4), 0.5)


def product(x: torch.Tensor) -> torch.Tensor:
    """Inductor compiles it without a C++ compiler."""
    return x @ _LINEAR.to(x.device)


def creates(x: torch.Tensor) -> torch.Tensor:
    """What it makes depends on the defaults."""
    halves = torch.full((4,), 0.5, device=x.device)
    return x + torch.arange(4, device=x.device) * halves + torch.tensor(0.25)


def scatters(x: torch.Tensor) -> torch.Tensor:
    index = torch.zeros(4, dtype=torch.int64, device=x.device)
    return torch.zeros_like(x).index_add(0, index, x)


Function = Callable[[torch.Tensor], torch.Tensor]
Oddity = Callable[[str, Path], Went]


def compile_and_call(function: Function, device: str) -> Went:
    """Compile with Inductor and compare with eager."""
    torch._dynamo.reset()
    counters.clear()
    x = torch.linspace(-1, 1, 16).reshape(4, 4).to(device)
    want = function(x)
    with torch.no_grad():
        try:
            result = torch.compile(function, fullgraph=True, dynamic=False)(x)
        except Exception as error:  # noqa: BLE001  (it is the answer)
            return Went(right=None, how=raises(error))
    how = "compiled" if counters["stats"]["unique_graphs"] else "eager"
    return Went(right=same(result, want), how=how)


def within(context: Callable[[Path], AbstractContextManager[Any]], function: Function) -> Oddity:
    """Compiled and called within a context."""

    def run(device: str, folder: Path) -> Went:
        with context(folder):
            return compile_and_call(function, device)

    return run


@contextmanager
def nothing(_: Path) -> Iterator[None]:
    """The control."""
    yield


@contextmanager
def no_user(folder: Path) -> Iterator[None]:
    """The uid has no name, as in a container that is run with a uid of its own."""
    _forget("LOGNAME", "USER", "LNAME", "USERNAME", "TORCHINDUCTOR_CACHE_DIR")
    _no_passwords()
    _temporary(folder)
    yield


@contextmanager
def no_home(folder: Path) -> Iterator[None]:
    _forget("HOME", "XDG_CACHE_HOME", "TORCHINDUCTOR_CACHE_DIR")
    _no_passwords()
    os.environ["USER"] = "nobody"
    _temporary(folder)
    yield


@contextmanager
def read_only_cache(folder: Path) -> Iterator[None]:
    cache = folder / "read-only"
    cache.mkdir()
    cache.chmod(0o555)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache)
    obey_permissions()
    yield


@contextmanager
def cache_below_a_file(folder: Path) -> Iterator[None]:
    (folder / "file").touch()
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "file" / "cache")
    yield


@contextmanager
def odd_cache_path(folder: Path) -> Iterator[None]:
    """With a blank, a quote and what is not ASCII."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "it's a cache, für torch")
    yield


@contextmanager
def long_cache_path(folder: Path) -> Iterator[None]:
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder.joinpath(*["long" * 12] * 4))
    yield


@contextmanager
def relative_cache_path(folder: Path) -> Iterator[None]:
    os.chdir(folder)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = "relative"
    yield


@contextmanager
def no_compiler(folder: Path) -> Iterator[None]:
    """As on a machine that has none."""
    kept = torch._inductor.config.cpp.cxx
    torch._inductor.config.cpp.cxx = (str(folder / "g++"),)
    try:
        yield
    finally:
        torch._inductor.config.cpp.cxx = kept


@contextmanager
def deterministic(_: Path) -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield


@contextmanager
def default_dtype(_: Path) -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield


@contextmanager
def default_dtype_bfloat16(_: Path) -> Iterator[None]:
    torch.set_default_dtype(torch.bfloat16)
    yield


@contextmanager
def default_device(_: Path) -> Iterator[None]:
    """Setting the very device that is used anyway is a mode over every function of torch."""
    with torch.device("cpu"):
        yield


@contextmanager
def default_device_set(_: Path) -> Iterator[None]:
    torch.set_default_device("cpu")
    yield


@contextmanager
def warnings_are_errors(_: Path) -> Iterator[None]:
    """As in a test suite that is run with ``-W error``."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextmanager
def traced(_: Path) -> Iterator[None]:
    """As a debugger, or the measuring of coverage, does."""

    def trace(*_: Any) -> Any:
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


@contextmanager
def profiled(_: Path) -> Iterator[None]:
    def profile(frame: FrameType, event: str, argument: Any) -> None: ...

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)


@contextmanager
def inference_mode(_: Path) -> Iterator[None]:
    with torch.inference_mode():
        yield


@contextmanager
def autocast(_: Path) -> Iterator[None]:
    with torch.autocast("cpu", torch.bfloat16):
        yield


@contextmanager
def anomaly(_: Path) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.set_detect_anomaly(True):
            yield


@contextmanager
def torch_profiler(_: Path) -> Iterator[None]:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]):
        yield


class _Functions(TorchFunctionMode):
    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return function(*args, **(kwargs or {}))


class _Dispatch(TorchDispatchMode):
    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return function(*args, **(kwargs or {}))


@contextmanager
def function_mode(_: Path) -> Iterator[None]:
    with _Functions():
        yield


@contextmanager
def dispatch_mode(_: Path) -> Iterator[None]:
    with _Dispatch():
        yield


@contextmanager
def no_working_folder(folder: Path) -> Iterator[None]:
    gone = folder / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    yield


@contextmanager
def no_temporary_folder(folder: Path) -> Iterator[None]:
    """TMPDIR names one that is not there; Python falls back on another."""
    os.environ["TMPDIR"] = str(folder / "absent")
    tempfile.tempdir = None
    yield


@contextmanager
def no_standard_streams(_: Path) -> Iterator[None]:
    """As in a daemon."""
    kept = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = sys.stdout = sys.stderr = None
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = kept


@contextmanager
def no_main_file(_: Path) -> Iterator[None]:
    """As in an interactive session, or where Python is embedded."""
    for name in ("__file__", "__spec__"):
        vars(sys.modules["__main__"]).pop(name, None)
    sys.argv = [""]
    yield


@contextmanager
def children_are_ignored(_: Path) -> Iterator[None]:
    """Some servers never wait for their children."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield


@contextmanager
def strict_umask(_: Path) -> Iterator[None]:
    os.umask(0o777)
    obey_permissions()
    yield


@contextmanager
def full_disk(_: Path) -> Iterator[None]:
    """Nothing more can be written below the cache folder."""
    real = codecache.write_atomic

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    codecache.write_atomic = full
    try:
        yield
    finally:
        codecache.write_atomic = real


def cleaned_away(device: str, folder: Path) -> Went:
    """The cache folder is removed between two compilations, as a cleaner of /tmp does."""
    before = compile_and_call(product, device)
    shutil.rmtree(os.environ["TORCHINDUCTOR_CACHE_DIR"], ignore_errors=True)
    after = compile_and_call(pointwise, device)
    return after if before.right else before


def compiler_later(device: str, folder: Path) -> Went:
    """There is a compiler, once a compilation has failed for want of one."""
    with no_compiler(folder):
        before = compile_and_call(pointwise, device)
    after = compile_and_call(pointwise, device)
    if before.right is None or device != "cpu":
        return after
    return Went(right=after.right, how=f"{after.how}, {before.how} without one")


def in_a_thread(device: str, folder: Path) -> Went:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(compile_and_call, product, device).result()


def in_two_threads(device: str, folder: Path) -> Went:
    """Both compile, different functions, at one time."""
    both = threading.Barrier(2)

    def run(function: Function) -> Went:
        x = torch.linspace(-1, 1, 16).reshape(4, 4).to(device)
        both.wait(60)
        try:
            with torch.no_grad():
                result = torch.compile(function, fullgraph=True, dynamic=False)(x)
        except Exception as error:  # noqa: BLE001  (it is the answer)
            return Went(right=None, how=raises(error))
        return Went(right=same(result, function(x)), how="compiled")

    with ThreadPoolExecutor(2) as pool:
        went = list(pool.map(run, (product, pointwise)))
    return next((each for each in went if not each.right), went[0])


def in_an_event_loop(device: str, folder: Path) -> Went:
    async def run() -> Went:
        return compile_and_call(product, device)

    return asyncio.run(run())


def forked_after_a_compilation(device: str, folder: Path) -> Went:
    """A server compiles and runs, and then forks its workers."""
    before = compile_and_call(pointwise, device)
    return _in_child(product, device, daemon=False) if before.right else before


def in_a_daemon(device: str, folder: Path) -> Went:
    """A process that may not have children of its own."""
    return _in_child(pointwise, device, daemon=True)


def _in_child(function: Function, device: str, *, daemon: bool) -> Went:
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(
        target=lambda: there.send(compile_and_call(function, device)), daemon=daemon
    )
    child.start()
    there.close()
    try:
        found: Went = here.recv()
    except EOFError:
        child.join()
        return Went(right=None, how=f"dies with {child.exitcode}")
    child.join()
    return found


# What people met and costs little; the rest is asked at full depth.
ODDITIES: dict[str, Oddity] = {
    "nothing": within(nothing, product),
    "no_user": within(no_user, product),
    "read_only_cache": within(read_only_cache, product),
    "no_compiler": within(no_compiler, pointwise),
    "fork": forked_after_a_compilation,
    "thread": in_a_thread,
    "warnings_are_errors": within(warnings_are_errors, product),
}
RARE: dict[str, Oddity] = {
    "compiler_later": compiler_later,
    "deterministic": within(deterministic, scatters),
    "default_dtype": within(default_dtype, creates),
    "no_home": within(no_home, product),
    "cache_below_a_file": within(cache_below_a_file, product),
    "odd_cache_path": within(odd_cache_path, pointwise),
    "long_cache_path": within(long_cache_path, pointwise),
    "relative_cache_path": within(relative_cache_path, pointwise),
    "cleaned_away": cleaned_away,
    "two_threads": in_two_threads,
    "daemon": in_a_daemon,
    "event_loop": in_an_event_loop,
    "default_dtype_bfloat16": within(default_dtype_bfloat16, creates),
    "default_device": within(default_device, creates),
    "default_device_set": within(default_device_set, creates),
    "traced": within(traced, product),
    "profiled": within(profiled, product),
    "inference_mode": within(inference_mode, product),
    "autocast": within(autocast, product),
    "anomaly": within(anomaly, product),
    "torch_profiler": within(torch_profiler, product),
    "function_mode": within(function_mode, product),
    "dispatch_mode": within(dispatch_mode, product),
    "no_working_folder": within(no_working_folder, product),
    "no_temporary_folder": within(no_temporary_folder, product),
    "no_standard_streams": within(no_standard_streams, product),
    "no_main_file": within(no_main_file, product),
    "children_are_ignored": within(children_are_ignored, pointwise),
    "strict_umask": within(strict_umask, product),
    "full_disk": within(full_disk, product),
}


def under(name: str, device: str, folder: Path) -> Went:
    """How a compilation goes under an oddity, in this process, which is of no use afterwards."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")
    return (ODDITIES | RARE)[name](device, folder)


def _forget(*variables: str) -> None:
    for variable in variables:
        os.environ.pop(variable, None)


def _no_passwords() -> None:
    """The uid stands in no list of users."""

    def unknown(uid: int) -> Any:
        raise KeyError("getpwuid(): uid not found")

    pwd.getpwuid = unknown


def _temporary(folder: Path) -> None:
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None

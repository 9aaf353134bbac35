"""What a later compilation, or a later process, makes of what was compiled before."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo.config

from compat.probes import ahead, reusing
from compat.probes.attempts import raises
from compat.probes.conftest import DiedError, FreshProcess, Record
from compat.probes.permissions import obey_permissions
from compat.probes.reusing import start
from compat.topics.caches.records import Again, Keys, Starts

RARE = pytest.param("rare", marks=pytest.mark.full)


@pytest.mark.parametrize("group", ["common", RARE])
def test_keys(group: str, record: Record) -> None:
    """What was compiled before is used again where it is right, and nowhere else.

    After a change of a constant, a closure, a flag, a buffer, a dtype; of a comment, a path.
    """
    common = group == "common"
    differ = reusing.ask(reusing.DIFFER if common else reusing.DIFFER_RARELY)
    same = reusing.ask(reusing.SAME if common else reusing.SAME_RARELY)
    if not common:
        differ["device_index"] = reusing.device_index()
    free = reusing.ask(reusing.FREE if common else reusing.FREE_RARELY)
    record(Keys(differ=differ, same=same, free=free))
    judged = {name: each for name, each in differ.items() if name not in reusing.KNOWN_AS_STALE}
    assert_none_is_wrong({**judged, **same, **free})
    stale = [name for name, again in judged.items() if again.reused]
    assert not stale, f"compiled before, and used in spite of another {', '.join(stale)}"
    assert not common or same["nothing"].reused, same["nothing"].how


def lose_compiler() -> None:
    torch._inductor.config.cpp.cxx = ("/absent/g++",)


def leave(_: Path) -> None:
    """The control."""


def empty_files(cache: Path) -> None:
    for file in _files(cache):
        file.write_bytes(b"")


def cut_files(cache: Path) -> None:
    for file in _files(cache):
        with file.open("r+b") as opened:
            opened.truncate(file.stat().st_size // 2)


def lose_graphs(cache: Path) -> None:
    """Libraries are left without what names them."""
    shutil.rmtree(cache / "fxgraph", ignore_errors=True)
    shutil.rmtree(cache / "aotautograd", ignore_errors=True)


def lose_code(cache: Path) -> None:
    """Graphs are left without the code and the libraries that they name."""
    for folder in cache.iterdir():
        if folder.is_dir() and folder.name not in {"fxgraph", "aotautograd"}:
            shutil.rmtree(folder)


def _files(cache: Path) -> list[Path]:
    return sorted(each for each in cache.rglob("*") if each.is_file())


STATES: Mapping[str, Callable[[Path], None]] = {
    "left": leave,
    "emptied": empty_files,
    "without_code": lose_code,
}
RARE_STATES: Mapping[str, Callable[[Path], None]] = {
    "cut": cut_files,
    "without_graphs": lose_graphs,
}


@pytest.mark.parametrize("group", ["common", RARE])
def test_recompiled(
    group: str, fresh_process: FreshProcess, device: str, record: Record, tmp_path: Path
) -> None:
    """A later process that compiles the same computes what eager computes, whatever it finds.

    The caches that another process left were moved, emptied, cut, made read-only; or two processes
    compile at once.
    """
    kept = tmp_path / "kept"
    starts = {"cold": in_process(fresh_process, start, kept, device)}
    for name, treat in (STATES if group == "common" else RARE_STATES).items():
        moved = Path(shutil.copytree(kept, tmp_path / name))
        treat(moved)
        starts[name] = in_process(fresh_process, start, moved, device)
    if group == "rare":
        starts["in_place"] = in_process(fresh_process, start, kept, device)
        starts["without_compiler"] = in_process(fresh_process, start, kept, device, lose_compiler)
        starts |= read_only(fresh_process, kept, device)
        starts |= at_once(tmp_path / "shared", device)
    record(Starts(starts=starts))
    assert_none_is_wrong(starts)
    assert starts["cold"].reused is False, starts["cold"].how


def read_only(fresh_process: FreshProcess, cache: Path, device: str) -> dict[str, Again]:
    """Nobody may write to the cache folder any more."""
    everything = [cache, *cache.rglob("*")]
    for each in everything:
        each.chmod(0o555 if each.is_dir() else 0o444)
    found = in_process(fresh_process, start, cache, device, obey_permissions)
    for each in everything:
        each.chmod(0o755 if each.is_dir() else 0o644)
    return {"read_only": found}


def at_once(cache: Path, device: str) -> dict[str, Again]:
    """Two processes that compile the same begin at the same time, with nothing."""
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2) as pool:
        first, second = pool.starmap(start, [(cache, device)] * 2, chunksize=1)
    worse = first if not first.right else second
    # Which of the two finds what the other one left is chance.
    how = "compiled" if worse.right is not None else worse.how
    return {"at_once": Again(reused=False if worse.right else None, right=worse.right, how=how)}


def save_portable(cache: Path, device: str) -> tuple[Again, bytes, list[str]]:
    """What ``save_cache_artifacts`` gives after a compilation, and of which kinds it is."""
    again = start(cache, device)
    saved = torch.compiler.save_cache_artifacts()
    assert saved is not None, "save_cache_artifacts has nothing"
    data, info = saved
    return again, data, sorted(info.artifacts)


def start_with(data: bytes, cache: Path, device: str) -> Again:
    """Likewise of an empty cache folder, once these artifacts are loaded."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache)
    try:
        loaded = torch.compiler.load_cache_artifacts(data)
    except Exception as error:  # noqa: BLE001  (it is the answer)
        return Again(reused=None, right=None, how=f"loading {raises(error)}")
    again = start(cache, device)
    kinds = "nothing" if loaded is None else ", ".join(sorted(loaded.artifacts)) or "no artifacts"
    return Again(reused=again.reused, right=again.right, how=f"loaded {kinds}; {again.how}")


@pytest.mark.parametrize("group", ["common", RARE])
def test_portable(
    group: str, fresh_process: FreshProcess, device: str, record: Record, tmp_path: Path
) -> None:
    """What save_cache_artifacts gives lets a process with empty caches compile nothing again.

    What becomes of such bytes when they are cut, or empty, is an answer.
    """
    cold, data, _ = fresh_process(save_portable, tmp_path / "saved", device)
    starts = {"cold": cold}
    whole = {"whole": data}
    damaged = {"cut": data[: len(data) // 2], "empty": b""}
    for name, given in (whole if group == "common" else whole | damaged).items():
        starts[name] = in_process(fresh_process, start_with, given, tmp_path / name, device)
    record(Starts(starts=starts))
    assert_none_is_wrong(starts)
    assert starts["whole"].reused, f"with the artifacts loaded: {starts['whole'].how}"


@pytest.mark.parametrize("group", ["common", RARE])
def test_aot_compile(
    group: str, fresh_process: FreshProcess, record: Record, tmp_path: Path
) -> None:
    """What torch.compile(…).aot_compile saved, another process loads, and computes the same with.

    That a function cannot be compiled, saved or loaded so is an answer; so is what becomes of it
    where it is called with what it was not compiled for, or where its source has changed.
    """
    folder = tmp_path / "saved"
    names = ahead.FUNCTIONS if group == "common" else ("plain", *ahead.MORE_FUNCTIONS)
    starts: dict[str, Again] = fresh_process(ahead.save_all, names, folder)
    if group == "common":
        starts |= fresh_process(ahead.load_all, names, folder)
    else:
        starts |= loaded_by_a_new_interpreter(folder)
        if (folder / "plain").exists():
            unfit = fresh_process(ahead.refusals, folder)
            ahead.change_source(folder)
            unfit["other_source"] = fresh_process(ahead.load_all, ["plain"], folder)["plain"]
            starts |= unfit
    record(Starts(starts={name: starts[name] for name in sorted(starts)}))
    # What was compiled from another source says so, or is what it was: nobody promised either.
    assert_none_is_wrong({n: each for n, each in starts.items() if n != "other_source"})


def loaded_by_a_new_interpreter(folder: Path) -> dict[str, Again]:
    """As others load it, with no object of this process at its old address."""
    asked = subprocess.run(
        [sys.executable, "-m", ahead.__name__, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    return {name: Again(**fields) for name, fields in json.loads(asked.stdout).items()}


def start_precompiled(cache: Path, device: str, *, save: bool) -> Again:
    """Compile with ``caching_precompile``, and keep what Dynamo made of the function as well."""
    from torch._dynamo.precompile_context import PrecompileContext

    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache)
    with torch._dynamo.config.patch(caching_precompile=True):
        try:
            again = start(cache, device)
            if save:
                PrecompileContext.save_to_dynamo_cache()
        except Exception as error:  # noqa: BLE001  (it is the answer)
            return Again(reused=None, right=None, how=f"saving {raises(error)}")
    return again


def test_precompile(
    fresh_process: FreshProcess,
    device: str,
    record: Record,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """With caching_precompile, a later process takes what Dynamo made of a function, too."""
    if not hasattr(torch._dynamo.config, "caching_precompile"):
        request.node.unsupported = "this build has no caching_precompile"
        pytest.skip(request.node.unsupported)
    cache = tmp_path / "cache"
    starts = {
        "cold": in_process(fresh_process, partial(start_precompiled, save=True), cache, device),
        "warm": in_process(fresh_process, partial(start_precompiled, save=False), cache, device),
    }
    record(Starts(starts=starts))
    assert_none_is_wrong(starts)


@pytest.mark.full
def test_variables(
    fresh_process: FreshProcess, device: str, record: Record, tmp_path: Path
) -> None:
    """What was compiled under one setting of the environment is not used under another one.

    Of the environment of a new interpreter: a variable that Inductor's config reads, another
    instruction set; and such as change nothing that is compiled.
    """
    cache = tmp_path / "cache"
    settings = {
        "nothing": {},
        "config_variable": {"TORCHINDUCTOR_PERMUTE_FUSION": "1"},
        "instruction_set": {"ATEN_CPU_CAPABILITY": "default"},
        "hash_seed": {"PYTHONHASHSEED": "7"},
        "logs": {"TORCH_LOGS": "graph"},
        "optimized": {"PYTHONOPTIMIZE": "1"},
    }
    cold = in_process(fresh_process, start, cache, device)
    found = {name: new_interpreter(cache, device, given) for name, given in settings.items()}
    differ = {name: found.pop(name) for name in ("config_variable", "instruction_set")}
    record(Keys(differ=differ, same=found, free={"cold": cold}))
    assert_none_is_wrong({**found, **differ})
    assert found["nothing"].reused, found["nothing"].how


def new_interpreter(cache: Path, device: str, variables: Mapping[str, str]) -> Again:
    asked = subprocess.run(
        [sys.executable, "-m", "compat.probes.starting", str(cache), device],
        env={**os.environ, "TORCHINDUCTOR_COMPILE_THREADS": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        return Again(reused=None, right=None, how=f"ends with {asked.returncode}")
    return Again(**json.loads(asked.stdout.splitlines()[-1]))


def in_process(fresh_process: FreshProcess, function: Callable[..., Again], *args: Any) -> Again:
    """What a new process says, or that it died."""
    try:
        found: Again = fresh_process(function, *args)
    except DiedError as error:
        return Again(reused=None, right=None, how=f"dies with {error.exit_code}")
    return found


def assert_none_is_wrong(found: Mapping[str, Again]) -> None:
    wrong = [name for name, again in found.items() if again.right is False]
    assert not wrong, f"something else is computed: {', '.join(wrong)}"

"""What was compiled and saved, loaded again in a process that compiled nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import fx

from compat.interface.compilers import (
    Compiled,
    CompileFxCompiler,
    Compiler,
    Handle,
    StandaloneCompiler,
    with_convention_of,
)
from compat.probes.agreement import judge
from compat.probes.calls import Call, digest, pack, unpack
from compat.probes.conftest import DiedError, FreshProcess, RaisedError, Record, Require
from compat.probes.driving import drive, initialized, make_batches, run_eagerly
from compat.probes.models import make_model
from compat.probes.permissions import obey_permissions
from compat.runs.signature import normalise
from compat.topics.artifacts.records import (
    Across,
    Damaged,
    Kept,
    Load,
    Loaded,
    Placed,
    Reloaded,
    SavedByTwo,
)
from compat.topics.artifacts.refusals import refusal

REFUSALS = (Load.REFUSED, Load.REFUSED_UNCLEARLY)


class RawAotCompiler(StandaloneCompiler):
    """Keeps the bytes of an aot artifact by itself, without torch's file around them.

    So vLLM puts the artifacts of all pieces into one file (VLLM_USE_MEGA_AOT_ARTIFACT). The bytes
    carry no key of the torch that made them.
    """

    def __init__(self) -> None:
        super().__init__(aot=True)

    def compile(self, *args: Any, **kwargs: Any) -> tuple[Compiled, Handle | None]:
        artifact, handle = super().compile(*args, **kwargs)
        assert handle is not None
        Path(handle[1]).write_bytes(artifact.serialize())  # type: ignore[attr-defined]
        return artifact, handle

    def load(
        self, handle: Handle, graph: fx.GraphModule, example_inputs: Sequence[Any]
    ) -> Compiled:
        module = sys.modules["torch._inductor.standalone_compile"]
        saved = Path(handle[1]).read_bytes()
        return with_convention_of(graph, module.AOTCompiledArtifact.deserialize(saved))


KINDS: Mapping[str, Callable[[], Compiler]] = {
    "binary": StandaloneCompiler,
    "unpacked": lambda: StandaloneCompiler(save_format="unpacked"),
    "aot": lambda: StandaloneCompiler(aot=True),
    "aot-raw": RawAotCompiler,
    "fx-graph-cache": CompileFxCompiler,
}
# What vLLM writes by default, release by release: asked at default depth.
SHIPPED = ("unpacked", "aot", "fx-graph-cache")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if kind in SHIPPED else pytest.mark.full) for kind in KINDS],
)
def test_reload(
    kind: str,
    fresh_process: FreshProcess,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """A new process loads what this one saved, compiles nothing, and computes the same numbers.

    ``fx-graph-cache`` is the compile_fx path's lookup of its own cache, through a stand-in
    ShapeEnv, from inside Dynamo's context.
    """
    saved, calls = save_block(kind, device, require, tmp_path)
    loaded, calls_again = load_elsewhere(fresh_process, kind, device, tmp_path, saved)
    record(
        Reloaded(
            **vars(loaded),
            bitwise=digest(calls_again) == digest(calls),
            handles=len(saved),
        )
    )
    assert len(saved) == 4, f"saved only {sorted(saved)}"
    assert loaded.load is Load.RIGHT, in_words(loaded)
    assert loaded.compilations == 0, f"the new process compiled {loaded.compilations} times"


def load(
    kind: str, device: str, cache_dir: Path, handles: Mapping[str, Handle]
) -> tuple[bytes, int]:
    """Run the model from ``handles``; its calls, packed, and how often it compiled all the same."""
    compiler = initialized(KINDS[kind](), cache_dir)
    real = type(compiler).compile
    with patch.object(type(compiler), "compile", autospec=True, side_effect=real) as compile_again:
        driven = drive(
            make_model("block", torch.float32, device),
            compiler,
            make_batches("dynamic", torch.float32, device),
            handles=handles,
        )
    return pack(driven.calls), compile_again.call_count


def load_without_override(*args: Any) -> Any:
    """As :func:`load`, also where root runs it with file permissions that hold for root."""
    obey_permissions()
    return load(*args)


# Of the kinds that lie in a file or a folder that people copy around.
FILES = ("binary", "unpacked", "aot", "aot-raw")

# Beside what was saved for other builds: by the name of a piece its key and its file.
HANDLES = "handles.json"


def truncate(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def flip_a_bit(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        (byte,) = opened.read(1)
        opened.seek(-1, os.SEEK_CUR)
        opened.write(bytes([byte ^ 1]))


def empty(file: Path) -> None:
    file.write_bytes(b"")


DAMAGES: Mapping[str, Callable[[Path], None]] = {
    "truncated": truncate,
    "bit-flipped": flip_a_bit,
    "empty": empty,
}


@pytest.mark.full
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", FILES)
def test_damaged(
    kind: str,
    damage: str,
    fresh_process: FreshProcess,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """What becomes of a saved artifact when each of its files is damaged, with nothing else left.

    An empty or a cut file is refused: whoever loads it instead computes something else. What a
    flipped bit does is recorded as it is, since nobody promised to notice.
    """
    saved, _ = save_block(kind, device, require, tmp_path / "saved")
    for _, path in saved.values():
        files = [Path(path)] if Path(path).is_file() else sorted(Path(path).rglob("*"))
        for file in files:
            if file.is_file():
                DAMAGES[damage](file)
    forget_caches(tmp_path / "saved")
    loaded, _ = load_elsewhere(fresh_process, kind, device, tmp_path / "saved", saved)
    if loaded.load is Load.RIGHT:
        loaded = replace(loaded, load=Load.UNNOTICED)
    record(Damaged(**vars(loaded)))
    assert damage == "bit-flipped" or loaded.load in REFUSALS, in_words(loaded)


@pytest.mark.full
@pytest.mark.parametrize("place", ["moved", "read-only"])
@pytest.mark.parametrize("kind", FILES)
def test_placed(
    kind: str,
    place: str,
    fresh_process: FreshProcess,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """A saved artifact loads from another folder, and from one that nobody may write to.

    Downstreams ship such folders in container images and on shared, read-only disks. Since nobody
    promised that those do, what becomes of them is recorded: right, or refused.
    """
    saved, _ = save_block(kind, device, require, tmp_path / "saved")
    forget_caches(tmp_path / "saved")
    folder = tmp_path / "saved"
    if place == "moved":
        folder = Path(shutil.move(folder, tmp_path / "elsewhere"))
        saved = {
            name: (key, str(folder / Path(path).relative_to(tmp_path / "saved")))
            for name, (key, path) in saved.items()
        }
    else:
        for each in [folder, *folder.rglob("*")]:
            each.chmod(0o555 if each.is_dir() else 0o444)
    loaded, _ = load_elsewhere(
        fresh_process,
        kind,
        device,
        tmp_path / "caches",
        saved,
        load_without_override,
    )
    if place == "read-only":
        for each in [folder, *folder.rglob("*")]:
            each.chmod(0o755 if each.is_dir() else 0o644)
    record(Placed(**vars(loaded)))
    allowed = (Load.RIGHT,) if place == "moved" else (Load.RIGHT, *REFUSALS)
    assert loaded.load in allowed, in_words(loaded)


@pytest.mark.full
@pytest.mark.parametrize("kind", FILES)
def test_saved(
    kind: str, artifacts: Path, device: str, record: Record, require: Require, tmp_path: Path
) -> None:
    """What the other builds are to load is saved, outside of this probe's own folder."""
    saved, _ = save_block(kind, device, require, tmp_path)
    record(Kept(artifacts=len(saved)))
    assert len(saved) == 4, f"saved only {sorted(saved)}"
    forget_caches(tmp_path)
    handles = {name: [key, Path(path).name] for name, (key, path) in saved.items()}
    (tmp_path / HANDLES).write_text(json.dumps(handles))
    shutil.rmtree(artifacts / kind, ignore_errors=True)
    shutil.copytree(tmp_path, artifacts / kind)


@pytest.mark.full
@pytest.mark.parametrize("kind", FILES)
def test_across(
    kind: str,
    saved_by: str,
    saved_artifacts: Path,
    fresh_process: FreshProcess,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """What this build makes of an artifact that another build saved: it is right, or is refused.

    A downstream's cache folder outlives an upgrade of torch. Whether a refusal says what is wrong
    is recorded.
    """
    if kind.startswith("aot"):
        require("aot")
    if not (saved_artifacts / kind).exists():
        pytest.skip(f"{saved_by} saved no {kind} artifact")
    folder = Path(shutil.copytree(saved_artifacts / kind, tmp_path / "saved"))
    handles = {
        name: (key, str(folder / file))
        for name, (key, file) in json.loads((folder / HANDLES).read_text()).items()
    }
    loaded, _ = load_elsewhere(fresh_process, kind, device, tmp_path / "caches", handles)
    record(Across(**vars(loaded)))
    assert loaded.load in (Load.RIGHT, *REFUSALS), in_words(loaded)


@pytest.mark.full
@pytest.mark.parametrize("kind", ["binary", "unpacked", "aot"])
def test_saved_by_two(
    kind: str,
    fresh_process: FreshProcess,
    device: str,
    record: Record,
    require: Require,
    tmp_path: Path,
) -> None:
    """What two processes saved to one path at once loads and is right, or is refused.

    All ranks of a downstream share one cache folder. That one of the two may fail is recorded.
    """
    if kind.startswith("aot"):
        require("aot")
    fork = multiprocessing.get_context("fork")
    savers = [
        fork.Process(target=save_block, args=(kind, device, require, tmp_path)) for _ in range(2)
    ]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    statuses = [saver.exitcode for saver in savers]
    saved, _ = save_block(kind, device, require, tmp_path / "alone")
    shared = {
        name: (key, str(tmp_path / Path(path).relative_to(tmp_path / "alone")))
        for name, (key, path) in saved.items()
    }
    forget_caches(tmp_path)
    loaded, _ = load_elsewhere(fresh_process, kind, device, tmp_path, shared)
    record(SavedByTwo(**vars(loaded), savers_failed=sum(map(bool, statuses))))
    assert 0 in statuses, f"both savers failed, with {statuses}"
    assert loaded.load in (Load.RIGHT, *REFUSALS), in_words(loaded)


def save_block(
    kind: str, device: str, require: Require, folder: Path
) -> tuple[dict[str, Handle], tuple[Call, ...]]:
    """Compile the block, save its pieces below ``folder``, and call it."""
    if kind.startswith("aot"):
        require("aot")
    model = make_model("block", torch.float32, device)
    compiler = initialized(KINDS[kind](), folder)
    driven = drive(model, compiler, make_batches("dynamic", torch.float32, device))
    return dict(driven.backend.handles), driven.calls


def forget_caches(folder: Path) -> None:
    """Leave nothing but the artifacts: Inductor's own caches would stand in for what is missing."""
    shutil.rmtree(folder / "inductor_cache", ignore_errors=True)
    shutil.rmtree(folder / "triton_cache", ignore_errors=True)


def load_elsewhere(
    fresh_process: FreshProcess,
    kind: str,
    device: str,
    cache_dir: Path,
    handles: Mapping[str, Handle],
    load: Callable[..., Any] = load,
) -> tuple[Loaded, tuple[Call, ...]]:
    """How a new process fares with what was saved of the block, and what its calls return."""
    try:
        packed, compilations = fresh_process(load, kind, device, cache_dir, handles)
    except DiedError as error:
        return Loaded(load=Load.CRASHED, exit_code=error.exit_code), ()
    except RaisedError as error:
        said = normalise(error.message.partition("\n")[0])
        how = refusal(error.kind, said)
        return Loaded(load=how, raised=error.kind, said=said), ()
    calls = unpack(packed)
    model = make_model("block", torch.float32, device)
    seen = judge(calls, run_eagerly(model, make_batches("dynamic", torch.float32, device)))
    loaded = Loaded(
        load=Load.RIGHT if seen.agrees else Load.WRONG,
        max_abs=seen.max_abs,
        contract=seen.contract,
        compilations=compilations,
    )
    return loaded, calls


def in_words(loaded: Loaded) -> str:
    """What became of a load, for a failed assertion."""
    if loaded.raised:
        return f"{loaded.load.value}: {loaded.raised}: {loaded.said}"
    if loaded.exit_code is not None:
        return f"{loaded.load.value}: the new process ended with {loaded.exit_code}"
    contract = "".join(f", {trait} not as eager" for trait in loaded.contract)
    return f"{loaded.load.value}: outputs are off by {loaded.max_abs:.3g}{contract}"

"""A GPU that is not there, that torch cannot use, that is full, and that a probe breaks."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.builds.environment import Environment
from compat.running.host import default_jobs
from compat.runs.contents import Reported, read_contents
from compat.runs.model import Device, Outcome
from compat.runs.stream import Stream
from compat.worker.gpu import gpu_is_there, limit_memory
from compat.worker.machine import trouble
from tests.conftest import variables_inside

Work = Callable[..., tuple[list[Reported], Device]]

without_gpu = pytest.mark.skipif(gpu_is_there(), reason="this machine has an NVIDIA GPU")


@pytest.fixture
def work(real_build: Callable[[str], Environment], tmp_path: Path) -> Work:
    """Runs a worker: the cells that it saw, and what the build says of its device.

    In a build of its own, or in the Python that runs the tests where that has torch.
    """
    if importlib.util.find_spec("torch") is None:
        environment = real_build("2.13")
    else:
        environment = Environment(python=Path(sys.executable), scratch=tmp_path)

    def run(device: str, *select: str, **variables: str) -> tuple[list[Reported], Device]:
        temporary = environment.scratch / "tmp"
        temporary.mkdir(exist_ok=True)
        stream = Stream(tmp_path / "stream.jsonl")
        worker = subprocess.run(
            [
                *(str(environment.python), "-m", "compat.worker", "--stream", str(stream.path)),
                *("--device", device, "--depth", "full", "--select", *select),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={
                **variables_inside(environment),
                "TMPDIR": str(temporary),
                "TORCHINDUCTOR_CACHE_DIR": str(environment.scratch / "inductor"),
                "TORCHINDUCTOR_COMPILE_THREADS": "1",
                **variables,
            },
        )
        assert worker.returncode == 0, worker.stdout + worker.stderr
        contents = read_contents(stream)
        assert contents.damaged == []
        assert contents.environment is not None
        return list(contents.cells.values()), contents.environment.device

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("memory", "jobs"), [("81559", 4), ("81559\n12288", 3), ("1024", 1), ("[N/A]", 1), ("", 1)]
)
def test_as_many_probes_share_a_gpu_as_its_memory_holds(
    memory: str, jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\necho '{memory}'\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert default_jobs("cuda") == jobs
    assert default_jobs("cpu") == 4


@pytest.mark.slow
def test_a_probe_has_its_part_of_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho 16384\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("PYTORCH_ALLOC_CONF", raising=False)
    limit_memory()
    assert os.environ["PYTORCH_ALLOC_CONF"] == "per_process_memory_fraction:0.250000"


TRIED = (
    "CUDA out of memory. Tried to allocate {}. GPU 0 has a total capacity of 139.81 GiB of which"
)


@pytest.mark.parametrize(
    ("message", "lacking"),
    [
        (f"{TRIED.format('20.00 GiB')} 1.50 GiB is free.", True),
        (f"{TRIED.format('20.00 MiB')} 0 bytes is free.", True),
        (f"{TRIED.format('2.00 GiB')} 130.25 GiB is free. 4.00 GiB allowed; of the", False),
        (
            "CUDA out of memory. Allocation was preemptively rejected because it would exceed "
            "per_process_memory_fraction limit. Requested size: 8.00 GiB",
            False,
        ),
    ],
)
def test_a_probe_that_takes_more_than_its_part_is_to_blame(
    message: str, lacking: bool, tmp_path: Path
) -> None:
    assert bool(trouble(tmp_path, RuntimeError(message))) is lacking


@without_gpu
def test_no_gpu(work: Work) -> None:
    cells, device = work("cuda", "cuda.", "gates.capability", "parity.outputs[mlp-float32-static")
    assert {cell.probe for cell in cells} > {"cuda.triton", "gates.capability", "parity.outputs"}
    assert {(cell.outcome, cell.reason) for cell in cells} == {
        (Outcome.SKIP, "this machine has no NVIDIA GPU")
    }
    assert device == Device(kind="cuda")


@without_gpu
def test_a_gpu_that_torch_cannot_use(work: Work, tmp_path: Path) -> None:
    smi = tmp_path / "bin" / "nvidia-smi"
    smi.parent.mkdir()
    smi.write_text('#!/bin/sh\ntest "$1" = -L && echo "GPU 0: one" || echo 999.1\n')
    smi.chmod(0o755)
    path = f"{smi.parent}{os.pathsep}{os.environ['PATH']}"
    cells, device = work("cuda", "cuda.triton", "gates.capability", PATH=path)
    assert {cell.outcome for cell in cells} == {Outcome.NOT_RUN}
    (reason,) = {cell.reason for cell in cells}
    # What torch says of its own accord on this machine.
    assert reason.startswith("torch cannot use the GPU: Found no NVIDIA driver on your system.")
    assert device.driver == "999.1"


def test_what_is_for_a_gpu_is_not_planned_for_a_cpu(work: Work) -> None:
    cells, _ = work("cpu", "cuda.", "gates.capability[aot]")
    assert [(cell.check, cell.outcome) for cell in cells] == [
        ("gates.capability[aot]", Outcome.PASS)
    ]


def test_a_full_device_says_how_full(work: Work) -> None:
    cells, _ = work("cpu", "donation.flag", PYTEST_PLUGINS="tests.probes.full_device")
    by_batch = {cell.params["batch"]: cell for cell in cells}
    for cell in by_batch.values():
        assert cell.outcome is Outcome.NOT_RUN
        assert cell.reason.startswith("CUDA out of memory. Tried to allocate 20.00 GiB.")
        assert "139.81 GiB" in cell.reason


@pytest.mark.skipif(not gpu_is_there(), reason="this machine has no NVIDIA GPU")
def test_an_illegal_access_costs_one_cell(work: Work) -> None:
    cells, device = work("cuda", "cuda.triton", PYTEST_PLUGINS="tests.probes.stray_kernel")
    first, second = cells
    assert first.outcome is Outcome.ERROR
    assert "illegal memory access" in first.reason
    assert second.outcome is Outcome.PASS
    assert device.count

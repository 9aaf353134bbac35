"""An interpreter with the fake torch, and faults to put into each phase of a worker in it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from tests.fake_torch import wheel
from tests.sabotaged_build import HOOKS

VERSION = "2.16.0+cpu"
# The check whose probe does ``fault``; there are some before and after it.
FAULTY = "surface.name[torch._dynamo.utils.get_metrics_context]"

# What a process may do to itself, as ``fault()``. The marker lets it happen once only.
FAULTS = {
    "hang": "ctypes.PyDLL(None).sleep(600)",
    "spin": "while True: pass",
    "stop": "os.kill(os.getpid(), signal.SIGSTOP)",
    "kill": "os.kill(os.getpid(), signal.SIGKILL)",
    "interrupt": "os.kill(os.getpid(), signal.SIGINT)",
    "die": "ctypes.string_at(0)",
    "exit": "os._exit(0)",
    "clean away": "shutil.rmtree(os.path.dirname(os.environ['TRITON_CACHE_DIR'])); os._exit(0)",
    "flood": "while True: os.write(1, b'all work and no play\\n' * 50_000)",
}

# Where ``fault()`` is called, by the phase that the worker is in then.
PHASES = {
    "start": "fault()",
    "import": "BEFORE['torch'] = fault",
    "environment": """
def wrap(torch):
    torch.backends.cpu.get_cpu_capability = fault
AFTER["torch"] = wrap
""",
    # Before pytest begins, and while it collects.
    "collect": "BEFORE['compat.worker.isolation'] = fault",
    "inside pytest": "BEFORE['compat.probes.looking'] = fault",
    "warm up": """
def wrap(torch):
    import torch._inductor.cpu_vec_isa
    torch._inductor.cpu_vec_isa.pick_vec_isa = fault
AFTER["torch"] = wrap
""",
    # In the process of one probe.
    "probe": """
import inspect
signature = inspect.signature
def faulty(function, **options):
    if "[torch._dynamo.utils.get_metrics_context]" in os.environ.get("PYTEST_CURRENT_TEST", ""):
        fault()
    return signature(function, **options)
inspect.signature = faulty
""",
    "end": "import atexit; atexit.register(fault)",
}


def fake_python(folder: Path) -> Path:
    """The interpreter of a new environment with a torch that does nothing."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    with zipfile.ZipFile(BytesIO(wheel(VERSION))) as archive:
        archive.extractall(_site(folder))
    return folder / "bin" / "python"


def put_fault(python: Path, phase: str, fault: str, *, marker: Path | None = None) -> None:
    """Have workers in an environment do ``fault`` in a phase; with a marker only the first time."""
    once = f"if os.path.exists({str(marker)!r}): return\n    open({str(marker)!r}, 'w').close()"
    body = f"def fault():\n    {once if marker else ''}\n    {fault}\n"
    # The harness asks the interpreter for other things, too.
    source = body + PHASES[phase]
    inside = f"if 'compat.worker' in sys.orig_argv:\n    import shutil\n    exec({source!r})\n"
    (_site(python.parents[1]) / "sitecustomize.py").write_text(HOOKS + inside)


def _site(folder: Path) -> Path:
    (site,) = (folder / "lib").glob("python*/site-packages")
    return site

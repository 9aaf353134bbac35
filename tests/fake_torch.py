"""Tiny wheels of a torch that has every name there is and does nothing.

Only the probes that look at names and signatures are collected in it.
"""

from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO

# Every attribute and every module below it is there. A class can be called, subclassed, entered.
EVERYTHING = """
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

def dunder(name):
    if name.startswith("__"):
        raise AttributeError(name)

class Kind(type):
    def __getattr__(cls, name):
        dunder(name)
        setattr(cls, name, Kind(name, (Thing,), {}))
        return getattr(cls, name)

class Thing(metaclass=Kind):
    def __init__(self, *args, **kwargs): pass
    def __call__(self, *args, **kwargs): return Thing()
    def __getattr__(self, name):
        dunder(name)
        return Thing()
    def __enter__(self): return self
    def __exit__(self, *args): return None

class Module(ModuleType):
    def __getattr__(self, name):
        dunder(name)
        setattr(self, name, Kind(name, (Thing,), {}))
        return getattr(self, name)

class Everything:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("torch."):
            return ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        return Module(spec.name)
    def exec_module(self, module):
        pass

sys.meta_path.append(Everything())
sys.modules[__name__].__class__ = Module
import torch.version, torch.backends.cpu, torch.library, torch._inductor
torch.version.git_version = {commit!r}
torch.backends.cpu.get_cpu_capability = lambda: "none"
__version__ = {version!r}

def nothing_compiles(*args, **kwargs):
    # Modules of probes that compile call one of these when they are imported.
    import pytest
    pytest.skip("nothing compiles here", allow_module_level=True)
torch.library.custom_op = torch.arange = torch.full = torch.linspace = nothing_compiles

def standalone_compile(graph, inputs, {parameters}): pass
torch._inductor.standalone_compile = standalone_compile
"""

WHOLE = "dynamic_shapes, options, aot=False, donate_graph_module=False"
# What the interface always passes is gone.
NO_OPTIONS = "dynamic_shapes, aot=False, donate_graph_module=False"


def commit_of(version: str) -> str:
    return hashlib.sha1(version.encode()).hexdigest()


def name_of(version: str) -> str:
    return f"torch-{version}-py3-none-any.whl"


def wheel(version: str, parameters: str = WHOLE) -> bytes:
    """A real wheel; ``parameters`` are those of ``standalone_compile``."""
    info = f"torch-{version}.dist-info"
    source = EVERYTHING.replace("{commit!r}", repr(commit_of(version)))
    source = source.replace("{version!r}", repr(version)).replace("{parameters}", parameters)
    files = {
        "torch/__init__.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return buffer.getvalue()

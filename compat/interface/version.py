"""The version rule that downstream gates are written in."""

from __future__ import annotations

import torch
from packaging.version import Version


def is_torch_equal_or_newer(floor: str, torch_version: str | None = None) -> bool:
    """Whether a torch version is at or past ``floor`` in PEP 440 order.

    Pre-releases count as what PEP 440 says they are: ``2.13.0.dev20260420+cu130`` is past
    ``2.13.0.dev`` and before ``2.13.0``; ``2.13.0a0+git0123abc`` (a source build) lies between
    the two. A local part never moves a version below its public one.

    Args:
        floor: A version such as ``"2.13.0.dev"``.
        torch_version: The version to ask about; the running torch when left out.

    Raises:
        packaging.version.InvalidVersion: Either string is not a PEP 440 version.

    Source: ``vllm/utils/torch_version.py``, as released in vLLM 0.33.0.
    """
    running = torch.__version__ if torch_version is None else torch_version
    return Version(str(running)) >= Version(floor)

"""Reads the file that lists the builds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tomllib

from compat.builds.spec import Spec, parse_spec
from compat.errors import BuildsFileError, UsageError

DEFAULT_FILE = Path(__file__).with_name("builds.toml")


@dataclass(frozen=True, kw_only=True)
class BuildsFile:
    """What ``builds.toml`` says.

    Attributes:
        specs: The builds of the default matrix.
        pytorch_index: Address under which PyTorch's own index pages lie.
        timeout_s: Seconds after which an index counts as not answering.
    """

    specs: tuple[Spec, ...]
    pytorch_index: str
    timeout_s: float


def load_builds(path: Path = DEFAULT_FILE) -> BuildsFile:
    """Read and check a builds file.

    Raises:
        BuildsFileError: It is missing, no TOML, or lacks an entry.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BuildsFileError(f"cannot read {path}: {error}") from None
    match data:
        case {
            "builds": [str(), *_] as specs,
            "index": {"pytorch": str(pytorch), "timeout_s": int() | float() as timeout_s},
        }:
            pass
        case _:
            raise BuildsFileError(
                f"{path}: expected a list 'builds' of specs, and 'pytorch' (an address) and "
                f"'timeout_s' (a number) under [index]"
            )
    try:
        parsed = tuple(parse_spec(spec) for spec in specs)
    except UsageError as error:
        raise BuildsFileError(f"{path}: {error}") from None
    return BuildsFile(specs=parsed, pytorch_index=pytorch.rstrip("/"), timeout_s=timeout_s)

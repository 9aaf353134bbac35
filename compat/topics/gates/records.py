"""Records of: gate against capability, and the patches that stand in for a feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Capability:
    """A feature's gate, and whether the build has the feature.

    Attributes:
        floor: The version from which on downstream's gate is open; None where it ships no gate.
        source: Where that rule comes from.
    """

    gate: bool
    capability: bool
    floor: str | None
    source: str


@dataclass(frozen=True, kw_only=True)
class SharedFakeMode:
    """How far outputs are from eager's where standalone_compile took over the inputs' fake mode."""

    max_abs: float | None


@dataclass(frozen=True, kw_only=True)
class PatchTarget:
    """Whether a patch by this way reaches the module that standalone_compile is in."""

    reaches: bool
    failure: str


RECORDS: Mapping[str, type] = {
    "gates.capability": Capability,
    "gates.shared_fake_mode": SharedFakeMode,
    "gates.patch_target": PatchTarget,
}

"""Settings of the interface, by environment variable or by argument."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which path compiles, and whether anything is kept.

    Attributes:
        use_standalone_compile: ``standalone_compile`` when true, else the legacy ``compile_fx``.
        use_aot_artifact: Let ``standalone_compile`` produce an ahead-of-time artifact.
        disable_compile_cache: Save nothing and ask nothing of the caches.
    """

    use_standalone_compile: bool = True
    use_aot_artifact: bool = False
    disable_compile_cache: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read ``COMPAT_USE_STANDALONE_COMPILE`` and its like, each ``0`` or ``1``.

        Raises:
            ValueError: A variable holds something else.
        """
        return cls(
            use_standalone_compile=_switch(environment, "COMPAT_USE_STANDALONE_COMPILE", True),
            use_aot_artifact=_switch(environment, "COMPAT_USE_AOT_ARTIFACT", False),
            disable_compile_cache=_switch(environment, "COMPAT_DISABLE_COMPILE_CACHE", False),
        )


def _switch(environment: Mapping[str, str], name: str, default: bool) -> bool:
    value = environment.get(name)
    if value is None:
        return default
    if value not in ("0", "1"):
        raise ValueError(f"{name} is {value!r}; expected 0 or 1")
    return value == "1"

"""Records of: which inputs compile_fx takes inside Dynamo's context, hidden or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Whether inputs compile, and what that changed in Dynamo's own context.

    Attributes:
        failure: The signature of why not; empty where they do.
        leaks: Names of attributes that are not what they were.
        returned: The type of what the compiled graph returns, whose own output is a tuple; empty
            where nothing was run.
        max_abs: The distance from eager; None where nothing was run, or where it is not finite.
    """

    compiles: bool
    failure: str
    leaks: tuple[str, ...]
    returned: str
    max_abs: float | None


@dataclass(frozen=True, kw_only=True)
class OnModel:
    """Whether a model's graph compiles with inputs of one kind, or computes something wrong then.

    Attributes:
        unhidden: The signature of what goes wrong in Dynamo's context; empty where nothing does.
        hidden: Likewise with the context hidden.
    """

    unhidden: str
    hidden: str

    @property
    def needed(self) -> bool:
        """Whether the context must be hidden."""
        return bool(self.unhidden) and not self.hidden


RECORDS: Mapping[str, type] = {
    "context_inputs.inputs": Inputs,
    "context_inputs.models": OnModel,
}

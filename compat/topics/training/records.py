"""Records of: whether what was compiled with gradients on trains, and can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.topics.naming import check_names

RIGHT = "right"
# As the value of what was not asked.
NOT_ASKED = "not asked"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of a compilation in one format of torch's.

    Attributes:
        saved_at_once: ``right``, or the signature of the refusal, before anything was run;
        saved_later: and after a step, when the backward graph is certainly compiled.
        loaded: What a step of a new process gave with what was saved: ``right``, what is wrong, or
            a signature.
    """

    saved_at_once: str
    saved_later: str
    loaded: str


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What became of a computation on a path.

    Attributes:
        failure: Of what could not be compiled, or not be run: where it stopped, and the signature.
        share: The largest error of outputs, changed inputs and gradients as a share of what is
            allowed: above 1 it is red; None where it is not finite, or nothing was run.
        contract: What else is not as eager returns it, such as ``requires_grad``.
        requires_grad: Which outputs need a gradient, in order; empty where nothing was run.
        retained: Whether a second backward over the same graph doubles the gradients: ``right``,
            what is wrong, or a signature.
        without_gradients: Likewise: whether a call under ``no_grad`` gives the outputs, and none
            that needs a gradient.
        kept: By format.
    """

    failure: str
    share: float | None = None
    contract: tuple[str, ...] = ()
    requires_grad: str = ""
    retained: str = NOT_ASKED
    without_gradients: str = NOT_ASKED
    kept: Mapping[str, Kept]

    def __post_init__(self) -> None:
        check_names(self.kept)


RECORDS: Mapping[str, type] = {
    "training.step": Trained,
}

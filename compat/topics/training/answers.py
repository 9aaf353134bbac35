"""What the record of a trained computation says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Said, text, verdict
from compat.topics.training.records import NOT_ASKED, RIGHT, Kept, Trained


def of_trained(record: Trained) -> Iterable[Said]:
    yield verdict("runs", not record.failure)
    yield verdict("right", right(record))
    yield text("failure", record.failure or "none")
    yield text("contract", None if record.failure else " ".join(record.contract) or "as eager")
    yield text("requires_grad", record.requires_grad or None)
    yield text("retained", _asked(record.retained))
    yield text("without_gradients", _asked(record.without_gradients))
    for name, kept in record.kept.items():
        yield verdict(f"saves.{name}", saves(kept))
        yield text(f"saved_at_once.{name}", _asked(kept.saved_at_once))
        yield text(f"saved_later.{name}", _asked(kept.saved_later))
        loads = None if kept.loaded == NOT_ASKED else kept.loaded == RIGHT
        yield verdict(f"loads.{name}", loads)
        yield text(f"loaded.{name}", _asked(kept.loaded))


def right(record: Trained) -> bool | None:
    """Whether outputs and gradients are right; None where there are none."""
    return None if record.failure else record.share is not None and record.share <= 1


def saves(kept: Kept) -> bool:
    """Whether it can be saved, at whatever time."""
    return RIGHT in {kept.saved_at_once, kept.saved_later}


def _asked(said: str) -> str | None:
    return None if said == NOT_ASKED else said


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {Trained: of_trained}

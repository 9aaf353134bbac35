"""Outcomes, values and changes in words: each said in one way everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from compat.runs.answers import Change, Ending, Kind, Scale, Value
from compat.runs.ids import BUILTIN
from compat.runs.model import Outcome
from compat.subjects.spec import taken_apart

MEANINGS = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "an assertion of the probe failed",
    Outcome.ERROR: "an exception that the probe did not expect",
    Outcome.CRASH: "the probe's process died",
    Outcome.TIMEOUT: "the probe hung",
    Outcome.UNSUPPORTED: "the build lacks the capability, and that is no fault",
    Outcome.SKIP: "no such device, or no way to ask here",
    Outcome.NOT_RUN: "nothing is known: the build could not be had, the machine lacked something, "
    "or the run ended before it",
}

CHANGES = {
    Change.LOST: "❌ lost",
    Change.WORSE: "🔻 worse",
    Change.GAINED: "✅ gained",
    Change.BETTER: "🔺 better",
    Change.CHANGED: "🔀 changed",
    Change.SAME: "same",
    Change.UNKNOWN: "❔ unknown",
}


def value_text(scale: Scale, value: Value | None) -> str:
    """A value as people read it."""
    if value is None:
        return "unknown"
    if isinstance(value, Ending):
        return ending_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "numbers"
    return f"{_number(value)} {_unit(scale.unit, value)}".strip() or "nothing"


def _unit(unit: str, value: float | str) -> str:
    """``copy`` of one, ``copies`` of several."""
    if value != 1 or not unit.endswith("s") or len(unit) == 1:
        return unit
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit[:-1]


def values_text(scale: Scale, values: Sequence[Value | None]) -> str:
    """Values of which each says the same but for its noise: from the least to the most of them."""
    sizes = [value for value in values if isinstance(value, int | float)]
    if scale.kind is not Kind.QUANTITY or len(set(sizes)) <= 1:
        return value_text(scale, values[0])
    return f"{_number(min(sizes))} to {_number(max(sizes))} {scale.unit}".strip()


def _number(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def ending_text(ending: Ending) -> str:
    """How a cell ended; a failure by its signature."""
    if not ending.outcome.bad:
        return ending.outcome.value
    # The signature of a crash or a hang says which it was.
    said = ending.signature or ending.outcome.value
    return said if said.startswith(ending.outcome.value) else f"{ending.outcome.value}: {said}"


def number_of(count: int, thing: str) -> str:
    """``1 check``, ``2 checks``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def shortened(text: str, longest: int) -> str:
    """``text``, or as much of its beginning as there is room for."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


_PROJECTS = {"vllm": "vLLM", "sglang": "SGLang"}


def subject_name(subject: str) -> str:
    """``vLLM 0.33.0`` of ``vllm-0.33.0``."""
    if subject == BUILTIN:
        return "vLLM"
    project, version = taken_apart(subject)
    return f"{_PROJECTS.get(project, project)} {version}" if version else subject


def named(check: str, subject: str) -> str:
    """A check as cells' ids have it before the ``@``."""
    return check if subject == BUILTIN else f"{subject}:{check}"

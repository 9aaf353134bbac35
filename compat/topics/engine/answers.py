"""What the records of engines say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import sqrt
from typing import Any

from compat.runs.answers import Good, Said, Sample, count, numbers, text, verdict
from compat.topics.engine.records import Agreed, Numbers, Restarted, Spoken, Started, Tokens

# A change of a log-probability that means nothing, in units of their root mean square: a rounding
# step of float32, many times over.
_NOISE = 1e-4


def of_started(record: Started) -> Iterable[Said]:
    yield text("extensions", ", ".join(record.extensions) or "none")
    yield text("patched", ", ".join(record.patched) or "none")


def of_spoken(record: Spoken) -> Iterable[Said]:
    for name, tokens in record.tokens.items():
        yield text(f"tokens.{name}", _words(tokens))
        yield numbers(f"chosen.{name}", [_sample(record.chosen[name])], noise=_NOISE)
    yield text("bits", record.bits)
    yield count("strays", record.strays)
    yield count("compilations", record.ran.compilations, good=Good.NEITHER)
    yield count("pieces", record.ran.pieces, good=Good.NEITHER)
    yield text("mode", record.ran.mode)
    yield text("adaptors", _calls(record.ran.adaptors))
    yield text("warned", "; ".join(record.ran.warned) or "nothing")


def of_agreed(record: Agreed) -> Iterable[Said]:
    yield verdict("tokens", record.tokens)
    yield verdict("bitwise", record.bitwise)


def of_restarted(record: Restarted) -> Iterable[Said]:
    yield verdict("same", record.same)
    yield count("compilations", None if record.same is None else record.compilations)
    yield count("asked", None if record.same is None else record.asked, good=Good.NEITHER)
    yield count("loads", None if record.same is None else record.loads, good=Good.MORE)
    yield count("hits", None if record.same is None else record.hits, good=Good.NEITHER)
    yield text("warned", "; ".join(record.warned) or "nothing")
    yield text("raised", record.raised or "nothing")


def _words(tokens: Tokens) -> str:
    return "; ".join(" ".join(map(str, each)) for each in tokens)


def _sample(chosen: Numbers) -> Sample:
    values = tuple(value for each in chosen for value in each)
    norm = sqrt(sum(value * value for value in values))
    return Sample(shape=(len(values),), norm=norm, values=values)


def _calls(calls: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in calls.items()) or "none"


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Started: of_started,
    Spoken: of_spoken,
    Agreed: of_agreed,
    Restarted: of_restarted,
}

"""What the records of subjects say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.adapters.protocol import Verdict
from compat.runs.answers import Good, Said, count, text, verdict
from compat.topics.subjects.records import Again, Compiled, Imported, Loaded


def of_imported(record: Imported) -> Iterable[Said]:
    yield text("patched", _list(record.patched))
    yield text("environment", _list(record.environment))


def of_compiled(record: Compiled) -> Iterable[Said]:
    whole = record.agrees is not None
    yield verdict("agrees", record.agrees)
    yield text("contract", _list(record.contract) if whole else None)
    yield count("compilations", record.compilations if whole else None, good=Good.NEITHER)
    yield count("copies", record.copies if whole else None, unit="copies")
    for function, keywords in record.passed.items():
        yield text(f"passed_to_{function}", _list(keywords))
    for feature, gate in record.gates.items():
        yield verdict(f"takes_{feature}", gate in {Verdict.USED, Verdict.MISSED})
        yield verdict(f"used_{feature}", gate is Verdict.USED)
    yield text("patched", _list(record.patched))
    yield text("missing", _list(record.missing))


def of_loaded(record: Loaded) -> Iterable[Said]:
    yield verdict("agrees", record.agrees)
    yield count("compilations", record.compilations)


def of_again(record: Again) -> Iterable[Said]:
    yield verdict("agrees", record.agrees)
    yield count("compilations", record.compilations, good=Good.NEITHER)
    yield verdict("served", record.served)
    yield count("hits", record.hits, good=Good.NEITHER)
    yield count("misses", record.misses, good=Good.NEITHER)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Imported: of_imported,
    Compiled: of_compiled,
    Loaded: of_loaded,
    Again: of_again,
}

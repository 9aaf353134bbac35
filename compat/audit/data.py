"""An audit as plain data, for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from compat.audit.judge import AnyJudged, Audit, Verdict, breaks
from compat.audit.model import Call, Condition, Place, Rule
from compat.audit.words import since_text

SCHEMA_VERSION = 1


def to_json(audit: Audit) -> dict[str, Any]:
    """All that was found, each with its place, its verdict and the builds that say so."""
    everything = list(audit.everything())
    return {
        "schema_version": SCHEMA_VERSION,
        "subject": audit.subject,
        "builds": list(audit.builds),
        "files": audit.tree.files,
        "unreadable": dict(audit.tree.unreadable),
        "total": len(everything),
        "not_judged": sum(each.verdict is Verdict.UNKNOWN for each in everything),
        "version_checks": _all(audit.checks),
        "private_names": _all(audit.names),
        "config_keys": _all(audit.keys),
        "switches": _all(audit.switches),
        "stand_ins": _all(audit.stand_ins),
    }


def _all(found: Sequence[AnyJudged]) -> list[dict[str, Any]]:
    return [
        {
            **{each.name: _plain(getattr(one.found, each.name)) for each in fields(one.found)},
            "verdict": one.verdict.value,
            "breaks": breaks(one),
            "on": list(one.builds),
            "missing": list(one.missing),
            "since": since_text(one.since),
            "why": one.why,
        }
        for one in found
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, (Place, Call)):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Condition):
        return {"rule": str(value.rule), "answer": value.answer}
    if isinstance(value, Rule):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value

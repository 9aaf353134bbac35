"""An audit as SARIF 2.1.0, which code scanning shows beside the lines that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import compat
from compat.audit.judge import AnyJudged, Audit, Verdict, breaks
from compat.audit.model import ConfigKey
from compat.audit.words import said_of, subject_of

VERSION = "2.1.0"
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
# By verdict: the rule's id, its level and what it says. What is fine or unknown is no result.
_RULES: Mapping[Verdict, tuple[str, str, str]] = {
    Verdict.EARLY: ("gate-early", "error", "A version check lets through what a build lacks"),
    Verdict.LATE: ("gate-late", "warning", "A version check keeps off what a build has"),
    Verdict.DEAD: ("gate-dead", "note", "A version check has one answer on all of the range"),
    Verdict.ABSENT: ("name-absent", "error", "A build lacks a private name of torch"),
    Verdict.REFUSED: (
        "call-refused",
        "error",
        "A build refuses what a private name is called with",
    ),
    Verdict.LACKS: ("stand-in-lacks", "error", "A stand-in lacks what torch reads of it"),
}
_KEY_ABSENT = ("key-absent", "error", "A build lacks a key of a torch config module")
_ALL_RULES = (*_RULES.values(), _KEY_ABSENT)


def sarif(audit: Audit) -> dict[str, Any]:
    """One run with a result for each place that something is to be done about."""
    unknown = sum(each.verdict is Verdict.UNKNOWN for each in audit.everything())
    return {
        "$schema": _SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {"driver": _driver()},
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {
                                "level": "warning",
                                "message": {"text": f"not read: {why}"},
                                "locations": [_location(file, 1)],
                            }
                            for file, why in audit.tree.unreadable.items()
                        ],
                    }
                ],
                "results": [
                    _result(each, audit) for each in audit.everything() if each.verdict in _RULES
                ],
                "properties": {
                    "subject": audit.subject,
                    "builds": list(audit.builds),
                    "notJudged": unknown,
                },
            }
        ],
    }


def _driver() -> dict[str, Any]:
    return {
        "name": "torch-compile-compat",
        "version": compat.__version__,
        "rules": [
            {
                "id": name,
                "shortDescription": {"text": text},
                "defaultConfiguration": {"level": level},
            }
            for name, level, text in _ALL_RULES
        ],
    }


def _result(judged: AnyJudged, audit: Audit) -> dict[str, Any]:
    rule = _RULES[judged.verdict]
    if isinstance(judged.found, ConfigKey):
        rule = _KEY_ABSENT
    # What is absent where its place expects that is worth knowing and breaks nothing.
    level = "note" if rule[1] == "error" and not breaks(judged) else rule[1]
    place = judged.found.place
    return {
        "ruleId": rule[0],
        "ruleIndex": _ALL_RULES.index(rule),
        "level": level,
        "message": {"text": f"{subject_of(judged)}: {said_of(judged, audit.builds)}"},
        "locations": [_location(place.file, place.line)],
    }


def _location(file: str, line: int) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line},
        }
    }

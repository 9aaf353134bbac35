"""What a judged thing comes to, in words: the table and SARIF say the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from compat.audit.judge import AnyJudged, Verdict
from compat.audit.model import ConfigKey, NameUse, StandIn, Switch, VersionCheck
from compat.findings.support import Statement
from compat.report.words import listed
from compat.runs.ids import BuildId
from compat.topics.words import labels


def subject_of(judged: AnyJudged) -> str:
    """What a thing is about."""
    found: VersionCheck | NameUse | ConfigKey | Switch | StandIn = judged.found
    if isinstance(found, VersionCheck):
        return found.text
    if isinstance(found, NameUse):
        return found.path
    if isinstance(found, ConfigKey):
        return found.path if found.key else f"{found.module}: keys that cannot be read"
    return found.name


def said_of(judged: AnyJudged, asked: Collection[BuildId]) -> str:
    """What it comes to, with the builds that say so; ``asked`` are all that it was judged on."""
    where = "all of them" if set(judged.builds) == set(asked) else labels(judged.builds)
    missing = listed(list(judged.missing))
    since = since_text(judged.since)
    texts = {
        Verdict.DEAD: "every version of the range gets the same answer: the check can go",
        Verdict.LATE: f"closed on {where}, which have what it guards",
        Verdict.EARLY: f"open on {where}, which lack what it guards",
        Verdict.RIGHT: f"agrees with {where}",
        Verdict.THERE: f"there {since}" if since else f"there on {where}",
        Verdict.ABSENT: f"absent on {where}" + (f"; there {since}" if since else ""),
        Verdict.UNREACHED: "the version checks around it let no build of the range get there",
        Verdict.REFUSED: f"refused on {where}: {missing}",
        Verdict.LACKS: f"lacks {missing}, which torch reads on {where}",
        Verdict.WHOLE: f"has all that torch needs of it on {where}",
        Verdict.UNKNOWN: judged.why,
    }
    said = texts[judged.verdict]
    return said if judged.why in said else f"{said}; {judged.why}"


def since_text(statements: Iterable[Statement]) -> str:
    """``since ≤2.10.0``, ``from 2.11.0 to before 2.13.0``; empty where it is nowhere."""
    parts = []
    for each in statements:
        if isinstance(each.version_added, str):
            if each.version_removed is None:
                parts.append(f"since {each.version_added}")
            else:
                parts.append(f"from {each.version_added} to before {each.version_removed}")
            if each.signature_changed:
                parts[-1] += f", other parameters from {listed(list(each.signature_changed))} on"
    return "; ".join(parts)


def used_text(judged: AnyJudged) -> str:
    """What the tree does with it."""
    found: VersionCheck | NameUse | ConfigKey | Switch | StandIn = judged.found
    if isinstance(found, (NameUse, ConfigKey, Switch)):
        return str(found.use.value)
    return "stand-in" if isinstance(found, StandIn) else "check"

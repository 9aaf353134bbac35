"""An audit as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tabulate import tabulate

from compat.audit.judge import AnyJudged, Audit, Judged, Verdict, breaks
from compat.audit.model import ConfigKey, NameUse, Switch
from compat.audit.words import said_of, subject_of, used_text
from compat.document.escape import printed
from compat.report.words import number_of
from compat.topics.words import labels

# Of a name that is used all over a tree; the JSON has all places.
_PLACES = 3
_KINDS = ("version checks", "private names", "config keys", "switches", "stand-ins")


def audit_text(audit: Audit) -> str:
    """The whole audit: what breaks first, and what could not be judged last."""
    parts = [
        "\n".join(_head(audit)),
        _table("What breaks", _one_by_one([e for e in audit.everything() if breaks(e)], audit)),
        _table("Version checks", _one_by_one(audit.checks, audit)),
        _table("Private names", _grouped(audit.names, audit)),
        _table("Config keys", _grouped(audit.keys, audit)),
        _table("Environment switches", _grouped(audit.switches, audit)),
        _table("Stand-ins for a ShapeEnv", _one_by_one(audit.stand_ins, audit)),
        "\n".join(_not_judged(audit)),
    ]
    return printed("\n\n".join(filter(None, parts)))


def _head(audit: Audit) -> Iterator[str]:
    yield (
        f"{audit.subject}: {number_of(audit.tree.files, 'Python file')}, judged by "
        f"{labels(audit.builds) or 'no build'}"
    )
    for file, why in audit.tree.unreadable.items():
        yield f"not read: {file}: {why}"


def _one_by_one(found: Iterable[AnyJudged], audit: Audit) -> list[list[str]]:
    return [
        [str(each.found.place), subject_of(each), each.verdict.value, said_of(each, audit.builds)]
        for each in found
    ]


def _grouped(
    found: Sequence[Judged[NameUse]] | Sequence[Judged[ConfigKey]] | Sequence[Judged[Switch]],
    audit: Audit,
) -> list[list[str]]:
    """By what it is about and what it comes to: how it is used, and where."""
    groups: dict[tuple[str, Verdict, str], list[AnyJudged]] = {}
    for each in found:
        groups.setdefault((subject_of(each), each.verdict, said_of(each, audit.builds)), []).append(
            each
        )
    return [
        [_places(group), f"{about} ({_uses(group)})", verdict.value, said]
        for (about, verdict, said), group in sorted(groups.items(), key=lambda each: each[0])
    ]


def _places(group: Sequence[AnyJudged]) -> str:
    places = list(dict.fromkeys(str(each.found.place) for each in group))
    more = len(places) - _PLACES
    return "\n".join([*places[:_PLACES], *([f"and {more} more"] if more > 0 else [])])


def _uses(group: Sequence[AnyJudged]) -> str:
    counts = Counter(used_text(each) + _default(each) for each in group)
    return ", ".join(use if n == 1 else f"{use} {n}×" for use, n in counts.items())


def _default(judged: AnyJudged) -> str:
    default = judged.found.default if isinstance(judged.found, Switch) else ""
    return f", default {default}" if default else ""


def _table(title: str, rows: list[list[str]]) -> str:
    if not rows:
        return ""
    # One line a cell, whatever a tree calls its files: only the places have several.
    clean = [[_lines(row[0]), *(" ".join(text.split()) for text in row[1:])] for row in rows]
    headers = ["where", "what", "verdict", "what the matrix knows"]
    shown = tabulate(clean, headers=headers, tablefmt="simple", disable_numparse=True)
    return f"{title} ({len(rows)})\n\n{shown}"


def _lines(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.split("\n"))


def _not_judged(audit: Audit) -> Iterator[str]:
    kinds: tuple[Sequence[AnyJudged], ...] = (
        audit.checks,
        audit.names,
        audit.keys,
        audit.switches,
        audit.stand_ins,
    )
    counts = [
        (name, sum(each.verdict is Verdict.UNKNOWN for each in found), len(found))
        for name, found in zip(_KINDS, kinds, strict=True)
    ]
    yield (
        f"Could not be judged: {sum(unknown for _, unknown, _ in counts)} of "
        f"{sum(total for _, _, total in counts)}: "
        + ", ".join(f"{unknown} of {total} {name}" for name, unknown, total in counts)
    )
    whys = Counter(each.why for each in audit.everything() if each.verdict is Verdict.UNKNOWN)
    yield from (f"  {count} × {why}" for why, count in whys.most_common())
    partly = Counter(e.why for e in audit.everything() if e.verdict is Verdict.THERE and e.why)
    yield from (f"Of names that are there, {count} ×: {why}" for why, count in partly.items())

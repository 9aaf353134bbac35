"""The upgrade table, for every reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from compat.document.parts import Strong, Table, Text, plain_text
from compat.findings.support import follows
from compat.findings.upgrade import Series, Upgrade, UpgradeLine, in_column, minimum_on
from compat.report.shown import line_name
from compat.report.words import listed, subject_name
from compat.runs.ids import BUILTIN, BuildId
from compat.runs.versions import public_version
from compat.topics.upgrade import Kind, Minimum, Says, UpgradeRow
from compat.topics.words import NOT_KNOWN

# What stands out is what lets a gate or a workaround go.
SHOWN: Mapping[Says, Text] = {
    Says.THERE: Strong("there"),
    Says.NOT_THERE: "not",
    Says.NEEDED: "needed",
    Says.NOT_NEEDED: Strong("not needed"),
    Says.UNKNOWN: NOT_KNOWN,
}
HOW_TO_READ: Text = (
    "What a downstream keeps in its source because torch builds differ. ",
    Strong("there"),
    ": torch has the feature, so its gate can go; not: it does not. needed: without the workaround "
    "torch fails, or does what the row says; ",
    Strong("not needed"),
    ": it works without, so the workaround can go. ❔: not known. "
    "Delete from: as soon as the oldest torch that you support is at least that.",
)
# As many rows as a sentence names.
_FEW = 3
# So many columns fit into what GitHub shows.
_MOST_COLUMNS = 6
_MARKS = "¹²³⁴⁵⁶⁷⁸⁹"
NOT_YET = "not yet"


def upgrade_table(upgrade: Upgrade) -> Table:
    """A row a gate or workaround, a column a series of torch, newest first; of the first line."""
    if not upgrade.lines:
        return Table(headers=[], rows=[])
    line = upgrade.lines[0]
    first = main_subject(upgrade)
    columns = shown_columns(upgrade, line)
    marks = {row.name: mark for row, mark in zip(costly(upgrade), _MARKS, strict=False)}
    return Table(
        headers=[
            "",
            "delete from",
            *(column.label for column in columns),
            f"{subject_name(first)} ships",
        ],
        rows=[
            [
                row.name,
                f"{deleted(row, line)} {marks.get(row.name, '')}".strip(),
                *(_said(row, column) for column in columns),
                row.shipped_by(first) or _shipped_by_others(row),
            ]
            for row in shown_rows(upgrade)
        ],
    )


def shown_rows(upgrade: Upgrade) -> list[UpgradeRow]:
    """All but what no build of the first line is known to need."""
    line = upgrade.lines[0]
    return [row for row in upgrade.rows if not _is_needed_nowhere(row, line)]


def _is_needed_nowhere(row: UpgradeRow, line: UpgradeLine) -> bool:
    """Nothing shows then that its trouble would be seen, so that nothing follows for anybody."""
    return row.kind is Kind.WORKAROUND and minimum_on(row, line).after is None


def main_subject(upgrade: Upgrade) -> str:
    """That which ships most of the rows: there is room for one."""
    return max(
        upgrade.subjects or (BUILTIN,),
        key=lambda subject: sum(bool(row.shipped_by(subject)) for row in upgrade.rows),
    )


def _shipped_by_others(row: UpgradeRow) -> str:
    by_rule: dict[str, list[str]] = {}
    for subject, rule in row.ships.items():
        by_rule.setdefault(rule, []).append(subject_name(subject))
    return ", ".join(f"{rule} ({listed(names)})" for rule, names in by_rule.items())


def meanings(upgrade: Upgrade) -> list[str]:
    """What the names of rows leave out, and what each row was asked with."""
    return [_meaning(row) for row in upgrade.rows if row.about or row.rests]


def _meaning(row: UpgradeRow) -> str:
    said = [row.about] if row.about else []
    said += [f"rests on {row.rests}"] if row.rests else []
    return f"{plain_text(row.name)}: {'; '.join(said)}."


def shown_columns(upgrade: Upgrade, line: UpgradeLine) -> list[Series]:
    """As many as there is room for: what says the same as its neighbour shares a column then."""
    columns = list(line.columns)
    if len(columns) > _MOST_COLUMNS:
        # What was not tested takes one column, and is the first thing in sight all the same.
        silent = _silent(upgrade, columns)
        columns = [column for column in columns if column not in silent]
        if silent:
            columns.insert(0, _together(silent, ", "))
    if len(columns) > _MOST_COLUMNS:
        columns = [
            _together([*those][::-1], " to ")
            for _, those in groupby(columns, key=lambda each: _profile(upgrade, each))
        ]
    return columns[:_MOST_COLUMNS]


def _profile(upgrade: Upgrade, column: Series) -> list[tuple[Says, ...]]:
    return [tuple(in_column(row, column).values()) for row in upgrade.rows]


def _together(columns: Sequence[Series], joint: str) -> Series:
    """One column of several: all labels, or the first and the last of them."""
    labels = [column.label for column in columns]
    ends = labels if joint == ", " else list(dict.fromkeys([labels[0], labels[-1]]))
    builds = tuple(build for column in columns for build in column.builds)
    return Series(label=joint.join(ends), builds=builds)


def costly(upgrade: Upgrade) -> list[UpgradeRow]:
    """The rows that something can be said of to whoever deletes them."""
    line = upgrade.lines[0] if upgrade.lines else None
    return [
        row for row in upgrade.rows if row.cost and line and minimum_on(row, line).build is not None
    ]


def costs(upgrade: Upgrade) -> list[tuple[str, UpgradeRow]]:
    """Each with its mark in the table."""
    return list(zip(_MARKS, costly(upgrade), strict=False))


def deleted(row: UpgradeRow, line: UpgradeLine) -> str:
    """The oldest minimum with which it can go."""
    if row.kind is Kind.FEATURE:
        return "no gate"
    found = minimum_on(row, line)
    if found.build is not None:
        return found.build.name
    return NOT_YET if found.after is not None else NOT_KNOWN


def _silent(upgrade: Upgrade, columns: Iterable[Series]) -> list[Series]:
    """The columns of which nothing is known in any row."""
    return [column for column in columns if all(_unknown(row, column) for row in upgrade.rows)]


def _said(row: UpgradeRow, column: Series) -> Text:
    found = in_column(row, column)
    if len(found) == 1:
        return SHOWN[next(iter(found.values()))]
    return ", ".join(f"{build.name} {says.value}" for build, says in found.items())


def upgrade_notes(upgrade: Upgrade) -> Iterable[str]:
    """What the table alone does not say: what was not asked, and what other devices say."""
    if not upgrade.lines:
        return
    line, *others = upgrade.lines
    yield f"The table says what was seen on a {line_name(line.device, line.python)}."
    told = {build for column in shown_columns(upgrade, line) for build in column.builds}
    left = [each.label for each in line.columns if not told & set(each.builds)]
    if left:
        yield f"Left out here, since they are older: {listed(left)}."
    yield from _gaps(upgrade, line)
    yield from _shut(upgrade, line)
    nowhere = [plain_text(row.name) for row in upgrade.rows if _is_needed_nowhere(row, line)]
    if nowhere:
        yield f"Left out, since no build here is known to need them: {listed(nowhere)}."
    unknown = [column.label for column in _silent(upgrade, line.columns)]
    if unknown and upgrade.rows:
        yield f"Nothing is known of {listed(unknown)}, so a row may change there."
    for other in others:
        yield _compared(upgrade, line, other)
        if other.cards:
            yield _cards(other)


def _gaps(upgrade: Upgrade, line: UpgradeLine) -> Iterable[str]:
    """Where the minimum is only the oldest release that was asked."""
    gaps: dict[tuple[BuildId, BuildId], None] = {}
    for row in upgrade.rows:
        found = minimum_on(row, line)
        if _leaves_a_gap(found) and found.build is not None and found.after is not None:
            gaps[found.after, found.build] = None
    for after, build in gaps:
        yield (
            f"{build.name} may be later than necessary: no release between {after.name} and it was "
            f"asked."
        )


def _shut(upgrade: Upgrade, line: UpgradeLine) -> Iterable[str]:
    """What torch is still not right without, and a downstream's gate lets run no more."""
    for row in upgrade.rows:
        if row.kind is not Kind.WORKAROUND or deleted(row, line) != NOT_YET:
            continue
        asked = [
            version
            for build in line.builds
            if row.on(build) is not Says.UNKNOWN and (version := public_version(build.name))
        ]
        for subject, rule in row.ships.items():
            let_run = [version for version in asked if _lets_run(rule, version)]
            if let_run and (shut := asked[asked.index(let_run[-1]) + 1 :]):
                yield (
                    f"{plain_text(row.name)}: {subject_name(subject)} lets it run on {rule} alone, "
                    f"so it does nothing from {shut[0]} on, although torch needs it there as well."
                )


def _lets_run(rule: str, version: Version) -> bool:
    """Whether a rule that is a range of versions has one; others are words."""
    return rule[:1] in {"<", ">", "="} and version in SpecifierSet(rule, prereleases=True)


def _leaves_a_gap(found: Minimum) -> bool:
    if found.build is None or found.after is None:
        return False
    before, after = public_version(found.after.name), public_version(found.build.name)
    return before is not None and after is not None and not follows(before, after)


def _unknown(row: UpgradeRow, column: Series) -> bool:
    return set(in_column(row, column).values()) == {Says.UNKNOWN}


def _compared(upgrade: Upgrade, line: UpgradeLine, other: UpgradeLine) -> str:
    """What another device or Python says otherwise, and where nothing is known of it."""
    mine = {column.label: column for column in line.columns}
    columns = [column for column in other.columns if column.label in mine]
    differ: list[str] = []
    silent: dict[tuple[str, ...], list[str]] = {}
    for row in shown_rows(upgrade):
        name = plain_text(row.name)
        known = [each for each in columns if not _unknown(row, each)]
        differ += [
            f"{name} on {column.label}: {_words(theirs)}"
            for column in known
            if not _unknown(row, mine[column.label])
            and _values(theirs := in_column(row, column))
            != _values(in_column(row, mine[column.label]))
        ]
        if unknown := tuple(each.label for each in columns if each not in known):
            silent.setdefault(unknown, []).append(name)
    said = f"{line_name(other.device, other.python)}: "
    said += f"{'; '.join(differ)}." if differ else "the same, wherever both are known."
    for labels, names in silent.items():
        few = len(names) <= _FEW
        said += f" Not known on {listed(labels)}: {listed(names) if few else f'{len(names)} rows'}."
    return said


def _cards(line: UpgradeLine) -> str:
    """Which GPU each build of a line was asked on."""
    by_card: dict[str, list[str]] = {}
    for build, card in line.cards.items():
        by_card.setdefault(card, []).append(build.name)
    seen = (f"{listed(names)} ({card})" for card, names in by_card.items())
    return f"Asked on a GPU: {'; '.join(seen)}."


def _values(found: Mapping[BuildId, Says]) -> set[Says]:
    return set(found.values())


def _words(found: Mapping[BuildId, Says]) -> str:
    return ", ".join(dict.fromkeys(says.value for says in found.values()))

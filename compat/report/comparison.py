"""A comparison, for people: in markdown and in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compat.document.escape import code, plain, printed
from compat.findings.changes import Comparison, Group
from compat.report.words import CHANGES, number_of, values_text
from compat.runs.answers import Change, Kind
from compat.runs.history import Column
from compat.runs.ids import CellId

_MOST_CELLS = 3
# Listed with both values; of what else there is only the number is told.
_TOLD = (
    Change.LOST,
    Change.WORSE,
    Change.GAINED,
    Change.BETTER,
    Change.CHANGED,
    Change.UNKNOWN,
)


def totals(comparison: Comparison) -> str:
    """How many answers were compared, and how they relate: the numbers add up."""
    parts = [f"{comparison.totals[change]} {change.value}" for change in Change]
    expected = sum(len(each.differences) for each in comparison.groups if each.expected)
    known = f" ({expected} of the lost or worse expected)" if expected else ""
    return f"{number_of(comparison.answers, 'answer')} compared: {', '.join(parts)}{known}"


def notes(comparison: Comparison) -> list[str]:
    """What was not compared, each in one line."""
    found = []
    if comparison.only_old or comparison.only_new:
        found.append(
            f"Compared is what both sides were asked: {comparison.only_old} answers were asked for "
            f"on the older side only, {comparison.only_new} on the newer side only."
        )
    if comparison.alone:
        found.append(f"Without a match on the other side: {', '.join(comparison.alone)}.")
    return found


def comparison_markdown(comparison: Comparison, commands: Mapping[CellId, str]) -> str:
    """Totals, why a run proves nothing, and an item for each group; ``commands`` repeat cells."""
    parts = [f"{code(comparison.old)} → {code(comparison.new)}. {plain(totals(comparison))}."]
    parts += map(plain, notes(comparison))
    if comparison.failed_controls:
        parts.append(f"**{plain(_unhealthy(comparison))}**")
    for group in _told(comparison):
        lines = [
            f"- **{plain(title(group))}** {plain(_count(group))}: {_cells(group)}",
            *(f"  {plain(line)}" for line in _about(group)),
            *(f"  Repeat: {code(command)}" for command in _command(group, commands)),
        ]
        parts.append("  \n".join(lines))
    return "\n\n".join(parts)


def comparison_text(comparison: Comparison, commands: Mapping[CellId, str]) -> str:
    """The same for a terminal, with every cell of what alarms."""
    lines = [f"{comparison.old} → {comparison.new}", totals(comparison), *notes(comparison)]
    if comparison.failed_controls:
        lines.append(_unhealthy(comparison))
    for group in _told(comparison):
        cells = group.cells if group.alarms else group.cells[:_MOST_CELLS]
        lines += [
            "",
            f"{title(group)} {_count(group)}",
            *(f"  {cell}" for cell in cells),
            *([] if group.alarms else [f"  {more}" for more in [_more(group)] if more]),
            *(f"  {line}" for line in _about(group)),
            *(f"  {command}" for command in _command(group, commands)),
        ]
    return "\n".join(map(printed, lines))


def title(group: Group) -> str:
    """What changed, and from what to what."""
    before = values_text(group.scale, [each.before for each in group.differences])
    after = values_text(group.scale, [each.after for each in group.differences])
    if group.scale.kind is Kind.NUMBERS:
        after = f"other {after}"
    expected = ", as expected" if group.expected else ""
    return f"{CHANGES[group.change]}{expected}: {group.about}: {before} → {after}"


def _told(comparison: Comparison) -> Iterable[Group]:
    return (group for group in comparison.groups if group.change in _TOLD)


def _unhealthy(comparison: Comparison) -> str:
    cells = list(comparison.failed_controls)
    return (
        f"{number_of(len(cells), 'control')} failed, {cells[0]} for one: this run proves nothing, "
        f"and nothing in it counts as lost."
    )


def _cells(group: Group) -> str:
    more = _more(group)
    return ", ".join(map(code, group.cells[:_MOST_CELLS])) + (f" {plain(more)}" if more else "")


def _about(group: Group) -> list[str]:
    """On which builds, from which one on, and until which one not."""
    found = [f"on {', '.join(group.builds)}"]
    if group.first:
        found.append(f"first seen so on {moment(group.first)}")
        last = group.last
        found.append(f"last otherwise on {moment(last)}" if last else "never seen otherwise")
    return ["; ".join(found)]


def moment(column: Column) -> str:
    """A build and a day."""
    return f"{column.label} ({column.date})"


def _command(group: Group, commands: Mapping[CellId, str]) -> list[str]:
    """How to repeat the first cell of what alarms."""
    if not group.change.alarms:
        return []
    return [commands[cell] for cell in group.cells if cell in commands][:1]


def _count(group: Group) -> str:
    return f"({number_of(len(group.differences), 'answer')})"


def _more(group: Group) -> str:
    rest = len(group.cells) - _MOST_CELLS
    return f"and {rest} more" if rest > 0 else ""

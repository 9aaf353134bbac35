"""A comparison, for people: in markdown and in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from compat.document.escape import code, plain, printed
from compat.findings.changes import Comparison, Group
from compat.report.shown import cell_links, folded, line_name
from compat.report.words import CHANGES, listed, number_of, shortened, values_text
from compat.runs.answers import Change, Kind
from compat.runs.history import Column
from compat.runs.ids import CellId

_MOST_CELLS = 3
# What a report has room for; ``compat compare`` and the page have all of it.
_LONGEST_TITLE = 240
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
    counts = comparison.totals
    told = [change for change in Change if counts[change] or change.alarms]
    parts = [f"{counts[change]} {change.value}" for change in told]
    expected = sum(len(each.differences) for each in comparison.groups if each.expected)
    known = f" ({expected} of the lost or worse expected)" if expected else ""
    compared = number_of(comparison.answers, "answer")
    return f"{compared} compared: {', '.join(parts)}{known}"


def notes(comparison: Comparison) -> list[str]:
    """What was not compared, each in one line."""
    found = []
    if comparison.only_old or comparison.only_new:
        found.append(
            f"Only what both sides were asked is compared: {comparison.only_old} answers have no "
            f"match on the newer side, {comparison.only_new} none on the older side."
        )
    if comparison.alone:
        found.append(f"Without a match on the other side: {', '.join(comparison.alone)}.")
    return found


def devices(comparison: Comparison) -> str:
    """On which devices and Pythons both sides were seen."""
    return listed([line_name(*line) for line in comparison.lines])


def comparison_markdown(
    comparison: Comparison, commands: Mapping[CellId, str], page: str = ""
) -> str:
    """Totals and what alarms at once; the rest folds. ``commands`` repeat cells."""
    parts = [f"{plain(totals(comparison))}. Compared on {plain(devices(comparison))}."]
    if comparison.failed_controls:
        parts.append(f"**{plain(_unhealthy(comparison))}**")
    told = list(_told(comparison))
    alarms = [group for group in told if group.alarms]
    parts += [_item(group, commands, page) for group in alarms]
    rest = [group for group in told if not group.alarms]
    if rest:
        counts = Counter(group.change for group in rest for _ in group.differences)
        said = ", ".join(f"{counts[change]} {change.value}" for change in Change if counts[change])
        # A page has room for what is neither good nor bad.
        shown = [group for group in rest if not page or group.change is not Change.CHANGED]
        items = "\n".join(_item(group, commands, page) for group in shown)
        if len(shown) < len(rest):
            items += f"\n\nWhat changed and is neither better nor worse is on [the page]({page})."
        parts.append(folded(f"The others: {said}", items.strip()))
    about = [f"{code(comparison.old)} → {code(comparison.new)}.", *map(plain, notes(comparison))]
    parts.append(folded("What was compared with what", "\n\n".join(about)))
    return "\n\n".join(parts)


def _item(group: Group, commands: Mapping[CellId, str], page: str) -> str:
    about = shortened(title(group), _LONGEST_TITLE)
    lines = [
        f"- **{plain(about)}** {plain(_count(group))}: {_cells(group, page)}",
        *(f"  {plain(line)}" for line in _about(group)),
        *(f"  Repeat: {code(command)}" for command in _command(group, commands)),
    ]
    return "  \n".join(lines)


def comparison_text(comparison: Comparison, commands: Mapping[CellId, str]) -> str:
    """The same for a terminal, with every cell of what alarms."""
    return _text(comparison, _told(comparison), commands)


def alarms_text(comparison: Comparison, commands: Mapping[CellId, str]) -> str:
    """For a terminal: the totals, and of what makes them up only what alarms."""
    return _text(comparison, (group for group in _told(comparison) if group.alarms), commands)


def _text(comparison: Comparison, groups: Iterable[Group], commands: Mapping[CellId, str]) -> str:
    lines = [
        f"{comparison.old} → {comparison.new}, on {devices(comparison)}",
        totals(comparison),
        *notes(comparison),
    ]
    if comparison.failed_controls:
        lines.append(_unhealthy(comparison))
    for group in groups:
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


def _cells(group: Group, page: str) -> str:
    return cell_links(group.cells, page, _MOST_CELLS if group.alarms else 1)


def _about(group: Group) -> list[str]:
    """On which builds, from which one on, and until which one not."""
    said = f"on {', '.join(group.builds)}"
    if group.first:
        first, last = group.first, group.last
        # The days on which two releases were run say nothing about what came first.
        told = _label if last and last.label != first.label and _released(first, last) else moment
        said += f"; first seen on {told(first)}"
        said += f", not yet on {told(last)}" if last else ", no older build is known"
    return [said]


def _label(column: Column) -> str:
    return column.label


def _released(*columns: Column) -> bool:
    return all(column.channel == "stable" for column in columns)


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

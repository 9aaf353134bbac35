"""A comparison, for people: in markdown and in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from compat.findings.compare import Change, Comparison, Group
from compat.report.escape import code, plain, visible
from compat.runs.history import Column

# What a group is told in full for; the others are only counted and listed.
_LOUD = (Change.NEW, Change.STILL_THERE, Change.FIXED, Change.NEWLY_SILENT, Change.FLAKY)
_MOST_CELLS = 3


def totals(comparison: Comparison) -> str:
    """The number of checks, and what became of them: the numbers add up to it."""
    parts = [f"{number} {change}" for change, number in comparison.totals.items() if number]
    return f"{comparison.checks} checks: {', '.join(parts)}"


def comparison_markdown(comparison: Comparison, commands: Mapping[str, str]) -> str:
    """Totals, why a run is unhealthy, and a row for each group; ``commands`` repeat cells."""
    parts = [f"{code(comparison.old)} → {code(comparison.new)}. {plain(totals(comparison))}."]
    if comparison.failed_controls:
        parts.append(f"**Unhealthy run.** {_unhealthy(comparison, code)}")
    loud = [group for group in comparison.groups if group.change in _LOUD]
    for group in loud:
        cells = ", ".join(map(code, group.cells[:_MOST_CELLS])) + plain(_more(group))
        lines = [
            f"- **{group.change.value}: {plain(group.what)}** {_count(group)}: {cells}",
            *(f"  {plain(line)}" for line in _about(group)),
            *(f"  Repeat: {code(command)}" for command in _command(group, commands)),
        ]
        parts.append("  \n".join(lines))
    parts += [f"- {plain(line)}" for line in _quiet(comparison)]
    return "\n\n".join(parts)


def comparison_text(comparison: Comparison, commands: Mapping[str, str]) -> str:
    """The same for a terminal, with every cell of what is new."""
    lines = [f"{comparison.old} → {comparison.new}", totals(comparison)]
    if comparison.failed_controls:
        lines.append(f"Unhealthy run. {_unhealthy(comparison, str)}")
    for group in comparison.groups:
        if group.change in _LOUD:
            shown = group.cells if group.change is Change.NEW else group.cells[:_MOST_CELLS]
            more = "" if group.change is Change.NEW else _more(group)
            lines += [
                "",
                f"{group.change.value}: {group.what} {_count(group)}",
                *(f"  {cell}" for cell in shown),
                *([f"  {more.strip()}"] if more else []),
                *(f"  {line}" for line in _about(group)),
                *(f"  {command}" for command in _command(group, commands)),
            ]
    lines += ["", *_quiet(comparison)] if _quiet(comparison) else []
    return "\n".join(map(visible, lines))


def _unhealthy(comparison: Comparison, shown: Callable[[str], str]) -> str:
    cells = list(comparison.failed_controls)
    return f"Of its controls {len(cells)} failed, {shown(cells[0])} for one: nothing counts as new."


def _about(group: Group) -> list[str]:
    """Where, since when, and until when not."""
    where = "; ".join(
        f"{name} {', '.join(values)}"
        for name, values in group.where.items()
        if name == "build" or len(values) > 1
    )
    moments = []
    if group.first_seen:
        moments.append(f"first seen in {moment(group.first_seen)}")
        passed = group.last_passed
        moments.append(
            f"last passed in {moment(passed)}" if passed else "never seen passing before"
        )
    return [line for line in (where, ", ".join(moments)) if line]


def moment(column: Column) -> str:
    """A build and a day."""
    return f"{column.label} on {column.date}"


def _command(group: Group, commands: Mapping[str, str]) -> Sequence[str]:
    """How to repeat the first cell of what is not over."""
    if group.change in {Change.FIXED, Change.NEWLY_SILENT}:
        return []
    return [commands[cell] for cell in group.cells[:1] if cell in commands]


def _quiet(comparison: Comparison) -> list[str]:
    return [
        f"{group.change.value}: {group.what or 'no reason given'} {_count(group)}"
        for group in comparison.groups
        if group.change not in _LOUD
    ]


def _count(group: Group) -> str:
    number = len(group.cells)
    return f"({number} check{'s' * (number > 1)})"


def _more(group: Group) -> str:
    rest = len(group.cells) - _MOST_CELLS
    return f" and {rest} more" if rest > 0 else ""

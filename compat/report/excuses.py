"""Which builds are ready for whom, a line each, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote

from compat.document.escape import code, plain
from compat.findings.excuses import Excuse, Ready
from compat.findings.results import Results
from compat.report.comparison import moment
from compat.report.repeat import whole_command
from compat.report.shown import cell_links, line_name
from compat.report.words import listed, number_of, shortened, subject_name
from compat.runs.ids import BUILTIN, SUITE, CellId
from compat.runs.model import Run

GLYPHS = {
    Ready.NOT_READY: "❌",
    Ready.UNPROVEN: "❔",
    Ready.NOT_TESTED: "❔",
    Ready.BREAKS: "⚠️",
    Ready.READY: "✅",
}
# Below reports/: the cells that excuses rest on, for --cells.
RERUN = Path("data") / "rerun.txt"
_MOST_REASONS = 3
_LONGEST_REASON = 160


def excuses_markdown(results: Results, page: str = "") -> str:
    """A list, what is not ready first; what is ready in one line a build."""
    return "\n".join(f"- {line}" for line in _lines(results, page))


def _lines(results: Results, page: str) -> Iterable[str]:
    for excuse in results.excuses:
        if excuse.ready is not Ready.READY:
            yield "  \n  ".join(_line(excuse, results.run, page))
    ready: dict[str, list[Excuse]] = {}
    for excuse in results.excuses:
        if excuse.ready is Ready.READY:
            ready.setdefault(excuse.build.label, []).append(excuse)
    for label, those in ready.items():
        yield f"{GLYPHS[Ready.READY]} {plain(ready_sentence(label, those))}"


def excuses_text(results: Results) -> list[str]:
    """The same for a terminal."""
    found = []
    ready: dict[str, list[Excuse]] = {}
    for excuse in results.excuses:
        if excuse.ready is Ready.READY:
            ready.setdefault(excuse.build.label, []).append(excuse)
            continue
        found.append(sentence(excuse))
        found += [f"  {number} × {reason}" for reason, number in reasons(excuse)]
        found += [f"  {command}" for command in [excuse_command(excuse, results.run)] if command]
    return [*found, *(ready_sentence(label, those) for label, those in ready.items())]


def _line(excuse: Excuse, run: Run, page: str) -> Iterable[str]:
    head, _, rest = sentence(excuse).partition(": ")
    yield f"{GLYPHS[excuse.ready]} **{plain(head)}**{': ' if rest else ''}{plain(rest)}"
    if excuse.ready is Ready.NOT_READY:
        told = [f"{number} × {plain(reason)}" for reason, number in reasons(excuse)]
        more = len(told) - _MOST_REASONS
        said = "; ".join(told[:_MOST_REASONS]) + (f"; and {more} more reasons" if more > 0 else "")
        cells = [*excuse.cells]
        shown = f" Such as {cell_links(cells, page)}." if cells else ""
        if said or shown:
            yield f"{said}.{shown}".lstrip(".")
    if command := excuse_command(excuse, run):
        lead = "To test it" if excuse.ready is Ready.NOT_TESTED else "Repeat"
        yield f"{lead}: {code(command)}"


def sentence(excuse: Excuse) -> str:
    """One excuse in one sentence; a colon parts what is so from why."""
    build = excuse.build.label
    whom = _whom(excuse)
    match excuse.ready:
        case Ready.NOT_TESTED:
            for_whom = "" if excuse.subject == BUILTIN else f" with {subject_name(excuse.subject)}"
            return f"{build} was not tested{for_whom}: {excuse.reason}."
        case Ready.UNPROVEN:
            return f"{build} is not known to be ready for {whom}: {excuse.reason}."
        case Ready.BREAKS:
            number = sum(map(len, excuse.broken.values()))
            return (
                f"{build} breaks {whom}: {number} of {excuse.asked} cells, none of them new. It "
                f"requires torch{excuse.requires}, so this turns nothing red."
            )
        case Ready.NOT_READY:
            first = f"; first seen on {moment(excuse.first)}" if excuse.first else ""
            return f"{build} is not ready for {whom}: {listed(_counts(excuse))}{first}."
        case Ready.READY:
            return ready_sentence(build, [excuse])


def ready_sentence(build: str, those: Sequence[Excuse]) -> str:
    """For all subjects together; what is known to fail, and who does not claim it, is said."""
    names = []
    for excuse in those:
        about = [number_of(excuse.asked, "cell")] if excuse.asked else []
        about += [number_of(excuse.known, "known failure")] if excuse.known else []
        about += [f"requires torch{excuse.requires}"] if excuse.requires else []
        named = _named(excuse.subject)
        names.append(f"{named} ({', '.join(about)})" if about else named)
    releases = list(dict.fromkeys(excuse.twin for excuse in those if excuse.twin))
    against = f" against {listed(releases)}" if releases else ""
    where = line_name(those[0].build.device, those[0].build.python)
    return (
        f"{build} is ready for {listed(names)}: on a {where} nothing failed that is not expected, "
        f"and nothing was lost{against} that is not expected."
    )


def _named(subject: str) -> str:
    return "the builtin interface" if subject == BUILTIN else subject_name(subject)


def _whom(excuse: Excuse) -> str:
    path = f", path {excuse.path}" if excuse.path and excuse.subject != BUILTIN else ""
    return f"{_named(excuse.subject)}{path}"


def _counts(excuse: Excuse) -> list[str]:
    failures = sum(map(len, excuse.failures.values()))
    found = [excuse.reason] if excuse.reason else []
    found += [number_of(failures, "new failure")] if failures else []
    if excuse.silent:
        found.append(f"{number_of(len(excuse.silent), 'cell')} without a usable answer")
    found += [f"{number_of(len(excuse.lost), 'answer')} lost or worse"] if excuse.lost else []
    return found


def reasons(excuse: Excuse) -> list[tuple[str, int]]:
    """What is wrong, each with the number of cells or answers, the most frequent first."""
    found: dict[str, int] = {}
    for signature, cells in excuse.failures.items():
        found[signature or "a failure without a signature"] = len(cells)
    for each in excuse.lost:
        about = f"{each.answer.check.probe}.{each.answer.name} {each.change.value}"
        found[about] = found.get(about, 0) + 1
    if excuse.silent:
        found["no usable answer"] = len(excuse.silent)
    told = [(shortened(reason, _LONGEST_REASON), number) for reason, number in found.items()]
    return sorted(told, key=lambda each: -each[1])


def excuse_command(excuse: Excuse, run: Run) -> str:
    """What runs its cells again, or tries for the first time what was not tested."""
    if excuse.ready is Ready.READY:
        return ""
    cells = [cell for those in excuse.broken.values() for cell in those] or [*excuse.cells]
    command = whole_command(run, excuse.build, excuse.subject)
    if excuse.ready is Ready.NOT_TESTED or not cells or excuse.subject.startswith(SUITE):
        return command
    if excuse.ready is Ready.BREAKS:
        probes = dict.fromkeys(cell.check.probe for cell in cells)
        return f"{command} --depth full --fresh --probes {' '.join(map(quote, probes))}"
    return f"{command} --fresh --cells reports/{RERUN}"


def rerun_text(cells: Sequence[CellId]) -> str:
    """``reports/data/rerun.txt``: one cell a line."""
    return "".join(f"{cell}\n" for cell in cells)

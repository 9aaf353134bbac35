"""The issues that a machine keeps on GitHub, as text.

Whatever a run says stands in code style, where GitHub looks for no names and no references.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

import jinja2

from compat.document.escape import code, inert
from compat.report.places import REPROS
from compat.report.repeat import repeat_command
from compat.report.words import ending_text, value_text
from compat.runs.answers import ENDING, OUTCOME, Ending, Kind, Scale
from compat.runs.history import Column
from compat.runs.ids import AnswerId, CellId
from compat.runs.model import Cell, Run
from compat.tracking.nights import (
    GOOD_NIGHTS,
    STALE_INDEX_DAYS,
    STALE_SCHEDULE_DAYS,
    Standing,
    Symptom,
    Tracking,
    Trouble,
    Wanted,
)

# GitHub's limit is in characters; no text has more of these than bytes.
LIMIT_B = 65_535
_MOST_CHECKS = 10
_LONGEST = 300

_COMMIT = re.compile(r"[0-9a-f]{40}")
_COMPARE = "https://github.com/pytorch/pytorch/compare/{}...{}"
_RUN_LINE = "[The run]({})"
_RUN_LINES = re.compile(r"^\[The run\]\(.*\)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What one issue is about, and what it should be.

    Attributes:
        marker: The first line of its body, by which it is found again.
    """

    marker: str
    title: str
    wanted: Wanted
    body: str


def tracking_marker(device: str) -> str:
    return f"<!-- torch-compile-compat tracking: {device} -->"


def tracking_topic(
    tracking: Tracking, run: Run, run_link: str, files: Mapping[CellId, str]
) -> Topic:
    """The issue of a device; ``run`` is that of its newest night.

    ``files`` lie beside its report: by cell the one that shows its failure.
    """
    marker = tracking_marker(tracking.device)
    return Topic(
        marker=marker,
        title=f"Unexpected on {tracking.device}, night after night",
        wanted=tracking.wanted,
        body=_tracking_body(marker, tracking, run, run_link, files),
    )


def index_topic(stale: Mapping[str, str]) -> Topic:
    """The issue of a nightly index that stands still; by device, the newest nightly there is."""
    builds = [f"- {device}: {_quote(newest)}" for device, newest in stale.items()]
    return _alert_topic(
        "nightly index",
        "The nightly index stands still",
        bool(stale),
        f"For more than {STALE_INDEX_DAYS} days of runs PyTorch's nightly index has given nothing "
        "newer than:\n\n" + "\n".join(builds),
    )


def schedule_topic(last: str, late: bool) -> Topic:
    """The issue of a schedule that does not run; ``last`` is the day on which it did."""
    return _alert_topic(
        "schedule",
        "The nightly matrix has not run",
        late,
        f"The newest run is from {_quote(last)}, more than {STALE_SCHEDULE_DAYS} days ago.",
    )


def _alert_topic(name: str, title: str, alarming: bool, text: str) -> Topic:
    marker = f"<!-- torch-compile-compat alert: {name} -->"
    text += "\n\nA machine wrote this, and closes it when that has changed."
    if not alarming:
        text = "That has changed. The machine that wrote this has closed it."
    wanted = Wanted.OPEN if alarming else Wanted.CLOSED
    return Topic(marker=marker, title=title, wanted=wanted, body=f"{marker}\n{text}\n")


def comment_body(markdown: str, run_link: str) -> str:
    """``markdown`` as a comment: harmless, and cut at the end of a line where it is too long."""
    text = inert(markdown).strip()
    if len(text.encode()) <= LIMIT_B:
        return text
    rest = f"the rest is in [the run]({run_link})" if run_link else "the run has the rest"
    note = f"This was too long for a comment: {rest}.\n\n"
    room = text.encode()[: LIMIT_B - len(note.encode())].decode(errors="ignore")
    return note + room[: room.rfind("\n")]


def says_the_same(one: str, other: str) -> bool:
    """Whether two bodies differ in nothing but the link to the run, or not at all."""
    texts = [_RUN_LINES.sub("", "\n".join(body.splitlines())).strip() for body in (one, other)]
    return texts[0] == texts[1]


def _tracking_body(
    marker: str, tracking: Tracking, run: Run, run_link: str, files: Mapping[CellId, str]
) -> str:
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701  (markdown; every value is quoted)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    source = resources.files("compat.tracking").joinpath("issue.md.jinja").read_text("utf-8")
    template = environment.from_string(source)
    counts = Counter(trouble.standing for trouble in tracking.troubles)
    troubles = [_shown(trouble, run, files) for trouble in tracking.troubles]

    def render(number: int) -> str:
        return template.render(
            marker=marker,
            device=tracking.device,
            closed=tracking.wanted is Wanted.CLOSED,
            good_nights=GOOD_NIGHTS,
            night=_quote(max(column.date for column in tracking.newest)),
            builds=", ".join(_quote(_version(column)) for column in tracking.newest),
            standings=", ".join(f"{counts[each]} {each.value}" for each in Standing),
            troubles=troubles[:number],
            left_out=len(troubles) - number,
            run_line=_RUN_LINE.format(run_link) if run_link else "",
        )

    numbers = range(len(troubles) + 1)
    too_many = bisect_right(numbers, LIMIT_B, key=lambda number: len(render(number).encode()))
    return render(too_many - 1)


def _shown(trouble: Trouble, run: Run, files: Mapping[CellId, str]) -> Mapping[str, str]:
    """One symptom, in the words of the template."""
    good, bad = trouble.last_good, trouble.first_bad
    more = len(trouble.answers) - _MOST_CHECKS
    cells = list(_cells(trouble, run))
    file = next((files[cell.id] for cell in cells if cell.id in files), "")
    return {
        "symptom": _quote(_symptom(trouble.symptom)),
        "standing": trouble.standing.value,
        "nights": f"{trouble.nights} {'night' if trouble.nights == 1 else 'nights in a row'}",
        "checks": ", ".join(map(_quote, map(_about, trouble.answers[:_MOST_CHECKS])))
        + (f" and {more} more" if more > 0 else ""),
        "last_good": _suspect(good) if good else "none is known",
        "first_bad": _suspect(bad),
        "compare": _compare(good, bad) if good else "",
        "repeat": _inline(repeat_command(cells[0], run)) if cells else "",
        "file": _inline(f"reports/{REPROS}/{file}") if file else "",
    }


def _symptom(symptom: Symptom) -> str:
    """A failure by its signature; an answer by its name and by what it said and says."""
    if isinstance(symptom.after, Ending) and symptom.before is None:
        return ending_text(symptom.after)
    scale = ENDING if symptom.about == OUTCOME else Scale(kind=Kind.TEXT)
    values = [
        value_text(scale, value) for value in (symptom.before, symptom.after) if value is not None
    ]
    return f"{symptom.change.value}: {symptom.about} {' → '.join(values)}".strip()


def _about(answer: AnswerId) -> str:
    """The check where it is about how that ended; the answer where it is about what it said."""
    return answer.check if answer.name == OUTCOME else answer


def _suspect(column: Column) -> str:
    git = f", PyTorch {_quote(column.git_version)}" if column.git_version else ""
    return f"{_quote(_version(column))}{git}, seen on {_quote(column.date)}"


def _compare(good: Column, bad: Column) -> str:
    """The address that shows what came in between, where both commits look like commits."""
    commits = (good.git_version, bad.git_version)
    if commits[0] == commits[1] or not all(map(_COMMIT.fullmatch, commits)):
        return ""
    return _COMPARE.format(*commits)


def _cells(trouble: Trouble, run: Run) -> Iterator[Cell]:
    """Its checks on the build that it was seen on last, as far as the run has them."""
    column = trouble.seen_on
    checks = {answer.check for answer in trouble.answers}
    for cell in run.cells:
        if cell.check in checks and (cell.build, cell.subject) == (column.build, column.subject):
            yield cell


def _version(column: Column) -> str:
    return column.version or column.build.name


def _quote(text: str) -> str:
    return _inline(text[:_LONGEST])


def _inline(text: str) -> str:
    # The marker must not stand anywhere else, not even in code.
    return code(text).replace("<!--", "<! --")

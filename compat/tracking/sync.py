"""Keeps the issues on GitHub as they should be; asking twice changes nothing the second time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from compat.findings.results import Results
from compat.report.attached import attached
from compat.runs.history import day_of, run_id
from compat.tracking.github import GitHub, Issue
from compat.tracking.nights import Wanted, is_late, known_symptoms, track, watch_index
from compat.tracking.text import (
    Topic,
    index_topic,
    says_the_same,
    schedule_topic,
    tracking_marker,
    tracking_topic,
)

LABEL = "nightly-matrix"


def find_topics(
    results: Results,
    *,
    nights: int,
    today: date,
    run_link: str,
) -> list[Topic]:
    """Everything that there may be an issue about.

    A device of which the newest run saw no night is left alone: nothing new is known of it.

    Args:
        results: Of the newest run.
        nights: In how many nights in a row a symptom must be seen.
        today: For the schedule.
        run_link: Where GitHub shows this run; empty outside of GitHub.
    """
    known = known_symptoms(results)
    history, run = results.history, results.run
    files = attached(results).names
    topics = []
    for device in sorted({column.build.device for column in history.columns}):
        tracking = track(history, device, nights, known)
        if tracking and any(column.run == run_id(run) for column in tracking.newest):
            topics.append(tracking_topic(tracking, run, run_link, files))
    return [
        *topics,
        index_topic(watch_index(history, run)),
        schedule_topic(day_of(run_id(run)), is_late(run, today)),
    ]


@dataclass(frozen=True, kw_only=True)
class Open:
    """No issue is about this yet."""

    topic: Topic

    def __str__(self) -> str:
        return f"open a new issue: {self.topic.title}"

    @property
    def text(self) -> str:
        return self.topic.body

    def take(self, github: GitHub, label: str) -> None:
        github.create(self.topic.title, self.topic.body, label)


@dataclass(frozen=True, kw_only=True)
class Change:
    """The issue is there, and is to be rewritten, closed or opened again."""

    number: int
    how: str
    topic: Topic
    state: str

    def __str__(self) -> str:
        return f"{self.how} issue {self.number}: {self.topic.title}"

    @property
    def text(self) -> str:
        return self.topic.body

    def take(self, github: GitHub, _: str) -> None:
        github.edit(self.number, title=self.topic.title, body=self.topic.body, state=self.state)


@dataclass(frozen=True, kw_only=True)
class CloseDuplicate:
    """Two machines opened an issue at the same time."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"close issue {self.number}, a duplicate of {self.of}"

    @property
    def text(self) -> str:
        return f"This is a duplicate of #{self.of}, opened at the same time."

    def take(self, github: GitHub, _: str) -> None:
        github.comment(self.number, self.text)
        github.edit(self.number, state="closed", state_reason="not_planned")


Step = Open | Change | CloseDuplicate


def sync(topics: Sequence[Topic], github: GitHub, label: str = LABEL) -> Iterator[Step]:
    """Take all the steps there are, and tell each one that was taken."""
    steps = plan(topics, github.issues(label))
    for step in steps:
        step.take(github, label)
        yield step
    if any(isinstance(step, Open) for step in steps):
        # Somebody else may have done the same at the same time.
        for step in plan(topics, github.issues(label)):
            if isinstance(step, CloseDuplicate):
                step.take(github, label)
                yield step


def plan(topics: Sequence[Topic], issues: Sequence[Issue]) -> list[Step]:
    """What is to be done so that ``issues`` become as ``topics`` want them."""
    return [step for topic in topics for step in _steps(topic, issues)]


def _steps(topic: Topic, issues: Sequence[Issue]) -> Iterator[Step]:
    own = _about(topic.marker, issues)
    still_open = [issue for issue in own if issue.is_open]
    for duplicate in still_open[1:]:
        yield CloseDuplicate(number=duplicate.number, of=still_open[0].number)
    if still_open:
        closes = topic.wanted is Wanted.CLOSED
        (issue, state) = (still_open[0], "closed" if closes else "open")
        if closes or issue.title != topic.title or not says_the_same(issue.body, topic.body):
            how = "close" if closes else "rewrite"
            yield Change(number=issue.number, how=how, topic=topic, state=state)
    elif topic.wanted is Wanted.OPEN:
        if own:
            yield Change(number=own[0].number, how="open again", topic=topic, state="open")
        else:
            yield Open(topic=topic)


def comment(device: str, body: str, github: GitHub) -> str:
    """Put ``body`` below the open issue of ``device``, once; what was done, in words."""
    return comment_on(tracking_marker(device), f"tracking issue of {device}", body, github, LABEL)


def comment_on(marker: str, name: str, body: str, github: GitHub, label: str) -> str:
    """Likewise below the open issue that begins with ``marker``, which people call ``name``."""
    own = _about(marker, github.issues(label))
    number = next((issue.number for issue in own if issue.is_open), None)
    if number is None:
        return f"no {name} is open: nothing to do"
    if any(says_the_same(each, body) for each in github.comments(number)):
        return f"issue {number} has this comment already: nothing to do"
    github.comment(number, body)
    return f"commented on issue {number}"


def _about(marker: str, issues: Sequence[Issue]) -> list[Issue]:
    """Those that begin with the marker, oldest first."""
    found = [issue for issue in issues if issue.body.splitlines()[:1] == [marker]]
    return sorted(found, key=lambda issue: issue.number)

"""The topic."""

from __future__ import annotations

from compat.topics.surface.answers import ANSWERS
from compat.topics.surface.finding import Surface, find
from compat.topics.surface.records import RECORDS
from compat.topics.surface.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Surface] = Topic(
    name="surface",
    heading="Private surface",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
)

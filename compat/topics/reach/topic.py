"""The topic."""

from __future__ import annotations

from compat.topics.reach.answers import ANSWERS
from compat.topics.reach.finding import Reach, find
from compat.topics.reach.records import RECORDS
from compat.topics.reach.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Reach] = Topic(
    name="reach",
    heading="What reaches a downstream's code",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
)

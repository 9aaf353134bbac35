"""The topic."""

from __future__ import annotations

from compat.topics.cost.answers import ANSWERS
from compat.topics.cost.finding import Cost, find
from compat.topics.cost.records import RECORDS
from compat.topics.cost.view import draw, say, show
from compat.topics.topic import Topic

TOPIC: Topic[Cost] = Topic(
    name="cost",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
    draw=draw,
)

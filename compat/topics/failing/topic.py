"""The topic."""

from __future__ import annotations

from compat.topics.failing.answers import ANSWERS
from compat.topics.failing.finding import Failures, find
from compat.topics.failing.records import RECORDS
from compat.topics.failing.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Failures] = Topic(
    name="failing",
    heading="Compilations that fail",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
)

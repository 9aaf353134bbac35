"""The topic."""

from __future__ import annotations

from compat.topics.suites.answers import ANSWERS
from compat.topics.suites.finding import Suites, find
from compat.topics.suites.records import RECORDS
from compat.topics.suites.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Suites] = Topic(
    name="suites", records=RECORDS, answers=ANSWERS, find=find, say=say, show=show
)

"""The topic."""

from __future__ import annotations

from compat.topics.engine.answers import ANSWERS
from compat.topics.engine.finding import Engines, find
from compat.topics.engine.records import RECORDS
from compat.topics.engine.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Engines] = Topic(
    name="engine", records=RECORDS, answers=ANSWERS, find=find, say=say, show=show
)

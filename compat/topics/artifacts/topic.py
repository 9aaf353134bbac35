"""The topic."""

from __future__ import annotations

from compat.topics.artifacts.answers import ANSWERS
from compat.topics.artifacts.finding import Artifacts, find
from compat.topics.artifacts.records import RECORDS
from compat.topics.artifacts.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Artifacts] = Topic(
    name="artifacts", records=RECORDS, answers=ANSWERS, find=find, say=say, show=show
)

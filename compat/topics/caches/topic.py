"""The topic."""

from __future__ import annotations

from compat.topics.caches.answers import ANSWERS
from compat.topics.caches.finding import Caches, find
from compat.topics.caches.records import RECORDS
from compat.topics.caches.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[Caches] = Topic(
    name="caches", records=RECORDS, answers=ANSWERS, find=find, say=say, show=show
)

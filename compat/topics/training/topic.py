"""The topic."""

from __future__ import annotations

from compat.topics.topic import Topic
from compat.topics.training.answers import ANSWERS
from compat.topics.training.finding import Training, find
from compat.topics.training.records import RECORDS
from compat.topics.training.view import say, show

TOPIC: Topic[Training] = Topic(
    name="training", records=RECORDS, answers=ANSWERS, find=find, say=say, show=show
)

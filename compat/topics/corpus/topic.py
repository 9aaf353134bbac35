"""The topic."""

from __future__ import annotations

from compat.topics.corpus.answers import ANSWERS
from compat.topics.corpus.finding import WrongGraphs, find
from compat.topics.corpus.records import RECORDS
from compat.topics.corpus.view import say, show
from compat.topics.topic import Topic

TOPIC: Topic[WrongGraphs] = Topic(
    name="corpus",
    heading="Graphs that once went wrong",
    records=RECORDS,
    answers=ANSWERS,
    find=find,
    say=say,
    show=show,
)

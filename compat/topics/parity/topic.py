"""The topic."""

from __future__ import annotations

from compat.topics.parity.answers import ANSWERS, across
from compat.topics.parity.finding import PathsAgree, find
from compat.topics.parity.records import RECORDS
from compat.topics.parity.view import draw, say, show
from compat.topics.topic import Topic

TOPIC: Topic[PathsAgree] = Topic(
    name="parity",
    records=RECORDS,
    answers=ANSWERS,
    across=across,
    find=find,
    say=say,
    show=show,
    draw=draw,
)
